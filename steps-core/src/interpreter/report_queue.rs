//! The reports on external tasks that no step has taken yet, in the order in which they came.

use std::sync::Mutex;

use crate::{
    base::sync::lock,
    model::task::{TaskId, TaskReport},
};

/// A report on its way to its step.
#[derive(Clone, Debug)]
pub(crate) struct QueuedReport {
    /// The message's number, if a journal has to be told that it was taken.
    pub(crate) number: Option<i64>,
    /// The task's id.
    pub(crate) task: String,
    /// What was reported; `None` if it can't be read, as a newer version has sent it.
    pub(crate) report: Option<TaskReport>,
    /// Whether its step was told that it is here.
    told: bool,
}

impl QueuedReport {
    pub(crate) fn new(number: Option<i64>, task: String, report: Option<TaskReport>) -> Self {
        Self {
            number,
            task,
            report,
            told: false,
        }
    }
}

/// The queue. Its lock is the last one to be taken.
#[derive(Debug, Default)]
pub(crate) struct ReportQueue(Mutex<Vec<QueuedReport>>);

impl ReportQueue {
    /// Adds a report, behind those whose numbers are smaller.
    pub(crate) fn push(&self, report: QueuedReport) {
        let mut queued = lock(&self.0);
        let later = queued.iter().rev();
        let at = queued.len() - later.take_while(|it| it.number > report.number).count();
        queued.insert(at, report);
    }

    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    /// Returns whether there is a report on this task.
    pub(super) fn has(&self, task: &TaskId) -> bool {
        lock(&self.0)
            .iter()
            .any(|queued| queued.task == task.as_str())
    }

    /// Returns the first report on this task, which stays in the queue.
    pub(super) fn first(&self, task: &TaskId) -> Option<QueuedReport> {
        let queued = lock(&self.0);
        queued
            .iter()
            .find(|queued| queued.task == task.as_str())
            .cloned()
    }

    /// Removes this report. Another one may have come before it meanwhile.
    pub(super) fn remove(&self, report: &QueuedReport) {
        let mut queued = lock(&self.0);
        let is_it = |it: &QueuedReport| it.number == report.number && it.task == report.task;
        if let Some(at) = queued.iter().position(is_it) {
            queued.remove(at);
        }
    }

    /// Removes the reports on tasks that are none of the open ones. Returns them.
    pub(super) fn remove_gone(&self, is_open: impl Fn(&str) -> bool) -> Vec<QueuedReport> {
        let mut queued = lock(&self.0);
        queued
            .extract_if(.., |queued| !is_open(&queued.task))
            .collect()
    }

    /// Returns whether a step that waits has a report of which it was not told, and tells it.
    pub(super) fn tell(&self, waits: impl Fn(&str) -> bool) -> bool {
        let mut queued = lock(&self.0);
        let mut any = false;
        for queued in queued.iter_mut().filter(|queued| waits(&queued.task)) {
            any |= !std::mem::replace(&mut queued.told, true);
        }
        any
    }
}
