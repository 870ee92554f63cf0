//! Finding executions, and the data that a store keeps of them.

use std::{fmt, ops::Range, str::FromStr};

use jiff::Timestamp;

use super::{NodeRow, counts::StepCounts};
use crate::{
    base::json::Json,
    model::{attrs::Attrs, state::Labels, status::Status, trigger::Trigger},
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
    /// The attributes, which the service keeps beside the labels.
    pub attrs: Attrs,
    /// What started it.
    pub trigger: Trigger,
    /// How it is going, in the service's own words.
    pub status_message: Option<String>,
    /// The priority. Executions with a larger one are claimed first; 0 by default.
    pub priority: i32,
    /// When it was created, by the store's clock.
    pub created_at: Timestamp,
    /// What distinguishes it from others that were created at the same time: the store's own
    /// business, such as a row's number.
    pub key: i64,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub done_at: Option<Timestamp>,
    /// When it was last changed: when it was created, its root was written, a turn gave it back, its
    /// attributes or its status message were set, or the newest of its steps began or ended. Only a
    /// list that [counts](ExecutionQuery::brief) looks at the steps.
    pub updated_at: Timestamp,
    /// How many of its steps are in which status. They are counted for a list, unless that is
    /// [brief](ExecutionQuery::brief), and nowhere else.
    pub steps: StepCounts,
    /// The error of the root; if there are several, the last one.
    pub error: Option<String>,
    /// The output, once done. Missing if the output is `null`.
    pub output: Option<Json>,
    /// When it is due. If a worker holds it, this is when the lease ends: what the wall clock will
    /// show then, if nobody sets it.
    pub due: Option<Timestamp>,
    /// The worker that holds it, or that held it last without giving it back.
    pub worker: Option<String>,
    /// The flow that it does not fit, if one has refused it and no worker has taken it since.
    pub refused: Option<Refused>,
    /// How many messages writes have [taken](super::Write::taken) out of its inbox so far.
    pub messages_taken: u64,
    /// The number of the newest [form](super::Form) of its flow that has worked on it; `None` if it is
    /// older than forms are.
    pub form: Option<i64>,
}

impl ExecutionInfo {
    /// Returns the data of an execution that was just created; a store fills in the rest.
    pub fn new(id: impl Into<String>, flow: impl Into<String>, created_at: Timestamp) -> Self {
        Self {
            id: id.into(),
            flow: flow.into(),
            status: Status::Pending,
            labels: Labels::new(),
            attrs: Attrs::new(),
            trigger: Trigger::Manual,
            status_message: None,
            priority: 0,
            created_at,
            key: 0,
            started_at: None,
            done_at: None,
            updated_at: created_at,
            steps: StepCounts::default(),
            error: None,
            output: None,
            due: None,
            worker: None,
            refused: None,
            messages_taken: 0,
            form: None,
        }
    }

    /// Its place in a list: see [`ExecutionQuery::after`].
    pub fn cursor(&self) -> Cursor {
        Cursor {
            created_at: self.created_at,
            key: self.key,
        }
    }
}

/// A place in a list of executions, after which the next page begins. It stays one when the
/// execution that stood there is gone, and can be handed out as text.
///
/// ```
/// use steps::store::Cursor;
///
/// let cursor: Cursor = "1767225600000000000_42".parse()?;
/// assert_eq!(cursor.created_at.to_string(), "2026-01-01T00:00:00Z");
/// assert_eq!(cursor.to_string(), "1767225600000000000_42");
/// # Ok::<_, steps::store::InvalidCursor>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Cursor {
    /// When the execution there was created.
    pub created_at: Timestamp,
    /// Its [key](ExecutionInfo::key).
    pub key: i64,
}

impl From<ExecutionInfo> for Cursor {
    fn from(info: ExecutionInfo) -> Self {
        info.cursor()
    }
}

impl From<&ExecutionInfo> for Cursor {
    fn from(info: &ExecutionInfo) -> Self {
        info.cursor()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.created_at.as_nanosecond(), self.key)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parts = text.split_once('_');
        let (created_at, key) = parts.ok_or(InvalidCursor)?;
        let created_at = created_at.parse().map_err(|_| InvalidCursor)?;
        Ok(Self {
            created_at: Timestamp::from_nanosecond(created_at).map_err(|_| InvalidCursor)?,
            key: key.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

/// The text is none of a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no place in a list: that is the text of an execution's `cursor`")]
pub struct InvalidCursor;

/// Who could not continue from an execution's saved tree, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// All who have refused it since somebody last worked on it, in this order. There is at least one.
    pub by: Vec<Refuser>,
    /// What does not fit the last of them, with a result for each step.
    pub why: String,
}

/// A flow in one build of a program, which refuses executions that do not fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refuser {
    /// The fingerprint of the compiled flow.
    pub fingerprint: u64,
    /// What tells this build of the program from another one with the same fingerprint.
    pub build: u64,
}

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
    /// The maximum number of executions: 0 means none, and `None` no limit.
    pub limit: Option<usize>,
    /// The next page: the executions that come after this place in a list, whether or not the query
    /// matches the execution there, and whether or not it still exists.
    pub after: Option<Cursor>,
    /// Whether a list leaves out [how many steps](ExecutionInfo::steps) are in which status, and when
    /// the newest of them began or ended. Counting reads a row of each step.
    pub brief: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_text_is_no_cursor() {
        let far = format!("{}0_1", Timestamp::MAX.as_nanosecond());
        for text in [
            "",
            "_",
            "1",
            "1_",
            "_1",
            "1_2_3",
            "1_x",
            " 1_2",
            "1_9223372036854775808",
            &far,
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_its_text(
            nanos in Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond(),
            key: i64,
        ) {
            let created_at = Timestamp::from_nanosecond(nanos).unwrap();
            let cursor = Cursor { created_at, key };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
    }
}
