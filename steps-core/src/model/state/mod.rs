//! The saved tree of one execution, untyped: what tools read and what a resume starts from.
//!
//! The macros generate a typed view over it; the interpreter turns it into its own records and
//! back. Writing JSON is in `write` (and `go_form`) and reading it in `read`, finding nodes in `query`, the form
//! that a store with a row for each node has in `rows`, clearing
//! what failed in `recover`, an operator's decisions in `operate`, comparing two states in `diff`, and drawing the tree in `draw`.

#[cfg(test)]
mod arbitrary;
mod diff;
mod draw;
mod error;
mod fields;
mod go_form;
mod kind;
mod limits;
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

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::status::Status;
use crate::base::json::Json;
pub use diff::Change;
pub use draw::Tree;
pub use error::{LimitKind, StateError};
pub use go_form::SeedForm;
pub use limits::Limits;
pub use query::Walk;
pub use rows::Row;

/// The labels of an execution: names and values, such as `project` and `atlas`.
pub type Labels = BTreeMap<String, String>;

/// One node of the saved tree, with all that is below it. The root stands for the execution.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct State {
    /// The step's name; of an item of a `for`, its key; of a round of a `loop`, its number from 1.
    pub name: Cow<'static, str>,
    /// What sort of node it is.
    pub kind: Kind,
    /// What it is doing.
    pub status: Status,
    /// The step's own working data, kept between attempts.
    pub info: Option<Json>,
    /// The errors of the last attempt; empty where there are none.
    pub errors: Vec<String>,
    /// When its first attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended, well or not.
    pub done_at: Option<Timestamp>,
    /// What it waits for, while it is [`Status::Waiting`].
    pub until: Option<Until>,
    /// How many attempts have begun.
    pub attempts: u32,
    /// What it was given: of a flow its input, of a `for` the array of its items, of an `if let`
    /// the value that was looked at, of a signal what was sent.
    pub input: Option<Json>,
    /// The recorded decision: of an `if`, whether the condition held; of a round, whether it was
    /// the last.
    pub decision: Option<bool>,
    /// What it gave, once done. Missing where that is `null`.
    pub output: Option<Json>,
    /// What `#[observe]` saw before it began.
    pub before: Option<Json>,
    /// What `#[observe]` saw after it was done.
    pub after: Option<Json>,
    /// How far it has come, as it said itself.
    pub progress: Option<Progress>,
    /// Its rollback, once begun.
    pub undo: Option<Undo>,
    /// Of the root: the execution's id.
    pub id: Option<Arc<str>>,
    /// Of the root: the execution's labels, by which it is found.
    pub labels: Labels,
    /// Fields that this version does not know, kept as they were read.
    pub extra: Vec<(String, Json)>,
    /// Its number in the store it was read from, where that has a row for each node: no part of the
    /// JSON, nor of what makes two states equal.
    pub row: Row,
    /// The nodes below, in order.
    pub states: Vec<State>,
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
