//! What is known of one node, without those below it: what a [`State`](super::State) holds at each
//! level, and what a store's row holds.
//!
//! A field that is added is written here, read in `fields`, written as JSON in `write`, told of in
//! `schema`, and kept by stores in what has no column.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

use super::{Ending, FailureCause, Kind, Labels, Progress, Undo, Until};
use crate::{base::json::Json, model::status::Status};

/// One node of the saved tree, without those below it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct NodeData {
    /// The step's name; of an item of a `for`, its key; of a round of a `loop`, its number from 1.
    pub name: Cow<'static, str>,
    /// What sort of node it is.
    pub kind: Kind,
    /// What it is doing.
    pub status: Status,
    /// The step's own working data, kept between attempts.
    pub info: Option<Json>,
    /// The errors of the last attempt; empty where there are none.
    pub errors: Vec<String>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended, well or not.
    pub done_at: Option<Timestamp>,
    /// What it waits for, while it is [`Status::Waiting`].
    pub until: Option<Until>,
    /// How many attempts have begun.
    pub attempts: u32,
    /// What it was given: of a flow its input, of a `for` the array of its items, of an `if let`
    /// the value that was looked at, of a signal what was sent.
    pub input: Option<Json>,
    /// The recorded decision: of an `if`, whether the condition held; of a round, whether it was
    /// the last.
    pub decision: Option<bool>,
    /// What it gave, once done. Missing where that is `null`.
    pub output: Option<Json>,
    /// What `#[observe]` saw before it began.
    pub before: Option<Json>,
    /// What `#[observe]` saw after it was done.
    pub after: Option<Json>,
    /// How far it has come, as it said itself.
    pub progress: Option<Progress>,
    /// Its rollback, once begun.
    pub undo: Option<Undo>,
    /// Why it failed, where that is not simply its own error.
    pub cause: Option<FailureCause>,
    /// Whether the `#[verify]` of a step that waits for its next attempt has to be asked first, as it
    /// could not tell whether the last attempt had its effect.
    pub verify_owed: bool,
    /// Of a step that polls: how many of its attempts failed, before its last "not yet".
    pub failures: u32,
    /// Why the look of `#[observe]` after the step failed.
    pub after_err: Option<String>,
    /// Of the root: the handler that is still to be called.
    pub ending: Option<Ending>,
    /// Of the root: why its `#[on_done]` failed.
    pub on_done_err: Option<String>,
    /// Of the root: why its `#[on_failed]` failed.
    pub on_failed_err: Option<String>,
    /// Of the root: the execution's id.
    pub id: Option<Arc<str>>,
    /// Of the root: the execution's labels, by which it is found.
    pub labels: Labels,
    /// Fields that this version does not know, kept as they were read.
    pub extra: Vec<(String, Json)>,
}

impl NodeData {
    /// The fields in which two nodes differ, as JSON names them; one that is not known as `extra`.
    pub(super) fn differing(&self, other: &Self) -> Vec<&'static str> {
        // Without `..`, so that a field that is added can't be forgotten here.
        let Self {
            name,
            kind,
            status,
            info,
            errors,
            started_at,
            done_at,
            until,
            attempts,
            input,
            decision,
            output,
            before,
            after,
            progress,
            undo,
            cause,
            verify_owed,
            failures,
            after_err,
            ending,
            on_done_err,
            on_failed_err,
            id,
            labels,
            extra,
        } = self;
        [
            ("name", *name != other.name),
            ("info", *info != other.info),
            ("err", *errors != other.errors),
            ("startedAt", *started_at != other.started_at),
            ("doneAt", *done_at != other.done_at),
            ("status", *status != other.status),
            ("kind", *kind != other.kind),
            ("input", *input != other.input),
            ("decision", *decision != other.decision),
            ("output", *output != other.output),
            ("attempts", *attempts != other.attempts),
            ("before", *before != other.before),
            ("after", *after != other.after),
            ("progress", *progress != other.progress),
            ("undo", *undo != other.undo),
            ("until", *until != other.until),
            ("cause", *cause != other.cause),
            ("verifyOwed", *verify_owed != other.verify_owed),
            ("failures", *failures != other.failures),
            ("afterErr", *after_err != other.after_err),
            ("ending", *ending != other.ending),
            ("onDoneErr", *on_done_err != other.on_done_err),
            ("onFailedErr", *on_failed_err != other.on_failed_err),
            ("id", *id != other.id),
            ("labels", *labels != other.labels),
            ("extra", *extra != other.extra),
        ]
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
    }
}
