//! Decides whether new work may begin.

use std::sync::atomic::Ordering;

use super::{End, Pass, RunCore, records::Id, requests::RequestSet};
use crate::{
    language::cx::CancelReason,
    model::{state::Kind, status::Status},
};

/// Whether new work may begin at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// New work may begin.
    Open,
    /// Nothing will ever begin: nodes that have not begun are skipped, nodes that wait are given
    /// up.
    Cancelled,
    /// Nothing begins in this pass: every node stays as it is.
    Halted,
}

impl RunCore {
    /// Marks a node: nothing new begins below it.
    pub(super) fn cancel(&self, id: Id) {
        let was = std::mem::replace(&mut self.records()[id].cancelled, true);
        if !was {
            self.cancelled.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the mark from a node that has ended.
    pub(super) fn end_cancelled(&self, id: Id) {
        let was = std::mem::take(&mut self.records()[id].cancelled);
        if was {
            self.cancelled.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Returns whether any node is cancelled.
    fn has_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) > 0
    }

    /// Returns whether anything may keep a step from beginning. It is mostly `false`, and then the
    /// nodes above need not be checked.
    #[inline]
    pub(super) fn may_be_blocked(&self) -> bool {
        self.has_cancelled()
            || self.is_timed()
            || !self.requests.all().is_empty()
            || self.options.looks
    }

    /// Returns whether work at `id` that has not begun will never begin.
    pub(super) fn is_cancelled(&self, id: Id) -> bool {
        self.requests.all().undoes() || self.has_cancelled() && self.records().is_cancelled(id)
    }

    /// Returns why the step at `id`, which is running, should end early, if it should.
    pub(super) fn cancel_reason(&self, id: Id) -> Option<CancelReason> {
        if !self.may_be_blocked() {
            return None;
        }
        let requested = self.requests.all();
        let (undoing, cancelled) = {
            let records = self.records();
            let undoing = records[id].status == Status::Undoing;
            (undoing, records.why_cancelled(id))
        };
        match requested {
            // A rollback goes on to its end.
            _ if undoing => requested.suspends().then_some(CancelReason::Shutdown),
            _ if requested.undoes() => Some(CancelReason::Undo),
            _ if cancelled.is_some() => cancelled,
            _ if requested.suspends() => Some(CancelReason::Shutdown),
            _ if requested.stops() => Some(CancelReason::Stop),
            _ => None,
        }
    }

    /// Returns why a step that waits for something outside the run must give up, when it must. The
    /// code after the steps, the handlers and a rollback are not called off: an error of theirs would
    /// be a failure.
    pub(crate) async fn called_off(&self) -> CancelReason {
        let reason = |requested: RequestSet| {
            if self.status() != Status::Running || self.past_steps.load(Ordering::Relaxed) {
                None
            } else if requested.suspends() {
                Some(CancelReason::Shutdown)
            } else if requested.undoes() {
                Some(CancelReason::Undo)
            } else {
                requested.stops().then_some(CancelReason::Stop)
            }
        };
        self.requests.until(reason).await
    }
}

impl Pass<'_> {
    /// Returns whether new work may begin at `id`. A failed sibling takes precedence over a stop,
    /// because it leads to a rollback, which is not stopped.
    #[inline]
    pub(super) fn gate(self, id: Id) -> Gate {
        if self.run.may_be_blocked() {
            self.closed_gate(id)
        } else {
            Gate::Open
        }
    }

    /// Returns whether what is below `id` may be looked at. In an execution that is to stop, it may where a
    /// task has to be told so; what has not begun there does not begin.
    pub(super) fn gate_to(self, id: Id) -> Gate {
        match self.gate(id) {
            Gate::Halted if self.run.asks_to_stop(id) => Gate::Open,
            gate => gate,
        }
    }

    #[cold]
    fn closed_gate(self, id: Id) -> Gate {
        let requested = self.run.requests.all();
        if self.run.options.looks {
            let records = self.run.records();
            return match (records[id].status, records[id].kind) {
                (Status::Pending, _) | (Status::Running, Kind::Step) => Gate::Halted,
                _ => Gate::Open,
            };
        }
        if requested.suspends() {
            return Gate::Halted;
        }
        let late = self.run.late_around(&self.run.records(), id);
        if let Some(late) = late {
            self.run.cancel(late);
        }
        if self.run.is_cancelled(id) {
            Gate::Cancelled
        } else if requested.stops() {
            Gate::Halted
        } else {
            Gate::Open
        }
    }

    /// Returns the end of a flow whose steps are done, if a request keeps it from completing now.
    pub(super) fn interrupted_at_end(self) -> Option<End> {
        let requested = self.run.requests.all();
        if self.is_suspended() {
            Some(End::Waiting(None))
        } else {
            requested.undoes().then_some(End::Interrupted)
        }
    }

    /// Returns whether nothing may begin, not even an undo.
    pub(super) fn is_suspended(self) -> bool {
        self.run.requests.all().suspends() || self.run.options.looks
    }
}
