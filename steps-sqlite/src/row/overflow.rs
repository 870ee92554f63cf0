//! What of a node has no column of its own, as one JSON object.
//!
//! This module knows the state and no database: the column that the text is in, and errors about
//! it, are left to `columns`.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use steps_core::{
    Json, Task,
    state::{
        Ending, FailureCause, Kind, Labels, NodeData, Progress, Resolved, StepKind, Undo, Until,
    },
};

use super::nanos::exact;

/// The object. A field that says nothing is left out; for most nodes that is all of them, and then
/// there is no object.
#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Overflow<'a> {
    /// The root's name, if it is not the flow's.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    /// The root's kind, if it is not a flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Cow<'a, str>>,
    /// The root's input, if it has one beside the execution's.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    input: Option<Json>,
    /// The root's decision. Other nodes have a column for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    info: Option<Json>,
    /// All errors, if there is more than one: the column holds the last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    errors_left_out: u32,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    before: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    after: Option<Json>,
    /// Units done, and units in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<OverflowUndo>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    parallel: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    verify_owed: bool,
    #[serde(skip_serializing_if = "is_zero")]
    failures: u32,
    #[serde(skip_serializing_if = "is_zero")]
    deaths: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_nanos: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_kind: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_after: Option<String>,
    chosen: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Box<Task>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_err: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_done_err: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_failed_err: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_stopped_err: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    labels: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra: Vec<(String, Json)>,
    /// The three times of a node, each only if its column can't hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default, rename_all = "camelCase")]
struct OverflowUndo {
    #[serde(skip_serializing_if = "String::is_empty")]
    err: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
    attempts: u32,
    #[serde(skip_serializing_if = "is_zero")]
    deaths: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<String>,
}

/// Reads a value that is there, which may be `null`. By itself serde would read `null` as `None`.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Looks a name up, which another version may have written.
fn known<T>(
    name: Option<Cow<'_, str>>,
    what: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    name.map(|name| find(&name).ok_or_else(|| format!("the {what} {name:?} is not known")))
        .transpose()
}

/// Returns the time if its column can't hold it: one outside 64 bits of nanoseconds.
fn beyond(time: Option<Timestamp>) -> Option<Timestamp> {
    time.filter(|time| exact(*time).is_none())
}

