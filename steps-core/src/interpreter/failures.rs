//! Records failures, and finds the steps that caused the failure of a run.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;

use super::{
    Pass, Requests, RunCore, RunOptions,
    records::{Id, ROOT, Record, Records},
};
use crate::{
    base::{
        error::{BoxError, StepError},
        sync::lock,
    },
    language::cx::CancelReason,
    model::{
        failure::{Cause, StepFailure},
        state::{Ending, FailureCause, Kind, State, children::child_of},
        status::Status,
        table::Table,
    },
};

/// The newest error of each node in this process, as a value. Of earlier errors only the text is
/// known.
#[derive(Default)]
pub(super) struct FailureLog(Mutex<HashMap<Id, Arc<BoxError>>>);

impl FailureLog {
    pub(super) fn keep(&self, id: Id, error: &StepError) {
        lock(&self.0).insert(id, Arc::clone(&error.error));
    }

    /// Forgets the errors of nodes that are not there any more.
    pub(super) fn forget(&self, gone: &[Id]) {
        let mut errors = lock(&self.0);
        if !errors.is_empty() {
            errors.retain(|id, _| gone.binary_search(id).is_err());
        }
    }

    /// Returns the newest error of a node.
    fn newest(&self, id: Id) -> Option<Arc<BoxError>> {
        lock(&self.0).get(&id).map(Arc::clone)
    }
}

impl RunCore {
    /// Returns why the run did not complete.
    pub(crate) fn cause(&self) -> Cause {
        if self.status() == Status::Stopped {
            return Cause::Stopped;
        }
        self.cause_below(ROOT)
    }

    /// Returns why a flow, the execution's or a nested one, failed or was undone. The paths begin in it.
    pub(super) fn cause_below(&self, flow: Id) -> Cause {
        let records = self.records();
        let failed = self.failed_steps(&records, flow);
        let undo_failed = undo_failures(&records, flow);
        if failed.is_empty() && undo_failed.is_empty() {
            return Cause::Undone;
        }
        Cause::Steps {
            failed,
            undo_failed,
        }
    }

    /// Returns the steps that caused the failure of the run, in the order in which they failed.
    fn failed_steps(&self, records: &Records, flow: Id) -> Vec<StepFailure> {
        let mut failed = Vec::new();
        records.failures(flow, &mut failed);
        failed.sort_by_key(|&(_, at)| at);
        let given_up = |id: Id| records[id].was_given_up();
        // If only given-up steps failed and the flow is not held, the run was undone on request.
        let held = records[flow].status == Status::Failed;
        if !held || failed.iter().any(|(id, _)| !given_up(*id)) {
            failed.retain(|(id, _)| !given_up(*id));
        }
        let describe = |(id, _)| StepFailure {
            path: records.path_in(flow, id),
            source: self.failures.newest(id),
            ..recorded_failure(records, id)
        };
        failed.into_iter().map(describe).collect()
    }

    /// Returns why a line failed, as it is recorded, so that it is the same after a resume: the first
    /// of the steps in it that failed. The path begins in the line's own flow.
    pub(super) fn failure_of(&self, id: Id) -> StepFailure {
        let records = self.records();
        let mut failed = Vec::new();
        records.failures(id, &mut failed);
        failed.retain(|(id, _)| !records[*id].was_given_up());
        let first = failed.into_iter().min_by_key(|&(_, at)| at);
        let first = first.map_or(id, |(id, _)| id);
        let mut flows = records.around(id).skip(1);
        let flow = flows.find(|at| records[*at].kind == Kind::Flow);
        StepFailure {
            path: records.path_in(flow.unwrap_or(ROOT), first),
            ..recorded_failure(&records, first)
        }
    }
}

