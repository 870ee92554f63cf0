//! The transactions of steps and undos, as the run has them made and asks for them.

use std::time::Duration;

use super::{RunCore, records::Id};
use crate::{
    base::{error::StepError, json::Json, transaction::Doing},
    journal::{InTransaction, NoTransaction, Transacted},
    language::host::StepHost as _,
};

/// The pauses before a store is asked again what became of a transaction: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Has work done in a transaction.
pub(super) async fn transact<'a>(
    run: &'a RunCore,
    id: Id,
    doing: Doing,
    work: Box<dyn InTransaction + 'a>,
) -> Result<Transacted, NoTransaction> {
    let Some(journal) = run.committer.journal() else {
        let why = "it is a transaction of the store's database, and this run has no store: run its flow on an engine";
        return Err(NoTransaction::Unsupported(why.to_owned()));
    };
    let name = doing.name(&run.idempotency_key(id));
    // It may be committed also where the answer is lost, or nobody waits for it any more.
    run.committer.mark_transaction(id, name.clone());
    journal.transact(name, work).await
}

/// Returns what is kept of a transaction. A store that can't be asked is asked again: until then nobody knows
/// whether the step has done what it does.
pub(super) async fn transacted(
    run: &RunCore,
    id: Id,
    doing: Doing,
) -> Result<Option<Option<Json>>, StepError> {
    let Some(journal) = run.committer.journal() else {
        return Ok(None);
    };
    let name = doing.name(&run.idempotency_key(id));
    let mut pause = PAUSES.0;
    loop {
        match journal.transacted(name.clone()).await {
            Ok(found) => {
                if found.is_some() {
                    run.committer.mark_transaction(id, name);
                }
                return Ok(found);
            }
            Err(NoTransaction::Unknown(why)) => {
                let (execution, path) = (&**run.execution(), run.path(id));
                tracing::debug!(
                    execution,
                    path,
                    why,
                    "whether its transaction was committed is not known"
                );
                let clock = &run.options.clock;
                clock.sleep_until(clock.moment().after(pause)).await;
                pause = (2 * pause).min(PAUSES.1);
            }
            Err(NoTransaction::Unsupported(why) | NoTransaction::Lost(why)) => {
                return Err(StepError::fatal(why));
            }
        }
    }
}
