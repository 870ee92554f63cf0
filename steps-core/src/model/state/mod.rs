//! The saved tree of one execution, untyped: tools read it, and a resume starts from it.
//!
//! The macros generate a typed view of it. The interpreter converts it to its own records and back.
//!
//! | file | job |
//! |---|---|
//! | `node`, `kind` | the fields of one node |
//! | `old_form` | the translation of what earlier versions wrote |
//! | `read`, `visit`, `fields`, `value`, `time`, `limits`, `error` | reading JSON, within limits |
//! | `write`, `go_form`, `schema` | writing JSON, also for the Go library; the JSON schema |
//! | `rows` | the tree as rows, one for each node, for stores |
//! | `path`, `query` | finding nodes |
//! | `recover`, `reset`, `operate` | changes from outside: clearing what failed, or all from a step on; signals; an operator's decisions |
//! | `generation` | what tells the doings of one step apart |
//! | `diff`, `draw` | comparing two states, and drawing one for people |

#[cfg(test)]
pub(crate) mod arbitrary;
pub(crate) mod children;
mod diff;
pub(crate) mod draw;
mod error;
mod errors;
mod fields;
mod generation;
mod go_form;
mod kind;
mod limits;
mod node;
pub(crate) mod old_form;
mod operate;
pub mod path;
mod query;
mod read;
mod recover;
mod reset;
pub(crate) mod rows;
#[cfg(feature = "schemars")]
mod schema;
mod task;
mod time;
mod value;
mod visit;
mod write;

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use jiff::Timestamp;

pub use diff::Change;
pub use draw::Tree;
pub use error::{LimitKind, StateError};
pub use go_form::GoForm;
pub use kind::StepKind;
pub use limits::Limits;
pub use node::NodeData;
pub use query::Walk;
pub use rows::{NodeRow, Row};

/// The labels of an execution: names with values, such as `project` with `atlas`.
pub type Labels = BTreeMap<String, String>;

/// One node of the saved tree, with everything below it. The root stands for the execution.
///
/// The node's own fields are in [`NodeData`], to which this type derefs: `state.status`,
/// `state.errors`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// The node itself.
    pub node: NodeData,
    /// The node's number in the store from which it was read, if the store has a row for each node.
    /// It is not part of the JSON, and comparing two states ignores it.
    pub row: Row,
    /// The children, in order.
    pub states: Vec<State>,
}

impl Deref for State {
    type Target = NodeData;

    fn deref(&self) -> &NodeData {
        &self.node
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut NodeData {
        &mut self.node
    }
}

/// Creates a node without children.
impl From<NodeData> for State {
    fn from(node: NodeData) -> Self {
        Self {
            node,
            ..Self::default()
        }
    }
}

/// Keeps the node alone, and drops its children.
impl From<State> for NodeData {
    fn from(state: State) -> Self {
        state.node
    }
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A step; also the default for a foreign document, which has no kinds.
    #[default]
    Step,
    /// A group whose lines run in order.
    Group,
    /// A group whose lines run concurrently.
    Parallel,
    /// An `if`.
    If,
    /// A `for`.
    For,
    /// One item of a `for`.
    Item,
    /// A `loop`.
    Loop,
    /// One round of a `loop`.
    Round,
    /// A flow: the root, or a nested one.
    Flow,
    /// A group whose lines run concurrently, until one is done.
    Race,
    /// A `match`, of whose lines, its arms, one runs.
    Match,
}

/// What a waiting node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// A time.
    Time(Timestamp),
    /// A signal, sent to this node by its path.
    Signal,
    /// The end of a child execution, whose id is the node's input.
    Child,
    /// A report on the node's external [task](NodeData::task).
    Report,
}

/// How far a step has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of units done.
    pub done: u64,
    /// The total number of units; 0 if it is not known.
    pub total: u64,
}

/// The rollback of one step.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Undo {
    /// The error of the last attempt; empty if there is none.
    pub err: String,
    /// When the first attempt began.
    pub started_at: Option<Timestamp>,
    /// When the undo ended, successfully or not.
    pub done_at: Option<Timestamp>,
    /// How many attempts have begun. An attempt that was cut off by the end of its process, and the
    /// attempt that repeats it, count as one, because the first is not among the failures that
    /// `retry` allows.
    pub attempts: u32,
    /// How many attempts in a row ended with the death of their process.
    pub deaths: u32,
    /// When the next attempt is due.
    pub until: Option<Timestamp>,
    /// What an operator decided after the undo failed.
    pub resolved: Option<Resolved>,
}

/// Why a node failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureCause {
    /// By its own error. This is recorded only if the error's text is one that older versions of
    /// this crate used to mark the other two causes.
    Own,
    /// It was given up because a sibling failed.
    SiblingFailed,
    /// It was given up because the execution must be undone.
    UndoRequested,
    /// The node is optional, but what it did could not be undone: its failure was not passed over,
    /// and the flow failed.
    NotPassedOver,
    /// It had not ended by its deadline.
    Deadline,
    /// It was given up because the deadline of a line around it had passed.
    OutOfTime,
    /// The child execution that it joins did not get to its end.
    Child,
    /// It was given up because another line of the same `race` was done first.
    LostRace,
}

impl FailureCause {
    /// All causes, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::Own,
        Self::SiblingFailed,
        Self::UndoRequested,
        Self::NotPassedOver,
        Self::Deadline,
        Self::OutOfTime,
        Self::Child,
        Self::LostRace,
    ];

    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::SiblingFailed => "siblingFailed",
            Self::UndoRequested => "undoRequested",
            Self::NotPassedOver => "notPassedOver",
            Self::Deadline => "deadline",
            Self::OutOfTime => "outOfTime",
            Self::Child => "child",
            Self::LostRace => "lostRace",
        }
    }

    /// Returns the cause with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// The handler that must still be called at the end of a flow whose result is already recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The output is recorded, and `#[on_done]` must be called.
    OnDone,
    /// The flow has failed, and `#[on_failed]` must be called after the rollback.
    OnFailed,
    /// The execution is stopped, and `#[on_stopped]` must be called.
    OnStopped,
}

impl Ending {
    /// All endings, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::OnDone, Self::OnFailed, Self::OnStopped];

    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDone => "onDone",
            Self::OnFailed => "onFailed",
            Self::OnStopped => "onStopped",
        }
    }

    /// Returns the ending with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.as_str() == name)
    }
}

/// What an operator decided about an undo that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resolved {
    /// The step's effect stays.
    Skipped,
    /// The step was undone by hand.
    Undone,
}

impl Resolved {
    /// Returns the name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Undone => "undone",
        }
    }
}
