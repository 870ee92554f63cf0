//! The saved tree of one execution, untyped: what tools read and what a resume starts from.
//!
//! The macros generate a typed view over it; the interpreter turns it into its own records and back.
//!
//! | file | job |
//! |---|---|
//! | `node`, `kind` | the fields of one node |
//! | `old_form` | what earlier versions wrote otherwise |
//! | `read`, `visit`, `fields`, `value`, `time`, `limits`, `error` | reading JSON, within bounds |
//! | `write`, `go_form`, `schema` | writing JSON, also for the Go library; its schema |
//! | `rows` | a row for each node, as stores keep a tree |
//! | `path`, `query` | finding nodes |
//! | `recover`, `operate` | what is changed from outside: clearing what failed, signals, an operator's decisions |
//! | `diff`, `draw` | comparing two states, and drawing one for people |

#[cfg(test)]
mod arbitrary;
mod diff;
mod draw;
mod error;
mod fields;
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
pub(crate) mod rows;
#[cfg(feature = "schemars")]
mod schema;
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
pub use limits::Limits;
pub use node::NodeData;
pub use query::Walk;
pub use rows::{NodeRow, Row};

/// The labels of an execution: names and values, such as `project` and `atlas`.
pub type Labels = BTreeMap<String, String>;

/// One node of the saved tree, with all that is below it. The root stands for the execution.
///
/// The node's own fields are those of [`NodeData`], which this derefs to: `state.status`,
/// `state.errors`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// The node itself.
    pub node: NodeData,
    /// Its number in the store it was read from, where that has a row for each node: no part of the
    /// JSON, nor of what makes two states equal.
    pub row: Row,
    /// The nodes below, in order.
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

/// A node with none below it.
impl From<NodeData> for State {
    fn from(node: NodeData) -> Self {
        Self {
            node,
            ..Self::default()
        }
    }
}

/// The node alone: what is below it is dropped.
impl From<State> for NodeData {
    fn from(state: State) -> Self {
        state.node
    }
}

/// What sort of node it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A step, and what a foreign document does not say.
    #[default]
    Step,
    /// A group, in order.
    Group,
    /// A group, at once.
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
}

/// What a waiting node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// A time.
    Time(Timestamp),
    /// A signal, given to this node by its path.
    Signal,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 where that is not known.
    pub total: u64,
}

/// The rollback of one step.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Undo {
    /// The error of the last attempt, empty where there is none.
    pub err: String,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended, well or not.
    pub done_at: Option<Timestamp>,
    /// How many attempts have begun. One that a process died in, and that was begun again, counts
    /// once: it is not among the failures that `retry` allows.
    pub attempts: u32,
    /// When the next attempt is due.
    pub until: Option<Timestamp>,
    /// What an operator decided, where the undo had failed.
    pub resolved: Option<Resolved>,
}

/// Why a node failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureCause {
    /// By its own error. This is said only where the error's text is one by which older versions of
    /// this crate marked the other two.
    Own,
    /// It was given up, as a step beside it failed.
    SiblingFailed,
    /// It was given up, as the execution is to be undone.
    UndoRequested,
}

impl FailureCause {
    /// All causes, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Own, Self::SiblingFailed, Self::UndoRequested];

    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::SiblingFailed => "siblingFailed",
            Self::UndoRequested => "undoRequested",
        }
    }

    /// The cause with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// The handler that is still to be called at the end of a flow: how it ended is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// Its output is recorded, and its `#[on_done]` is to be called.
    OnDone,
    /// It has failed, and its `#[on_failed]` is to be called once rollback has ended.
    OnFailed,
}

impl Ending {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 2] = [Self::OnDone, Self::OnFailed];

    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDone => "onDone",
            Self::OnFailed => "onFailed",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.as_str() == name)
    }
}

/// What an operator decided about an undo that had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resolved {
    /// The step's effect stays.
    Skipped,
    /// Somebody has undone it by hand.
    Undone,
}

impl Resolved {
    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Undone => "undone",
        }
    }
}
