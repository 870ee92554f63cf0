//! Giving a lease back without a record, where a turn could not end with a write of its own.
//!
//! It spares the execution to wait for the end of its lease. Nothing depends on it: a lease that
//! is not given back ends by itself.

use std::sync::Arc;

use super::{
    engine_core::{EngineCore, STORE_PAUSES},
    turn_journal::TurnJournal,
};
use crate::{
    base::clock,
    store::{Due, ErrorKind, LeaseAfter, Refused},
};

impl EngineCore {
    /// Gives back the lease of a turn whose records the store did not take, on a task of its own
    /// that tries until the lease has ended. The execution is due again after a pause, which grows
    /// while the store takes no records: each turn may do the effect of a step once more.
    pub(crate) fn give_back_after_failure(self: &Arc<Self>, journal: Arc<TurnJournal>) {
        let core = Arc::clone(self);
        let due = clock::add(core.clock.now(), core.turn_failed());
        tokio::spawn(async move {
            let mut pause = STORE_PAUSES.0;
            let mut left = core.lease;
            while let Some(less) = left.checked_sub(pause) {
                tokio::time::sleep(pause).await;
                let then = LeaseAfter::Release {
                    due: Due::At(due),
                    last_message: 0,
                };
                match journal.give_back(then).await {
                    Ok(()) => return core.schedule.due_at(due),
                    Err(error) if error.kind() == ErrorKind::Fenced => return,
                    Err(_) => {}
                }
                (left, pause) = (less, (2 * pause).min(STORE_PAUSES.1));
            }
        });
    }

    /// Gives back the lease of a turn that was cut off: its execution is due now.
    pub(super) async fn give_back_cut(&self, journal: &TurnJournal) {
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

    /// Gives back the lease of an execution that was refused before, on a task of its own and after
    /// a while: two programs that it does not fit must not hand it to and fro as fast as they can.
    pub(super) fn refuse_later(&self, journal: Arc<TurnJournal>, refused: Refused) {
        let pause = self.lease / 2;
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            if let Err(error) = journal.give_back(LeaseAfter::Refuse(refused)).await {
                tracing::warn!(execution = &*journal.id, %error, "not given back");
            }
        });
    }
}
