//! How steps take the signals that were sent to a run.
//!
//! A step takes its signal when it begins to wait, if there is one by then; otherwise
//! [`RunCore::deliver`] gives it one, during a pass if others still run beside it, or between two
//! passes. What a step was given is recorded as its input, in the same batch that tells the journal
//! which signal that was: so a signal is taken just once, and is either still in the queue or
//! recorded, whatever crashes.

use std::{borrow::Cow, sync::atomic::Ordering};

use super::{
    Fault, RunCore,
    notify::is_observing,
    records::{Id, ROOT, Records},
    signal_queue::SignalQueue,
};
use crate::{
    base::json::Json,
    model::{
        signal::{
            Position, SignalError,
            find::{Found, Look, find},
        },
        status::Status,
        table::{Table, Way, Work},
    },
};

/// A record, as a node of the tree.
struct Node<'r>(&'r RunCore, &'r Records, Id);

impl Look for Node<'_> {
    fn status(&self) -> Status {
        self.1[self.2].status
    }
    fn way(&self, work: &Work) -> Option<Way> {
        Some(work.way(self.1[self.2].cold())).filter(Way::is_known)
    }
    fn has_input(&self) -> bool {
        self.1[self.2].cold().input.is_some()
    }
    fn name(&self) -> Cow<'_, str> {
        self.1.name(self.2)
    }
    fn is_late(&self) -> bool {
        self.0.is_past_own(&self.1[self.2])
    }
    fn below(&self) -> Vec<Self> {
        let below = self.1.below(self.2).into_iter();
        below.map(|id| Node(self.0, self.1, id)).collect()
    }
}

impl RunCore {
    /// Gives the steps that wait for a signal those that are in the queue. Returns whether any step
    /// got one.
    pub(crate) fn deliver(&self) -> bool {
        let Some(queue) = &self.signals else {
            return false;
        };
        let reported = self.reports_came(queue);
        if queue.is_empty() {
            return reported;
        }
        let mut records = self.records();
        let mut waiting = Vec::new();
        records.waiting_for_signal(ROOT, &mut waiting);
        let mut given = false;
        for id in waiting {
            given |= self.give(queue, &mut records, id);
        }
        drop(records);
        if given {
            self.signals_given.store(true, Ordering::Relaxed);
            self.requests.signal_came();
        }
        reported | given
    }

    /// Returns whether a step was given a signal since this was last asked.
    pub(crate) fn was_given(&self) -> bool {
        self.signals_given.swap(false, Ordering::Relaxed)
    }

    /// Gives a step that has begun to wait a signal that came before. Returns whether there was one.
    pub(super) fn take_signal(&self, id: Id) -> bool {
        let Some(queue) = &self.signals else {
            return false;
        };
        let mut records = self.records();
        records[id].waits_for_signal()
            && self.give(queue, &mut records, id)
            && records[id].cold().input.is_some()
    }

    /// Gives a step the signal that was sent to it. Returns whether there was one; if it can't be
    /// read, it stays where it is, and the run goes no further than this pass.
    fn give(&self, queue: &SignalQueue, records: &mut Records, id: Id) -> bool {
        if records[id].cold().input.is_some() {
            return false;
        }
        let signal = match queue.take_for(&records.names(id)) {
            Ok(Some(signal)) => signal,
            Ok(None) => return false,
            Err(why) => {
                let path = records.path(id);
                return self.unreadable.set(Fault { path, why }).is_ok();
            }
        };
        records[id].cold_mut().input = Some(signal.value);
        self.committer.mark_signal(id, signal.number);
        true
    }

    /// Adds a signal to the queue, if its step can take one.
    pub(crate) fn send(
        &self,
        queue: &SignalQueue,
        table: &'static Table,
        path: &str,
        value: Json,
        position: Position,
    ) -> Result<(), SignalError> {
        let limits = &self.options.limits;
        // An observer is called while the records are locked.
        let records = (!is_observing()).then(|| self.records());
        let Found { target, meta } = match &records {
            Some(records) => find(table, Some(Node(self, records, ROOT)), path)?,
            None => find(table, None::<Node<'_>>, path)?,
        };
        limits.check_signal(path, meta, &value)?;
        queue.put(target, value, limits, position)?;
        drop(records);
        self.requests.signal_came();
        Ok(())
    }

    /// Returns the paths of the steps that wait for a signal.
    pub(crate) fn awaited_signals(&self) -> Vec<String> {
        let records = self.records();
        let mut waiting = Vec::new();
        records.waiting_for_signal(ROOT, &mut waiting);
        waiting.into_iter().map(|id| records.path(id)).collect()
    }
}