impl Overflow<'_> {
    /// Returns the object for a node other than the root, as text; `None` if it would be empty.
    pub(crate) fn text_of(node: &NodeData) -> Result<Option<String>, serde_json::Error> {
        if !Self::is_needed(node) {
            return Ok(None);
        }
        Self::of(node).text()
    }

    /// Returns the object for the root of an execution of `flow`, as text; `None` if it would be
    /// empty. The root's row is the execution's, which lacks some columns that the others have.
    pub(crate) fn text_of_root(
        node: &NodeData,
        flow: &str,
    ) -> Result<Option<String>, serde_json::Error> {
        Overflow {
            name: (node.name != flow).then(|| Cow::Borrowed(&*node.name)),
            kind: (node.kind != Kind::Flow).then(|| Cow::Borrowed(node.kind.as_str())),
            input: node.input.clone(),
            decision: node.decision,
            ..Overflow::of(node)
        }
        .text()
    }

    /// Reads the text of an object, and sets its fields in a node that has those of the columns.
    pub(crate) fn restore(text: &str, node: &mut NodeData) -> Result<(), String> {
        let overflow: Overflow = serde_json::from_str(text).map_err(|error| error.to_string())?;
        overflow.restore_into(node)
    }

    /// Whether a node has anything for the object. Most have not, and then it is not made.
    pub(crate) fn is_needed(node: &NodeData) -> bool {
        let until = match node.until {
            Some(Until::Time(time)) => Some(time),
            _ => None,
        };
        node.info.is_some()
            || node.errors.len() > 1
            || node.errors_left_out > 0
            || node.before.is_some()
            || node.after.is_some()
            || node.progress.is_some()
            || node.undo.is_some()
            || node.parallel
            || node.cause.is_some()
            || node.verify_owed
            || node.failures > 0
            || node.deaths > 0
            || node.waited.is_some()
            || node.generation.is_some()
            || node.step_kind.is_some()
            || node.since.is_some()
            || node.deadline.is_some()
            || node.begun_after.is_some()
            || node.chosen.is_some()
            || !node.needs.is_empty()
            || node.task.is_some()
            || node.after_err.is_some()
            || node.ending.is_some()
            || node.on_done_err.is_some()
            || node.on_failed_err.is_some()
            || node.on_stopped_err.is_some()
            || node.instance.is_some()
            || node.id.is_some()
            || !node.labels.is_empty()
            || !node.extra.is_empty()
            || [node.started_at, node.done_at, until]
                .into_iter()
                .any(|time| beyond(time).is_some())
    }

    /// The fields that neither the root nor other nodes have a column for.
    fn of(node: &NodeData) -> Self {
        Self {
            info: node.info.clone(),
            errors: match node.errors.len() {
                0 | 1 => Vec::new(),
                _ => node.errors.clone(),
            },
            errors_left_out: node.errors_left_out,
            before: node.before.clone(),
            after: node.after.clone(),
            progress: node.progress.map(|p| (p.done, p.total)),
            undo: node.undo.as_ref().map(|undo| OverflowUndo {
                err: undo.err.clone(),
                started_at: undo.started_at,
                done_at: undo.done_at,
                attempts: undo.attempts,
                deaths: undo.deaths,
                until: undo.until,
                resolved: undo.resolved.map(|resolved| resolved.as_str().to_owned()),
            }),
            parallel: node.parallel,
            cause: node.cause.map(|cause| cause.as_str().into()),
            verify_owed: node.verify_owed,
            failures: node.failures,
            deaths: node.deaths,
            waited_nanos: (node.waited)
                .map(|waited| u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX)),
            generation: node.generation,
            step_kind: node.step_kind.map(|kind| kind.as_str().into()),
            since: node.since,
            deadline: node.deadline,
            begun_after: node.begun_after.as_deref().map(str::to_owned),
            chosen: node.chosen.as_deref().map(str::to_owned),
            needs: node.needs.clone(),
            task: node.task.clone(),
            after_err: node.after_err.clone(),
            ending: node.ending.map(|ending| ending.as_str().into()),
            on_done_err: node.on_done_err.clone(),
            on_failed_err: node.on_failed_err.clone(),
            on_stopped_err: node.on_stopped_err.clone(),
            instance: node.instance.as_deref().map(str::to_owned),
            id: node.id.as_deref().map(str::to_owned),
            labels: node.labels.clone(),
            extra: node.extra.clone(),
            started_at: beyond(node.started_at),
            done_at: beyond(node.done_at),
            until: match node.until {
                Some(Until::Time(time)) => beyond(Some(time)),
                _ => None,
            },
            ..Self::default()
        }
    }

    fn text(&self) -> Result<Option<String>, serde_json::Error> {
        if *self == Self::default() {
            return Ok(None);
        }
        serde_json::to_string(self).map(Some)
    }

    fn restore_into(self, node: &mut NodeData) -> Result<(), String> {
        if let Some(name) = self.name {
            node.name = Cow::Owned(name.into_owned());
        }
        if let Some(kind) = known(self.kind, "kind", Kind::from_name)? {
            node.kind = kind;
        }
        if self.input.is_some() {
            node.input = self.input;
        }
        if self.decision.is_some() {
            node.decision = self.decision;
        }
        node.info = self.info;
        if !self.errors.is_empty() {
            node.errors = self.errors;
        }
        node.errors_left_out = self.errors_left_out;
        node.before = self.before;
        node.after = self.after;
        node.progress = self.progress.map(|(done, total)| {
            let mut progress = Progress::default();
            progress.done = done;
            progress.total = total;
            progress
        });
        node.undo = self.undo.map(OverflowUndo::restore).transpose()?;
        node.parallel = self.parallel;
        node.cause = known(self.cause, "cause", FailureCause::from_name)?;
        node.verify_owed = self.verify_owed;
        node.failures = self.failures;
        node.deaths = self.deaths;
        node.waited = self.waited_nanos.map(Duration::from_nanos);
        node.generation = self.generation;
        node.step_kind = known(self.step_kind, "kind of step", StepKind::from_name)?;
        node.since = self.since;
        node.deadline = self.deadline;
        node.begun_after = self.begun_after.map(Into::into);
        node.chosen = self.chosen.map(Into::into);
        node.needs = self.needs;
        node.task = self.task;
        node.after_err = self.after_err;
        node.ending = known(self.ending, "ending", Ending::from_name)?;
        node.on_done_err = self.on_done_err;
        node.on_failed_err = self.on_failed_err;
        node.on_stopped_err = self.on_stopped_err;
        node.instance = self.instance.map(Into::into);
        node.id = self.id.map(Into::into);
        node.labels = self.labels;
        node.extra = self.extra;
        node.started_at = node.started_at.or(self.started_at);
        node.done_at = node.done_at.or(self.done_at);
        node.until = node.until.or(self.until.map(Until::Time));
        Ok(())
    }
}

impl OverflowUndo {
    fn restore(self) -> Result<Undo, String> {
        let mut undo = Undo::default();
        undo.err = self.err;
        undo.started_at = self.started_at;
        undo.done_at = self.done_at;
        undo.attempts = self.attempts;
        undo.deaths = self.deaths;
        undo.until = self.until;
        undo.resolved = match self.resolved {
            Some(name) => Some(
                [Resolved::Skipped, Resolved::Undone]
                    .into_iter()
                    .find(|resolved| resolved.as_str() == name)
                    .ok_or_else(|| format!("the decision {name:?} is not known"))?,
            ),
            None => None,
        };
        Ok(undo)
    }
}
