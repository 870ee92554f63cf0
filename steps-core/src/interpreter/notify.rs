//! Reports the changes of nodes to the journal's committer and to the observer.

use std::{cell::Cell, sync::atomic::Ordering};

use super::{
    RunCore,
    records::{Id, Record, Records},
    run_core::{Fault, Observer},
};
use crate::model::{event::Event, status::Status};

thread_local! {
    static OBSERVING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread is in an observer, so that the records of its run are locked.
pub(super) fn is_observing() -> bool {
    OBSERVING.get()
}

impl RunCore {
    /// Marks a node that changed for the journal, and notifies the observer.
    #[inline]
    pub(super) fn changed(&self, records: &Records, id: Id) {
        if records[id].impossible.is_some() {
            return self.stop_at(records, id);
        }
        self.committer.mark(id);
        if records[id].pivot && records[id].status == Status::Done && records.is_own(id) {
            self.requests.set_past_pivot(true);
        }
        self.notify(records, id);
    }

    /// Stops the run where it is, because a node was to make an impossible transition: nothing more
    /// is recorded, and nothing more begins.
    #[cold]
    fn stop_at(&self, records: &Records, id: Id) {
        let Some(impossible) = records[id].impossible else {
            return;
        };
        let fault = Fault {
            path: records.path(id),
            why: format!(
                "{impossible}: its record is damaged, or this is a bug in steps; the execution is \
                 left as it was recorded last"
            ),
        };
        tracing::error!(
            execution = &**self.execution(),
            path = fault.path,
            "stopped: {}",
            fault.why
        );
        let _ = self.fault.set(fault);
        self.committer
            .stop("a node was to make an impossible transition");
    }

    /// Changes a node, and reports the change.
    pub(super) fn change<R>(&self, id: Id, change: impl FnOnce(&mut Record) -> R) -> R {
        let mut records = self.records();
        let result = change(&mut records[id]);
        self.changed(&records, id);
        result
    }

    /// Notifies the observer, if there is one, of a node's status and progress.
    #[inline]
    pub(super) fn notify(&self, records: &Records, id: Id) {
        if let Some(observer) = &self.options.observer {
            self.call(observer, records, id);
        }
    }

    #[cold]
    fn call(&self, observer: &Observer, records: &Records, id: Id) {
        let record = &records[id];
        let cold = record.cold();
        let undo_error = || cold.undo.as_ref().map(|undo| undo.err.clone());
        let error = cold.errors.last().cloned().or_else(undo_error);
        let event = Event {
            number: 1 + self.events.fetch_add(1, Ordering::Relaxed),
            path: records.path(id),
            kind: record.kind,
            status: record.status,
            attempt: record.attempts,
            at: self.options.clock.now(),
            until: cold.until.filter(|_| record.status == Status::Waiting),
            error: error.filter(|error| !error.is_empty()),
            progress: cold.progress,
        };
        let before = OBSERVING.replace(true);
        let called = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| observer(&event)));
        OBSERVING.set(before);
        if called.is_err() {
            let (execution, path) = (&**self.execution(), event.path);
            tracing::error!(execution, path, "an observer panicked");
        }
    }
}
