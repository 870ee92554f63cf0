//! The data of one node without its children: the content of a [`State`](super::State) at each
//! level, and of a store's row.
//!
//! A new field is added here, read in `fields`, written as JSON in `write`, described in `schema`,
//! and kept by stores among the fields that have no column.

use std::{borrow::Cow, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Ending, FailureCause, Kind, Labels, Progress, StepKind, Undo, Until};
use crate::{
    base::json::Json,
    model::{status::Status, task::Task},
};

/// One node of the saved tree, without its children.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct NodeData {
    /// The step's name; the key of a `for`'s item; or the number of a `loop`'s round, counted from
    /// 1.
    pub name: Cow<'static, str>,
    /// The kind of the node.
    pub kind: Kind,
    /// Of a step that has begun: what it is, if it is not simply a function that is called. Missing
    /// in what older versions wrote.
    pub step_kind: Option<StepKind>,
    /// The node's status.
    pub status: Status,
    /// The step's own working data, kept between attempts.
    pub info: Option<Json>,
    /// The errors of the failed attempts, oldest first, or those of the nodes below; empty if there
    /// are none. Of more than [`MAX_ERRORS`](Self::MAX_ERRORS), only the first and the newest are
    /// kept, and at most [`MAX_ERROR_BYTES`](Self::MAX_ERROR_BYTES) of each text.
    pub errors: Vec<String>,
    /// How many errors after the first are missing in [`errors`](Self#structfield.errors).
    pub errors_left_out: u32,
    /// When the first attempt began.
    pub started_at: Option<Timestamp>,
    /// When the node ended, successfully or not.
    pub done_at: Option<Timestamp>,
    /// What the node waits for, while it is [`Status::Waiting`].
    pub until: Option<Until>,
    /// Of a step that waits for a time, also before its undo is tried again: since when, so that a
    /// program in which the pause is shorter ends it earlier. Missing in what older versions wrote.
    pub since: Option<Timestamp>,
    /// The time by which the node must have ended, as it was recorded when the node began. Of a signal
    /// [`within`](crate::language::step::Call::within) a time, when it gives up waiting.
    pub deadline: Option<Timestamp>,
    /// How many attempts have begun.
    pub attempts: u32,
    /// The node's input: of a flow its parameters, of a `for` the array of its items, of an `if
    /// let` the matched value, of a signal the value that was sent.
    pub input: Option<Json>,
    /// The recorded decision: of an `if`, whether the condition held; of a round, whether it was
    /// the last one.
    pub decision: Option<bool>,
    /// The output, once the node is done. Missing if the output is `null`.
    pub output: Option<Json>,
    /// What `#[observe]` returned before the step began.
    pub before: Option<Json>,
    /// What `#[observe]` returned after the step was done.
    pub after: Option<Json>,
    /// The progress that the step reported.
    pub progress: Option<Progress>,
    /// The node's rollback, once it has begun.
    pub undo: Option<Undo>,
    /// Of a `for`: whether its items run at once, so that none comes after another.
    pub parallel: bool,
    /// Why the node failed, if not simply by its own error.
    pub cause: Option<FailureCause>,
    /// Whether a waiting step must call its `#[verify]` before its next attempt, because an earlier
    /// call could not tell whether the last attempt had its effect.
    pub verify_owed: bool,
    /// Of a step that polls: how many attempts failed before its last "not yet".
    pub failures: u32,
    /// How many attempts in a row ended with the death of their process.
    pub deaths: u32,
    /// Of a step: how long it has waited between its attempts, or the questions of a `poll`, until the
    /// last attempt began. `None` where it has not waited, and in what older versions wrote.
    pub waited: Option<Duration>,
    /// Of a step: which doing of it this is, as part of its idempotency key; `None` is the first. Of
    /// the root: the generation of steps that begin now. It grows when the execution goes on after a
    /// rollback, and when it begins again from a step.
    pub generation: Option<u32>,
    /// Of a line that began after others that stand behind it in the flow: the name of the last of
    /// these. It is undone before them.
    pub begun_after: Option<Arc<str>>,
    /// Of a `race`: the name of the line that was done first. Of a `match`: that of the arm that was taken.
    pub chosen: Option<Arc<str>>,
    /// Of a line of a `parallel` that has begun or was skipped: the names of the lines beside it whose
    /// values it uses, so that it begins after them and is undone before them.
    pub needs: Vec<Cow<'static, str>>,
    /// Of an external step that has begun: its task.
    pub task: Option<Box<Task>>,
    /// Why the `#[observe]` after the step failed.
    pub after_err: Option<String>,
    /// Of the root: the handler that is still to be called.
    pub ending: Option<Ending>,
    /// Of the root: why its `#[on_done]` failed.
    pub on_done_err: Option<String>,
    /// Of the root: why its `#[on_failed]` failed.
    pub on_failed_err: Option<String>,
    /// Of the root: why its `#[on_stopped]` failed.
    pub on_stopped_err: Option<String>,
    /// Of the root: what tells the execution from others that have had its id, as part of the
    /// idempotency keys of its steps. `None` where the id alone does.
    pub instance: Option<Arc<str>>,
    /// Of the root: the execution's id.
    pub id: Option<Arc<str>>,
    /// Of the root: the labels by which the execution is found.
    pub labels: Labels,
    /// Fields that this version does not know, kept unchanged.
    pub extra: Vec<(String, Json)>,
}

