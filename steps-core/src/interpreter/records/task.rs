//! The external task of a step, as its record has it.

use super::Record;
use crate::model::{
    state::Until,
    status::Status,
    task::{Task, TaskStatus},
};

impl Record {
    /// Returns its external task, if a report on it can still change something.
    pub(crate) fn open_task(&self) -> Option<&Task> {
        let task = self.task()?;
        let is_open = matches!(self.status, Status::Running | Status::Waiting);
        (is_open && !task.status.is_final()).then_some(task)
    }

    /// Returns whether an end of its external task was reported that it has not taken yet.
    pub(crate) fn is_reported(&self) -> bool {
        let takes = self.status == Status::Running || self.waits_for_report();
        takes && self.task().is_some_and(|task| task.status.is_final())
    }

    /// Returns whether it was reported that its external task is done.
    pub(crate) fn is_reported_done(&self) -> bool {
        self.task()
            .is_some_and(|task| task.status == TaskStatus::Done)
    }

    /// Returns whether its external task was asked to stop.
    pub(crate) fn is_asked_to_stop(&self) -> bool {
        self.task().is_some_and(|task| task.stop_asked)
    }

    /// Returns its external task.
    pub(crate) fn task(&self) -> Option<&Task> {
        self.cold.as_ref()?.data().task.as_deref()
    }

    pub(crate) fn waits_for_report(&self) -> bool {
        self.status == Status::Waiting && self.cold().until == Some(Until::Report)
    }
}
