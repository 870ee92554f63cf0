//! Transactions of steps: what their functions change, and that they have, is committed together.

use std::{any::Any, sync::Arc};

use sqlx::{PgConnection, Postgres, Transaction};
use steps_core::{
    Json,
    store::{ErrorKind, InTransaction, Lease, Transacted},
};

use crate::{
    error::{Fail, Result, fenced},
    row::columns::Columns,
    server::txn::{Database, Txn},
};

/// The setting lasts as long as the transaction: it tells whether the step has ended that itself.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL steps.step_transaction = 'open'";
const IS_OPEN: &str =
    "SELECT coalesce(current_setting('steps.step_transaction', true), '') = 'open'";

/// Whoever takes the execution over waits until this is committed; whoever has taken it over is seen.
const KEEP: &str = "INSERT INTO %.transactions (execution, digest, output) \
    SELECT key, md5($3), $4 FROM (SELECT key FROM %.executions WHERE key = $1 AND fence = $2 AND worker IS NOT NULL \
    AND current_setting('steps.step_transaction', true) = 'open' FOR SHARE) AS held";

/// Waits for whoever is about to commit a transaction of this execution.
const HELD: &str =
    "SELECT fence = $2 AND worker IS NOT NULL FROM %.executions WHERE key = $1 FOR NO KEY UPDATE";
/// A statement of its own: it has to see what was committed while the other one waited.
const FIND: &str = "SELECT output FROM %.transactions WHERE execution = $1 AND digest = md5($2)";

/// Has work done in a transaction.
pub(crate) async fn transact(
    database: &Arc<Database>,
    lease: Lease,
    name: &str,
    work: Box<dyn InTransaction + '_>,
) -> Result<Transacted> {
    let mut begun = begin(database).await?;
    let connection: &mut PgConnection = &mut begun;
    let Ok(output) = work.run(connection as &mut (dyn Any + Send)).await else {
        // If that fails, the server does so as the connection is gone.
        drop(begun.rollback().await);
        return Ok(Transacted::Abandoned);
    };
    if let Err(fail) = keep(database, &mut begun, lease, name, output).await {
        drop(begun.rollback().await);
        return match fail.code().as_deref() {
            Some("23505") => Err(Fail::new(
                ErrorKind::Exists,
                format!(
                    "{}: the transaction {name:?} was committed before",
                    database.name
                ),
            )),
            Some("25P02") => Ok(Transacted::Refused(
                "the server had refused a statement of it, and the step has passed over that error"
                    .to_owned(),
            )),
            _ => Err(fail),
        };
    }
    match begun.commit().await {
        Ok(()) => Ok(Transacted::Committed),
        Err(error) => {
            let refused = match &error {
                sqlx::Error::Database(answer) => is_refusal(answer.code().as_deref()),
                _ => false,
            };
            if refused {
                return Ok(Transacted::Refused(error.to_string()));
            }
            Err(error.into())
        }
    }
}

/// Begins a transaction, to its end: this may be dropped at any moment, and sqlx 0.9 gives a connection whose beginning
/// was dropped back to its pool in the open transaction, in which whoever gets it next works without knowing.
async fn begin(database: &Database) -> Result<Transaction<'static, Postgres>> {
    let pool = database.pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(BEGIN).await }).await;
    let begun = begun.map_err(|error| Fail::new(ErrorKind::Other, error.to_string()))?;
    Ok(begun?)
}

/// Whether the server has rolled a transaction back with an error of this code: not if it was stopped, or has failed
/// itself, as that may have been after the commit.
fn is_refusal(code: Option<&str>) -> bool {
    let unknown = ["08", "53", "57", "58", "F0", "XX"];
    code.is_some_and(|code| unknown.iter().all(|class| !code.starts_with(class)))
}

async fn keep(
    database: &Database,
    connection: &mut PgConnection,
    lease: Lease,
    name: &str,
    output: Option<Json>,
) -> Result<()> {
    let output = output.as_ref().map(|output| output.get().to_owned());
    let statement = database.query(KEEP).bind(lease.key).bind(lease.fence);
    let statement = statement.bind(name.to_owned()).bind(output);
    if statement.execute(&mut *connection).await?.rows_affected() > 0 {
        return Ok(());
    }
    let is_open = sqlx::query_scalar::<_, bool>(IS_OPEN);
    if is_open.fetch_one(connection).await? {
        return Err(fenced("an execution"));
    }
    Err(Fail::new(
        ErrorKind::Rejected,
        format!(
            "{}: the step has ended its transaction itself, so that what it has done may be there without a record of \
             it. Leave out COMMIT and ROLLBACK: the engine commits, and an error of the step rolls back",
            database.name
        ),
    ))
}

/// Returns what is kept of a transaction.
pub(crate) async fn transacted(
    txn: &mut Txn<'_>,
    lease: Lease,
    name: &str,
) -> Result<Option<Option<Json>>> {
    let statement = txn.query(HELD).bind(lease.key).bind(lease.fence);
    let held = txn.row(statement).await?;
    if !held.map_or(Ok(false), |row| Columns::of(&row).is())? {
        return Err(fenced("an execution"));
    }
    let statement = txn.query(FIND).bind(lease.key).bind(name.to_owned());
    let Some(row) = txn.row(statement).await? else {
        return Ok(None);
    };
    Ok(Some(Columns::of(&row).json()?))
}
