//! Finding executions, and the data that a store keeps of them.

use std::ops::Range;

use jiff::Timestamp;

use super::NodeRow;
use crate::{
    base::json::Json,
    model::{state::Labels, status::Status},
};

/// The data of an execution, without its tree.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExecutionInfo {
    /// The id.
    pub id: String,
    /// The flow's name, as it was when the execution was created.
    pub flow: String,
    /// The status, as of the last write.
    pub status: Status,
    /// The labels by which it is found.
    pub labels: Labels,
    /// The priority. Executions with a larger one are claimed first; 0 by default.
    pub priority: i32,
    /// When it was created, by the store's clock.
    pub created_at: Timestamp,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// The error of the root; if there are several, the last one.
    pub error: Option<String>,
    /// The output, once done. Missing if the output is `null`.
    pub output: Option<Json>,
    /// When it is due. If a worker holds it, this is when the lease ends.
    pub due: Option<Timestamp>,
    /// The worker that holds it, or that held it last without giving it back.
    pub worker: Option<String>,
    /// The flow that it does not fit, if one has refused it and no worker has taken it since.
    pub refused: Option<Refused>,
}

impl ExecutionInfo {
    /// Returns the data of an execution that was just created; a store fills in the rest.
    pub fn new(id: impl Into<String>, flow: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            flow: flow.into(),
            status: Status::Pending,
            labels: Labels::new(),
            priority: 0,
            created_at,
            started_at: None,
            done_at: None,
            error: None,
            output: None,
            due: None,
            worker: None,
            refused: None,
        }
    }
}

/// Why a flow could not continue from an execution's saved tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The fingerprint of the compiled flow.
    pub fingerprint: u64,
    /// What does not fit, with a result for each step.
    pub why: String,
}

/// Everything that is kept of an execution.
#[derive(Clone, Debug)]
pub struct StoredExecution {
    /// The data without the tree.
    pub info: ExecutionInfo,
    /// The flow's input.
    pub input: Json,
    /// The rows of the tree, in any order. Empty if the execution has not begun.
    pub nodes: Vec<NodeRow>,
}

/// Which executions to find: those that meet every condition that is set. By default, all of them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExecutionQuery {
    /// With this id.
    pub id: Option<String>,
    /// Of a flow that was saved under one of these names; if empty, of any flow.
    pub flows: Vec<String>,
    /// In one of these statuses; if empty, in any status.
    pub status: Vec<Status>,
    /// With all of these labels.
    pub labels: Labels,
    /// Created in this range of time; the end is excluded.
    pub created: Option<Range<Timestamp>>,
    /// Ended in this range of time; the end is excluded.
    pub ended: Option<Range<Timestamp>>,
    /// Whether a flow that the execution does not fit has refused it.
    pub refused: Option<bool>,
    /// The maximum number of executions; 0 means no limit.
    pub limit: usize,
    /// The next page: the executions that come after the one with this id in a list, whether or not
    /// the query matches that one. There are none if no such execution exists (any more).
    pub after: Option<String>,
}
