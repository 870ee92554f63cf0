//! The engine's own task that sweeps when a sweep is due.

use std::{sync::Arc, time::Duration};

use super::sweep::{Asked, Turn};
use crate::engine::{error::EngineError, worker::engine_core::EngineCore};

/// How often the duty is looked at, at most: for sweeps that another process has left off.
const LOOK: Duration = Duration::from_mins(1);

/// Sweeps when it is due, if no other process does.
pub(in crate::engine) async fn sweep_when_due(core: Arc<EngineCore>) {
    let rules = core.retention();
    while !core.is_draining() {
        match sweep(&core).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "the store could not be swept"),
        }
        tokio::time::sleep(rules.every.min(LOOK)).await;
    }
}

async fn sweep(core: &EngineCore) -> Result<(), EngineError> {
    let Some(turn) = Turn::begin(core, core.retention(), Asked::ByTime).await? else {
        return Ok(());
    };
    for rule in turn.sweep().await?.rules {
        match (rule.deleted, rule.error) {
            (_, Some(error)) => {
                tracing::warn!(rule = rule.rule, %error, "a rule of retention was left off");
            }
            (0, None) => {}
            (deleted, None) => {
                tracing::info!(rule = rule.rule, deleted, "executions were deleted");
            }
        }
    }
    Ok(())
}
