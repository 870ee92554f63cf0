//! Reporting on an external task in a saved tree, which no run goes on with at the time.

use super::{NodeData, State, Until};
use crate::model::{
    status::Status,
    task::{Gone, ReportError, Reported, TaskId, TaskReport},
};

impl State {
    /// Reports on an external task, for the next run of this saved state:
    /// [`Engine::report`](crate::Engine::report) is the same for an execution in a store. A check-in is only
    /// noted here: no `#[on_check_in]` is called.
    ///
    /// # Errors
    ///
    /// [`ReportError::Malformed`] where the fields of the report contradict each other.
    pub fn report_task(
        &mut self,
        task: &TaskId,
        report: &TaskReport,
    ) -> Result<Reported, ReportError> {
        let report = report.clone().checked()?;
        if self.status.is_final() && self.status != Status::Stopped
            || self.status == Status::Undoing
        {
            return Ok(Reported::Gone(Gone::Ended));
        }
        Ok(in_node(self, task, &report).unwrap_or(Reported::Gone(Gone::Unknown)))
    }
}

impl NodeData {
    /// Waits for a report: what it waited for before is over.
    pub(crate) fn wait_for_report(&mut self) {
        self.until = Some(Until::Report);
        self.since = None;
    }
}

fn in_node(node: &mut State, task: &TaskId, report: &TaskReport) -> Option<Reported> {
    let status = node.status;
    if let Some(own) = node.task.as_mut().filter(|own| own.id == *task) {
        if own.changes(report).is_none() {
            return Some(Reported::Stale);
        }
        let is_open = matches!(status, Status::Running | Status::Waiting);
        if !is_open || own.status.is_final() {
            return Some(Reported::Gone(Gone::Over));
        }
        own.take(report);
        if status == Status::Waiting {
            node.wait_for_report();
        }
        return Some(Reported::Taken);
    }
    let below = node.states.iter_mut();
    below
        .map(|below| in_node(below, task, report))
        .find(Option::is_some)
        .flatten()
}
