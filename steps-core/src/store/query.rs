//! Finding executions.

use std::ops::Range;

use jiff::Timestamp;

use super::NodeRow;
use crate::{
    base::json::Json,
    model::{state::Labels, status::Status},
};

/// What is known of an execution without its tree.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExecutionInfo {
    /// Its id.
    pub id: String,
    /// Its flow's name, as it was when it was made.
    pub flow: String,
    /// What it is doing, by its last write.
    pub status: Status,
    /// By what it is found.
    pub labels: Labels,
    /// Larger ones are claimed first; 0 by default.
    pub priority: i32,
    /// When it was made, by the store's clock.
    pub created_at: Timestamp,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// The error of its root; of several, the last.
    pub error: Option<String>,
    /// What it gave, once done. Missing where that is `null`.
    pub output: Option<Json>,
    /// When it is due: of one that somebody holds, when that lease ends.
    pub due: Option<Timestamp>,
    /// Who holds it, or held it last without giving it back.
    pub worker: Option<String>,
    /// The flow that it did not fit, if one refused it and nobody has taken it since.
    pub refused: Option<Refused>,
}

impl ExecutionInfo {
    /// One that has just been made; a store fills in the rest.
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

/// Why a flow could not go on from an execution's saved tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The fingerprint of the flow as it was compiled.
    pub fingerprint: u64,
    /// What does not fit, with an answer for each step.
    pub why: String,
}

/// Everything kept of an execution.
#[derive(Clone, Debug)]
pub struct StoredExecution {
    /// What is known without the tree.
    pub info: ExecutionInfo,
    /// The flow's input.
    pub input: Json,
    /// The tree's rows, in any order. None where it has not begun.
    pub nodes: Vec<NodeRow>,
}

/// Which executions: those that meet all that is set. By default, all of them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExecutionQuery {
    /// Of this id.
    pub id: Option<String>,
    /// Of the flow that was saved under one of these names; of any if there is none.
    pub flows: Vec<String>,
    /// In one of these statuses; in any if there is none.
    pub status: Vec<Status>,
    /// With all of these labels.
    pub labels: Labels,
    /// Made at this time or later, and before that.
    pub created: Option<Range<Timestamp>>,
    /// Ended at this time or later, and before that.
    pub ended: Option<Range<Timestamp>>,
    /// Whether refused by a flow that it did not fit.
    pub refused: Option<bool>,
    /// At most how many; 0 is no bound.
    pub limit: usize,
    /// Those that a list has after the execution of this id, whether the query finds that one or
    /// not: the next page. None if there is no such execution (any more).
    pub after: Option<String>,
}
