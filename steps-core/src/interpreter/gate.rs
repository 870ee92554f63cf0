//! Whether something may begin.

use std::sync::atomic::Ordering;

use super::{End, Pass, RunCore, records::Id};
use crate::model::status::Status;

/// Whether something may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// It never will: what has not begun is skipped, what waits is given up.
    Cancelled,
    /// Not now: everything stays as it is.
    Halted,
}

impl RunCore {
    /// Lets nothing new begin below `id`.
    pub(super) fn cancel(&self, id: Id) {
        self.records()[id].cancelled = true;
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether anything may keep a step from beginning. Where this is false, which it mostly is,
    /// nobody needs to look at the records above.
    #[inline]
    pub(super) fn may_be_blocked(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || !self.requests.all().is_empty()
    }

    /// Whether what has not begun at `id` never will.
    pub(super) fn is_cancelled(&self, id: Id) -> bool {
        self.requests.all().undoes()
            || self.cancelled.load(Ordering::Relaxed) && self.records().is_cancelled(id)
    }

    /// Whether the step at `id`, which is running, should end early.
    pub(super) fn should_end(&self, id: Id) -> bool {
        if !self.may_be_blocked() {
            return false;
        }
        let status = self.records()[id].status;
        match status {
            // A rollback goes on to its end.
            Status::Undoing => self.requests.all().suspends(),
            _ => !self.requests.all().is_empty() || self.is_cancelled(id),
        }
    }
}

impl Pass<'_> {
    /// Whether something may begin at `id`. A failure beside it goes before a stop: it leads to the
    /// rollback, which is not stopped.
    #[inline]
    pub(super) fn gate(self, id: Id) -> Gate {
        if self.run.may_be_blocked() {
            self.closed_gate(id)
        } else {
            Gate::Open
        }
    }

    #[cold]
    fn closed_gate(self, id: Id) -> Gate {
        let requested = self.run.requests.all();
        if requested.suspends() {
            Gate::Halted
        } else if self.run.is_cancelled(id) {
            Gate::Cancelled
        } else if requested.stops() {
            Gate::Halted
        } else {
            Gate::Open
        }
    }

    /// How a flow whose steps are done is kept from coming to its end now, if it is.
    pub(super) fn interrupted_at_end(self) -> Option<End> {
        let requested = self.run.requests.all();
        if requested.suspends() {
            Some(End::Waiting(None))
        } else {
            requested.undoes().then_some(End::Interrupted)
        }
    }

    /// Whether not even an undo may begin.
    pub(super) fn is_suspended(self) -> bool {
        self.run.requests.all().suspends()
    }
}
