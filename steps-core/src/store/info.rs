//! The data that a store keeps of an execution, without its tree.

use jiff::Timestamp;

use super::{NodeRow, Notes, condition::Value, counts::StepCounts, cursor::Cursor};
use crate::{
    base::{json::Json, telemetry::TraceContext},
    model::{
        act::Act,
        attrs::Attrs,
        state::{Kind, Labels},
        status::Status,
        trigger::Trigger,
    },
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
    /// What operators have done with it, the oldest first.
    pub acts: Vec<Act>,
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
    /// list that [counts](super::ExecutionQuery::brief) looks at the steps.
    pub updated_at: Timestamp,
    /// How many of its steps are in which status. They are counted for a list, unless that is
    /// [brief](super::ExecutionQuery::brief), and nowhere else.
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
    /// The id of the execution that has started it by a `start` line, if one has. That one may be
    /// gone.
    pub parent: Option<String>,
    /// The key that no other execution of its flow has until this one has ended: see
    /// [`NewExecution::singleton`](super::NewExecution::singleton).
    pub singleton: Option<String>,
    /// The [trace context](crate::telemetry::TraceContext) of whoever has started it, if that was part of a
    /// trace.
    pub trace: Option<TraceContext>,
    /// Why not all of this could be decoded, if a [codec](super::codec) could not. Then its error, its
    /// output, its attributes, its status message and the reasons of its acts may be as the store has them:
    /// [encoded](super::codec::is_encoded).
    pub unreadable: Option<String>,
    /// Its values in what the list is sorted by that it came with.
    pub(crate) sorted_by: Vec<Option<Value>>,
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
            acts: Vec::new(),
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
            parent: None,
            singleton: None,
            trace: None,
            unreadable: None,
            sorted_by: Vec::new(),
        }
    }

    /// What is noted of it.
    pub fn notes(&self) -> Notes {
        Notes {
            attrs: self.attrs.clone(),
            trigger: self.trigger.clone(),
            status_message: self.status_message.clone(),
            acts: self.acts.clone(),
        }
    }

    /// Sets what is noted of it. For stores.
    pub fn set_notes(&mut self, notes: Notes) {
        let Notes {
            attrs,
            trigger,
            status_message,
            acts,
        } = notes;
        self.attrs = attrs;
        self.trigger = trigger;
        self.status_message = status_message;
        self.acts = acts;
    }

    /// Its place in the list that it came with: see [`ExecutionQuery::after`](super::ExecutionQuery::after).
    pub fn cursor(&self) -> Cursor {
        Cursor {
            created_at: self.created_at,
            key: self.key,
            by: self.sorted_by.clone(),
        }
    }
}

impl ExecutionInfo {
    /// Counts these nodes: those that are steps, by their status; and the newest time at which one began
    /// or ended is that of the last update, if it is later. A time before 1677 or after 2262 is none. For a store that keeps its nodes in memory.
    pub fn count<'a>(&mut self, nodes: impl IntoIterator<Item = &'a NodeRow>) {
        for row in nodes {
            if row.id == 0 {
                continue;
            }
            if row.node.kind == Kind::Step {
                self.steps.add(row.node.status, 1);
            }
            let times = [row.node.started_at, row.node.done_at];
            let times = times.into_iter().flatten().filter(is_kept);
            self.updated_at = times.fold(self.updated_at, Timestamp::max);
        }
    }
}

/// Whether a time is one that every store can compare: whole nanoseconds since 1970 in 64 bits.
fn is_kept(time: &Timestamp) -> bool {
    i64::try_from(time.as_nanosecond()).is_ok()
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
