//! Scopes: they hold the values while a flow runs, and through them the interpreter calls users'
//! code.
//!
//! Every `{ … }` of a flow is a scope: it holds the values of its finished steps and can read those
//! of the scopes around it. The interpreter knows scopes only as `dyn Scope`, so it is compiled
//! once and not for each flow. For each scope the macro emits a struct of slots, and functions that
//! match on the number of the line.
//!
//! While a pass is inside a scope, its slots are lent to its [`Frame`](super::frame::Frame). If the
//! pass leaves the scope unfinished, the slots return to the cell they came from. When the scope is
//! finished, the slots become the value that the surrounding scope reads.

use std::any::Any;

use super::cx::Cx;
use crate::base::future::BoxFuture;
use crate::{
    base::{error::StepError, json::Json},
    model::{
        failure::{Failure, StepFailure},
        state::Until,
        table::Way,
    },
};

/// An operation that the interpreter requests from a step's line.
#[derive(Clone, Copy, Debug)]
pub enum Op<'a> {
    /// Make an attempt, and keep its value, if it has at most so many bytes of JSON.
    Run(usize),
    /// Find out whether the step had its effect, and keep the value, if it has at most so many bytes
    /// of JSON.
    Verify(usize),
    /// Call `#[observe]`.
    Observe,
    /// Tell whether there is a value.
    Held,
    /// Call the undo.
    Undo(Undo<'a>),
    /// Call `#[stop]`.
    Stop,
    /// Call `#[on_check_in]` with this message.
    CheckIn(&'a Json),
}

/// What an undo is given besides the step's arguments.
#[derive(Clone, Copy, Debug)]
pub struct Undo<'a> {
    /// The value observed before the step.
    pub before: Option<&'a Json>,
    /// An output that could not be kept; `None` for the one in the slot.
    pub unkept: Option<&'a Unkept>,
}

/// An output that can't be recorded: it is too large, or can't be read back. The step's effect is
/// there.
#[derive(Debug)]
pub struct Unkept {
    pub(crate) why: StepError,
    pub(crate) output: Box<dyn Any + Send + Sync>,
}

/// The answer of a step's line.
#[derive(Debug)]
pub enum Answer {
    /// The value is in its slot; this is its saved form.
    Done(Option<Json>),
    /// There is a value, and it can't be recorded.
    Unkept(Unkept),
    /// Not yet. Of a verify: the step did not have its effect.
    NotYet,
    /// Wait, and try again not before this.
    Wait(Until),
    /// What was observed.
    Seen(Json),
    /// The step is undone.
    Undone,
}

/// The result of one call into the user's code.
pub type OpResult = Result<Answer, StepError>;

/// How to enter a scope.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enter<'a> {
    /// The recorded input, if there is one.
    pub input: Option<&'a Json>,
    /// The recorded decision, or the arm that was taken, if there is one.
    pub way: Way,
    /// Whether to begin with empty slots, whatever an earlier pass left.
    pub fresh: bool,
    /// Of a `loop`: whether this is the first round, so there is no previous one.
    pub first: bool,
}

/// A scope that was entered.
#[allow(missing_debug_implementations)]
pub struct Entered<'a> {
    /// The scope; `None` if an `if` runs no group.
    pub scope: Option<Box<dyn Scope + 'a>>,
    /// The input, if it was evaluated now and must be recorded.
    pub input: Option<Json>,
    /// The decision of an `if`, or the arm of a `match`.
    pub way: Way,
    /// The keys of a `for`, if its items were evaluated now.
    pub keys: Option<Keys>,
    /// How many items of a `for` run at once, where that is not the same for each execution and so is
    /// not in the table.
    pub at_once: Option<usize>,
}

/// The keys of a `for`'s items, in order.
#[derive(Debug, Default)]
pub struct Keys {
    text: String,
    ends: Vec<usize>,
}

impl Keys {
    /// Appends the key of the next item.
    pub fn push<K: std::fmt::Display + ?Sized>(&mut self, key: &K) -> std::fmt::Result {
        use std::fmt::Write as _;
        write!(self.text, "{key}")?;
        self.ends.push(self.text.len());
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the length of all keys together, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }
}

/// One scope, as the interpreter sees it. `item` is the index of the item of a `for`, and 0
/// elsewhere; `line` is the line's number in the scope's table.
pub trait Scope: Send + Sync {
    /// Carries out an operation of a step's line.
    fn call<'b>(
        &'b self,
        item: usize,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult>;

    /// Enters the scope of a line that has one. Evaluates the conditions, lists and inputs that are
    /// not recorded yet.
    fn enter<'b>(
        &'b self,
        item: usize,
        line: usize,
        how: Enter<'b>,
        cx: &'b Cx,
    ) -> Result<Entered<'b>, StepError>;

    /// Loads a saved output into its slot.
    fn load(&self, item: usize, line: usize, saved: Saved<'_>) -> Result<(), LoadError>;

    /// Returns whether this round of a `loop` was the last one.
    fn until(&self, _: &Cx) -> Result<bool, StepError> {
        Ok(true)
    }

    /// Ends the finished scope: its slots become its value.
    fn close(self: Box<Self>, _: bool) {}

    /// Of a flow: runs the code after the steps. Returns the saved form of the output.
    fn finish<'b>(self: Box<Self>) -> BoxFuture<'b, Result<Option<Json>, StepError>>
    where
        Self: 'b,
    {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Of a flow: returns the call of its `#[on_done]`, if it has one and the flow is done.
    fn on_done(&self) -> Option<BoxFuture<'_, Result<(), StepError>>> {
        None
    }

    /// Of a flow: returns the call of its `#[on_stopped]`, if it has one.
    fn on_stopped<'b>(&'b self, _: &'b Failure) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        None
    }

    /// Of a flow: returns the call of its `#[on_failed]`, if it has one.
    fn on_failed<'b>(&'b self, _: &'b Failure) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        None
    }
}

/// Why a saved value could not be loaded into its slot.
pub type LoadError = serde_json::Error;

/// A saved value that is to be loaded into a slot.
#[derive(Clone, Copy, Debug)]
pub enum Saved<'a> {
    /// This output; `None` stands for `null`.
    Output(Option<&'a str>),
    /// An `if` that ran no group.
    Nothing,
    /// A line whose failure was passed over.
    Failed(&'a StepFailure),
    /// The line of a `race` that was done first, or the arm that a `match` has taken: its value is that of
    /// the whole.
    Chosen,
}

impl<'a> Saved<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Output(Some(text)) => text,
            _ => "null",
        }
    }
}