/// Returns the failure of a node, without the error as a value.
fn recorded_failure(records: &Records, id: Id) -> StepFailure {
    let cold = records[id].cold();
    StepFailure {
        path: records.path(id),
        error: cold.errors.last().cloned().unwrap_or_default(),
        source: None,
        is_late: cold.cause == Some(FailureCause::Deadline),
        child: child_that_failed(&records[id]),
    }
}

/// Returns the child whose end a line failed by.
fn child_that_failed(record: &Record) -> Option<String> {
    let cold = record.cold();
    let joins = cold.input.as_ref();
    joins
        .filter(|_| cold.cause == Some(FailureCause::Child))
        .and_then(child_of)
}

/// Returns the steps whose undo failed.
fn undo_failures(records: &Records, flow: Id) -> Vec<StepFailure> {
    let mut failed = Vec::new();
    records.undo_failures(flow, &mut failed);
    let describe = |id: Id| {
        let undo = records[id].cold().undo.as_ref();
        StepFailure {
            path: records.path_in(flow, id),
            error: undo.map(|undo| undo.err.clone()).unwrap_or_default(),
            source: None,
            is_late: false,
            child: None,
        }
    };
    failed.into_iter().map(describe).collect()
}

impl Pass<'_> {
    /// Returns why a node is given up now.
    pub(super) fn given_up_because(self, id: Id) -> FailureCause {
        if self.run.requests.all().undoes() {
            FailureCause::UndoRequested
        } else {
            let records = self.run.records();
            if self.run.late_around(&records, id).is_some() {
                FailureCause::OutOfTime
            } else if records.why_cancelled(id) == Some(CancelReason::LostRace) {
                FailureCause::LostRace
            } else {
                FailureCause::SiblingFailed
            }
        }
    }

    /// Records that a group, an item or a round failed, because a node below it failed.
    pub(super) fn fail_group(self, id: Id, now: Timestamp) {
        let given_up_because = self.given_up_because(id);
        let mut records = self.run.records();
        if records[id].status == Status::Failed {
            return;
        }
        let below = records.below(id).into_iter();
        let ended =
            below.filter(|id| !records[*id].may_be_passed_over() && records[*id].done_at.is_some());
        let told = |id: Id| {
            let error = records[id].cold().errors.last()?;
            Some(format!("{}: {error}", records.name(id)))
        };
        let errors: Vec<String> = ended.filter_map(told).collect();
        let record = &mut records[id];
        let cold = record.cold_mut();
        cold.cause = None;
        cold.clear_errors();
        if errors.is_empty() {
            record.give_up(given_up_because);
        }
        for error in errors {
            record.cold_mut().add_error(error);
        }
        record.fail(now);
        self.run.changed(&records, id);
    }

    /// Records the error of a handler. It does not change how the flow ended.
    pub(super) fn handler_failed(self, id: Id, handler: Ending, error: &StepError) {
        let text = error.text();
        tracing::error!(
            execution = &**self.run.execution(),
            error = text,
            handler = handler.as_str(),
            "the handler of a flow failed"
        );
        let mut records = self.run.records();
        let flow = records[id].cold_mut();
        match handler {
            Ending::OnDone => flow.on_done_err = Some(text),
            Ending::OnFailed => flow.on_failed_err = Some(text),
            Ending::OnStopped => flow.on_stopped_err = Some(text),
        }
        self.run.committer.mark(id);
    }
}

/// Returns the path of the pivot that keeps an execution from being undone on request, if it is
/// past one, by its saved tree, which may lack what is past.
pub(crate) fn pivot_of(state: &State, table: &'static Table) -> Option<String> {
    let records = Records::from_open_state(state, table.name, table.nodes);
    records.pivot().map(|id| records.path(id))
}

/// Returns why an execution that has ended did not complete, by its saved tree.
pub(crate) fn cause_of(state: &State, table: &'static Table) -> Cause {
    let records = Records::from_state(state, table.name, table.nodes);
    let options = RunOptions::default();
    RunCore::new(records, None, options, None, Requests::default(), None).cause()
}