impl NodeData {
    /// Returns the fields in which two nodes differ, by their JSON names; unknown fields are called
    /// `extra`.
    pub(super) fn differing(&self, other: &Self) -> Vec<&'static str> {
        // No `..` here, so that the compiler reports a field that was forgotten.
        let Self {
            name,
            kind,
            step_kind,
            status,
            info,
            errors,
            errors_left_out,
            started_at,
            done_at,
            until,
            since,
            deadline,
            attempts,
            input,
            decision,
            output,
            before,
            after,
            progress,
            undo,
            parallel,
            cause,
            verify_owed,
            failures,
            deaths,
            waited,
            generation,
            begun_after,
            chosen,
            needs,
            task,
            after_err,
            ending,
            on_done_err,
            on_failed_err,
            on_stopped_err,
            instance,
            id,
            labels,
            extra,
        } = self;
        [
            ("name", *name != other.name),
            ("info", *info != other.info),
            ("err", *errors != other.errors),
            ("errsLeftOut", *errors_left_out != other.errors_left_out),
            ("startedAt", *started_at != other.started_at),
            ("doneAt", *done_at != other.done_at),
            ("status", *status != other.status),
            ("kind", *kind != other.kind),
            ("stepKind", *step_kind != other.step_kind),
            ("input", *input != other.input),
            ("decision", *decision != other.decision),
            ("output", *output != other.output),
            ("attempts", *attempts != other.attempts),
            ("before", *before != other.before),
            ("after", *after != other.after),
            ("progress", *progress != other.progress),
            ("undo", *undo != other.undo),
            ("until", *until != other.until),
            ("since", *since != other.since),
            ("deadline", *deadline != other.deadline),
            ("parallel", *parallel != other.parallel),
            ("cause", *cause != other.cause),
            ("verifyOwed", *verify_owed != other.verify_owed),
            ("failures", *failures != other.failures),
            ("deaths", *deaths != other.deaths),
            ("waitedNanos", *waited != other.waited),
            ("generation", *generation != other.generation),
            ("begunAfter", *begun_after != other.begun_after),
            ("chosen", *chosen != other.chosen),
            ("needs", *needs != other.needs),
            ("task", *task != other.task),
            ("afterErr", *after_err != other.after_err),
            ("ending", *ending != other.ending),
            ("onDoneErr", *on_done_err != other.on_done_err),
            ("onFailedErr", *on_failed_err != other.on_failed_err),
            ("onStoppedErr", *on_stopped_err != other.on_stopped_err),
            ("instance", *instance != other.instance),
            ("id", *id != other.id),
            ("labels", *labels != other.labels),
            ("extra", *extra != other.extra),
        ]
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
    }
}
