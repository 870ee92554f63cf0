//! Releasing a lease without a record, if a turn could not end with a write of its own.
//!
//! Otherwise the execution would wait until its lease ends. Nothing depends on it: a lease that is
//! not released ends by itself.

use std::sync::Arc;

use super::{
    engine_core::{EngineCore, STORE_PAUSES},
    running::RunningTurn,
    turn_journal::TurnJournal,
};
use crate::{
    base::{clock::Deadline, telemetry},
    store::{Due, ErrorKind, Lease, LeaseAfter},
};

impl EngineCore {
    /// Tells, once of each turn, that its lease had ended before it was renewed or given back.
    pub(super) fn lost_lease(&self, journal: &TurnJournal, lease: Lease) {
        if !journal.is_first_to_lose() {
            return;
        }
        telemetry::lease_lost();
        let execution = &*journal.id;
        if self.running.has_later(execution, lease) {
            tracing::warn!(
                execution,
                "its lease had ended, and this engine has taken it up again"
            );
        } else {
            tracing::warn!(execution, "somebody else has taken it over");
        }
    }

    /// Notes that an execution whose lease was released waits.
    pub(super) fn put_aside(&self, journal: &TurnJournal, deadline: Deadline) {
        if let Some(lease) = journal.lease() {
            self.schedule.waits(lease.key, deadline);
        }
    }

    /// Releases the lease of a turn whose records the store did not take. A separate task tries
    /// this until the lease has ended. The execution is due again after a pause, which grows while
    /// the store takes no records, because each turn may repeat the effect of a step.
    pub(crate) fn give_back_after_failure(self: &Arc<Self>, journal: Arc<TurnJournal>) {
        let core = Arc::clone(self);
        let due = core.clock.deadline(core.clock.now(), core.turn_failed());
        tokio::spawn(async move {
            let mut pause = STORE_PAUSES.0;
            let mut left = core.lease;
            while let Some(less) = left.checked_sub(pause) {
                tokio::time::sleep(pause).await;
                let then = LeaseAfter::Release {
                    due: Due::At(due.until),
                    last_message: 0,
                };
                match journal.give_back(then).await {
                    Ok(()) => return core.put_aside(&journal, due),
                    Err(error) if error.kind() == ErrorKind::Fenced => return,
                    Err(_) => {}
                }
                (left, pause) = (less, (2 * pause).min(STORE_PAUSES.1));
            }
        });
    }

    /// Releases the lease of an aborted turn; its execution is due now. Not so if a thread of it is
    /// still at work: then the lease ends by itself, so that the next attempt of the step begins
    /// later than the end of this process, if that is soon.
    pub(super) async fn give_back_cut(&self, turn: &RunningTurn) {
        let journal = &turn.journal;
        if turn.threads.are_at_work() {
            let execution = &*journal.id;
            tracing::warn!(
                execution,
                "a blocking function is still at work, so its lease is not given back"
            );
            return;
        }
        let then = LeaseAfter::Release {
            due: Due::Now,
            last_message: 0,
        };
        if let Err(error) = journal.give_back(then).await
            && error.kind() != ErrorKind::Fenced
        {
            tracing::warn!(execution = &*journal.id, %error, "not given back");
        }
    }
}
