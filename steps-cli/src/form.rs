//! The JSON forms of what is written for programs. They are documented in the README, and only grow.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use steps::{
    Attrs, Json,
    state::Labels,
    store::{Act, ExecutionInfo},
};

/// An execution without its tree.
#[derive(Serialize)]
pub(crate) struct Execution<'a> {
    id: &'a str,
    flow: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incompatible: Option<&'a str>,
    steps: BTreeMap<&'static str, u64>,
    labels: &'a Labels,
    attrs: &'a Attrs,
    trigger: &'a str,
    priority: i32,
    created: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<Timestamp>,
    updated: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Json>,
    cursor: String,
}

impl<'a> From<&'a ExecutionInfo> for Execution<'a> {
    fn from(info: &'a ExecutionInfo) -> Self {
        let steps = info.steps.iter();
        Self {
            id: &info.id,
            flow: &info.flow,
            status: info.status.as_str(),
            status_message: info.status_message.as_deref(),
            error: info.error.as_deref(),
            incompatible: info.refused.as_ref().map(|refused| &*refused.why),
            steps: steps
                .map(|(status, count)| (status.as_str(), count))
                .collect(),
            labels: &info.labels,
            attrs: &info.attrs,
            trigger: info.trigger.as_str(),
            priority: info.priority,
            created: info.created_at,
            started: info.started_at,
            updated: info.updated_at,
            ended: info.done_at,
            due: info.due,
            worker: info.worker.as_deref(),
            parent: info.parent.as_deref(),
            output: info.output.as_ref(),
            cursor: info.cursor().to_string(),
        }
    }
}

/// One execution with its tree.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    pub(crate) execution: Execution<'a>,
    pub(crate) acts: &'a [Act],
    pub(crate) tree: Json,
}

/// What was done with an execution.
#[derive(Serialize)]
pub(crate) struct Acted<'a> {
    pub(crate) id: &'a str,
    pub(crate) act: &'static str,
    pub(crate) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<&'static str>,
    /// How many nodes, pauses or undos it concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
}
