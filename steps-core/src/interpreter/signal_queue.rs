//! The queue of the signals that no step has taken yet, in the order in which they came.

use std::{borrow::Cow, collections::VecDeque, sync::Mutex};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{RunLimits, report_queue::ReportQueue};
use crate::{
    base::{error::caught, json::Json, sync::lock},
    model::{
        signal::{Position, SignalError, Target, find::find},
        state::State,
        status::Status,
        table::Table,
    },
};

/// A signal on its way to its step.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    /// The message's number, if a journal has to be told that it was taken.
    pub(crate) number: Option<i64>,
    pub(crate) target: Target,
    pub(crate) value: Json,
}

/// The queue. Its lock is the last one to be taken.
#[derive(Debug, Default)]
pub(crate) struct SignalQueue {
    queued: Mutex<VecDeque<Signal>>,
    /// The reports that no step has taken.
    pub(crate) reports: ReportQueue,
    /// The flow, once it is known: its steps may have had other names when the signal was sent.
    table: Mutex<Option<&'static Table>>,
    /// How the last run ended, if it can't go on.
    ended: Mutex<Option<Status>>,
    /// Notified when a signal has come.
    pub(crate) came: Notify,
}

impl SignalQueue {
    /// Adds a signal, behind those whose numbers are smaller.
    pub(crate) fn push(&self, signal: Signal) {
        let signal = self.renamed(signal);
        let mut queued = lock(&self.queued);
        let later = queued.iter().rev();
        let at = queued.len() - later.take_while(|it| it.number > signal.number).count();
        queued.insert(at, signal);
        drop(queued);
        self.came.notify_waiters();
    }

    /// Adds a signal, in the place of those for the same steps.
    pub(crate) fn replace(&self, signal: Signal) {
        let signal = self.renamed(signal);
        let mut queued = lock(&self.queued);
        queued.retain(|other| other.target != signal.target);
        queued.push_back(signal);
        drop(queued);
        self.came.notify_waiters();
    }

    /// Adds a signal of nobody's journal.
    ///
    /// # Errors
    ///
    /// If as many queue for its steps as may.
    pub(crate) fn put(
        &self,
        target: Target,
        value: Json,
        limits: &RunLimits,
        position: Position,
    ) -> Result<(), SignalError> {
        let signal = Signal {
            number: None,
            target,
            value,
        };
        if position == Position::Instead {
            self.replace(signal);
            return Ok(());
        }
        let mut queued = lock(&self.queued);
        let alike = queued.iter().filter(|other| other.target == signal.target);
        if alike.count() >= limits.queued(&signal.target) {
            return Err(limits.full(&signal.target));
        }
        queued.push_back(signal);
        drop(queued);
        self.came.notify_waiters();
        Ok(())
    }

    /// A run begins to take the signals, which are for this flow.
    pub(crate) fn is_of(&self, table: &'static Table) {
        *lock(&self.ended) = None;
        *lock(&self.table) = Some(table);
        let mut queued = lock(&self.queued);
        *queued = std::mem::take(&mut *queued)
            .into_iter()
            .map(|signal| self.renamed(signal))
            .collect();
    }

    /// The run has ended, in this status.
    pub(crate) fn run_ended(&self, status: Status) {
        *lock(&self.ended) = (status != Status::Stopped).then_some(status);
    }

    /// Returns how the last run ended, if it can't go on and no other run has begun.
    pub(crate) fn ended(&self) -> Option<Status> {
        *lock(&self.ended)
    }

    pub(super) fn is_empty(&self) -> bool {
        lock(&self.queued).is_empty()
    }

    /// Returns the paths of the signals that no step has taken.
    pub(crate) fn paths(&self) -> Vec<String> {
        let queued = lock(&self.queued);
        queued
            .iter()
            .map(|signal| signal.target.to_string())
            .collect()
    }

    fn renamed(&self, mut signal: Signal) -> Signal {
        let table = *lock(&self.table);
        if let Some(table) = table
            && let Ok(found) = find(
                table,
                None::<(&State, Timestamp)>,
                &signal.target.to_string(),
            )
        {
            signal.target = found.target;
        }
        signal
    }

    /// Takes the signal for the step with these names out of the queue: one for this step alone, or
    /// else the first one for any of several.
    ///
    /// # Errors
    ///
    /// Returns why the step can't read it. It stays in the queue.
    pub(super) fn take_for(&self, names: &[Cow<'_, str>]) -> Result<Option<Signal>, String> {
        let mut queued = lock(&self.queued);
        let fits = |is_one| {
            move |signal: &Signal| signal.target.is_one() == is_one && signal.target.fits(names)
        };
        let own = queued.iter().position(fits(true));
        let at = own.or_else(|| queued.iter().position(fits(false)));
        let Some((at, signal)) = at.and_then(|at| Some((at, queued.get(at)?))) else {
            return Ok(None);
        };
        let table = *lock(&self.table);
        if let Some(table) = table
            && let Ok(found) = find(
                table,
                None::<(&State, Timestamp)>,
                &signal.target.to_string(),
            )
            && let Err(error) = caught(|| found.meta.check_given(signal.value.get()))
        {
            return Err(format!(
                "the signal that was sent to it is no `{}`: {error}; it is kept until a program \
                 can read it",
                found.meta.output
            ));
        }
        Ok(queued.remove(at))
    }
}
