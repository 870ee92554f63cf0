//! The flow, with the step names of the state files that it takes over.

use steps::prelude::*;

use crate::env::{Env, MoveError, Work};

/// Moves an account's instances from the classic network into a VPC.
///
/// A failed pass undoes nothing: the state is recovered and the flow goes on from the failed step.
#[flow(name = "MoveToVPC", rename_all = "camelCase", on_failure = "hold")]
pub(crate) async fn move_to_vpc(env: &Env, account: String) -> Result<(), MoveError> {
    steps! {
        initialize = {
            #[step(name = "initialize CVM")]
            initialize_cvm(cx, env, &account);
            #[optional]
            #[step(name = "initialize ENIs")]
            initialize_enis(cx, env, &account);
        }
        pre_flight = {
            chk_account(cx, env, &account);
            chk_network(cx, env, &account);
        }
        in_flight = {
            migrate_instances(cx, env, &account);
            #[step(name = "cloneENIs")]
            clone_enis(env, &account);
        }
    }
    Ok(())
}

#[step]
async fn initialize_cvm(cx: &Cx, env: &Env, account: &str) -> Result<(), MoveError> {
    cx.save(&"MUST init CVM before migration")?;
    env.perform(Work::InitializeCvm, account).await
}

#[step]
async fn initialize_enis(cx: &Cx, env: &Env, account: &str) -> Result<(), MoveError> {
    cx.save(&"this is an optional steps, so always set it done")?;
    env.perform(Work::InitializeEnis, account).await
}

#[step]
async fn chk_account(cx: &Cx, env: &Env, account: &str) -> Result<(), MoveError> {
    cx.save(&"check whether account usable or not")?;
    env.perform(Work::CheckAccount, account).await
}

/// Not yet done while an address is dead. The dead ones are kept with the step.
#[step(poll(every = "1s"))]
async fn chk_network(cx: &Cx, env: &Env, account: &str) -> Result<Option<()>, MoveError> {
    cx.save(&"check if network is good for migration")?;
    let dead = env.dead_addresses(account).await?;
    if dead.is_empty() {
        return Ok(Some(()));
    }
    cx.save(dead)?;
    Ok(None)
}

#[step]
async fn migrate_instances(cx: &Cx, env: &Env, account: &str) -> Result<(), MoveError> {
    cx.save(&"modify instances' network configuration")?;
    env.perform(Work::MigrateInstances, account).await
}

#[step]
async fn clone_enis(env: &Env, account: &str) -> Result<(), MoveError> {
    env.perform(Work::CloneEnis, account).await
}
