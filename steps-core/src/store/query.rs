//! Finding executions, and all that a store keeps of one.

use std::ops::Range;

use jiff::Timestamp;

use super::{
    Message, NodeRow, condition::Condition, cursor::Cursor, info::ExecutionInfo, sort::Sort,
};
use crate::{
    base::json::Json,
    model::{state::Labels, status::Status},
};

/// A form of a flow: what the store knows of a flow that a program has served, or started executions of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The flow's name.
    pub flow: String,
    /// The fingerprint of the compiled flow, by which the form is known.
    pub fingerprint: u64,
    /// Its lines, as JSON that only the engine reads.
    pub lines: Json,
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
    /// The messages in its inbox, with their numbers, the oldest first.
    pub messages: Vec<(i64, Message)>,
}

/// Which executions to find: those that meet every condition that is set. By default, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// That meet all of these. Conditions of the fields above are answered by an index where there is
    /// one, these by looking at each execution that meets the others.
    pub conditions: Vec<Condition>,
    /// What the list is sorted by, first by the first. Empty is the newest first.
    pub sort: Vec<Sort>,
    /// Started by the execution with this id.
    pub parent: Option<String>,
    /// Whether only those are found that no execution which is still there has started.
    pub without_parent: bool,
    /// The maximum number of executions: 0 means none, and `None` no limit.
    pub limit: Option<usize>,
    /// The next page: the executions that come after this place in a list, whether or not the query
    /// matches the execution there, and whether or not it still exists.
    pub after: Option<Cursor>,
    /// Whether a list leaves out [how many steps](ExecutionInfo::steps) are in which status, and when
    /// the newest of them began or ended. Counting reads a row of each step.
    pub brief: bool,
}
