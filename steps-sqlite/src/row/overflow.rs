//! The rest of a node: what has no column of its own, as one JSON object.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use steps_core::{
    Json,
    state::{Kind, Labels, Progress, Resolved, State, Undo, Until},
};

use super::nanos::exact;

/// The object. All of its fields are left out in the usual case, and then so is the object.
#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct More<'a> {
    /// Of the root: its name, where it is not the flow's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<Cow<'a, str>>,
    /// Of the root: its kind, where it is no flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Cow<'a, str>>,
    /// Of the root: an input that is not the execution's.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub(crate) input: Option<Json>,
    /// Of the root: a decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decision: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    info: Option<Json>,
    /// All errors, where there is more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    before: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    after: Option<Json>,
    /// Units done, and in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: Option<MoreUndo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Labels::is_empty")]
    labels: Labels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra: Vec<(String, Json)>,
    /// Times that 64 bits of nanoseconds don't hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default, rename_all = "camelCase")]
struct MoreUndo {
    #[serde(skip_serializing_if = "String::is_empty")]
    err: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<String>,
}

/// A value that is there, be it `null`.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

/// A time that its column can't hold.
fn beyond(time: Option<Timestamp>) -> Option<Timestamp> {
    time.filter(|time| exact(*time).is_none())
}

impl More<'_> {
    /// Whether a node has anything for it: most have not, and then none of it is made.
    pub(crate) fn has(node: &State) -> bool {
        let until = match node.until {
            Some(Until::Time(time)) => Some(time),
            _ => None,
        };
        node.info.is_some()
            || node.errors.len() > 1
            || node.before.is_some()
            || node.after.is_some()
            || node.progress.is_some()
            || node.undo.is_some()
            || node.id.is_some()
            || !node.labels.is_empty()
            || !node.extra.is_empty()
            || [node.started_at, node.done_at, until]
                .into_iter()
                .any(|time| beyond(time).is_some())
    }

    /// What of a node has no column, the same for the root and for other nodes.
    pub(crate) fn of(node: &State) -> Self {
        Self {
            info: node.info.clone(),
            errors: match node.errors.len() {
                0 | 1 => Vec::new(),
                _ => node.errors.clone(),
            },
            before: node.before.clone(),
            after: node.after.clone(),
            progress: node.progress.map(|p| (p.done, p.total)),
            undo: node.undo.as_ref().map(|undo| MoreUndo {
                err: undo.err.clone(),
                started_at: undo.started_at,
                done_at: undo.done_at,
                attempts: undo.attempts,
                until: undo.until,
                resolved: undo.resolved.map(|resolved| resolved.as_str().to_owned()),
            }),
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

    /// The text for the column.
    pub(crate) fn text(&self) -> Result<Option<String>, serde_json::Error> {
        if *self == Self::default() {
            return Ok(None);
        }
        serde_json::to_string(self).map(Some)
    }

    /// Puts the fields back into a node that has those of the columns.
    pub(crate) fn restore(self, node: &mut State) -> Result<(), String> {
        if let Some(name) = self.name {
            node.name = Cow::Owned(name.into_owned());
        }
        if let Some(kind) = self.kind {
            node.kind =
                Kind::from_name(&kind).ok_or_else(|| format!("the kind {kind:?} is not known"))?;
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
        node.before = self.before;
        node.after = self.after;
        node.progress = self.progress.map(|(done, total)| {
            let mut progress = Progress::default();
            progress.done = done;
            progress.total = total;
            progress
        });
        node.undo = self.undo.map(MoreUndo::restore).transpose()?;
        node.id = self.id.map(Into::into);
        node.labels = self.labels;
        node.extra = self.extra;
        node.started_at = node.started_at.or(self.started_at);
        node.done_at = node.done_at.or(self.done_at);
        node.until = node.until.or(self.until.map(Until::Time));
        Ok(())
    }
}

impl MoreUndo {
    fn restore(self) -> Result<Undo, String> {
        let mut undo = Undo::default();
        undo.err = self.err;
        undo.started_at = self.started_at;
        undo.done_at = self.done_at;
        undo.attempts = self.attempts;
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
