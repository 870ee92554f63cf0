//! Where the values live while a flow runs, and how the interpreter reaches the user's code.
//!
//! Every `{ … }` of a flow is a scope: it holds the values of its finished steps and sees those
//! of the scopes around it. The interpreter knows scopes only as `dyn Scope`, so it is compiled
//! once and not for each flow. The macro emits, for each scope, a struct of slots and functions
//! that match on the number of the line.
//!
//! A scope's slots are lent to its [`Frame`](super::frame::Frame) while a pass is inside it. When the pass leaves it
//! unfinished they go back to the cell they came from; when it is finished they become the value
//! that the scope around it sees.

use super::cx::Cx;
use crate::base::future::BoxFuture;
use crate::{
    base::{error::StepError, json::Json},
    model::{failure::Failure, state::Until},
};

/// What the interpreter asks of a step's line.
#[derive(Clone, Copy, Debug)]
pub enum Op<'a> {
    /// Make an attempt and keep its value.
    Run,
    /// Find out whether the effect happened, and keep the value.
    Verify,
    /// Observe.
    Observe,
    /// Undo, with what was observed before.
    Undo(Option<&'a Json>),
}

/// What a step's line answers.
#[derive(Debug)]
pub enum Answer {
    /// The value is in its slot; this is its saved form.
    Done(Option<Json>),
    /// Not yet; of a verify, that the effect did not happen.
    NotYet,
    /// Not before this.
    Wait(Until),
    /// What was observed.
    Seen(Json),
    /// It is undone.
    Undone,
}

/// The result of one call into the user's code.
pub type OpResult = Result<Answer, StepError>;

/// How a scope is entered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enter<'a> {
    /// The recorded input, where there is one.
    pub input: Option<&'a Json>,
    /// The recorded decision, where there is one.
    pub decision: Option<bool>,
    /// Begin with empty slots, whatever an earlier pass left.
    pub fresh: bool,
    /// Of a `loop`: this is the first round, so that there is none before it.
    pub first: bool,
}

/// A scope that was entered.
#[allow(missing_debug_implementations)]
pub struct Entered<'a> {
    /// The scope; none where an `if` leads nowhere.
    pub scope: Option<Box<dyn Scope + 'a>>,
    /// The input, if it was evaluated now and is to be recorded.
    pub input: Option<Json>,
    /// The decision of an `if`.
    pub decision: Option<bool>,
    /// The keys of a `for`, if its items were listed now.
    pub keys: Option<Keys>,
}

/// The keys of a `for`'s items, in order.
#[derive(Debug, Default)]
pub struct Keys {
    text: String,
    ends: Vec<usize>,
}

impl Keys {
    /// Takes the key of the next item.
    pub fn push<K: std::fmt::Display + ?Sized>(&mut self, key: &K) -> std::fmt::Result {
        use std::fmt::Write as _;
        write!(self.text, "{key}")?;
        self.ends.push(self.text.len());
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }
}

/// One scope, as the interpreter sees it. `item` is the item of a `for`, 0 elsewhere; `line` is
/// the line's number in the scope's table.
pub trait Scope: Send + Sync {
    /// Calls a step's line.
    fn call<'b>(
        &'b self,
        item: usize,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult>;

    /// Enters the scope of a line that has one. Evaluates conditions, lists and inputs that are
    /// not recorded yet.
    fn enter<'b>(
        &'b self,
        item: usize,
        line: usize,
        how: Enter<'b>,
        cx: &'b Cx,
    ) -> Result<Entered<'b>, StepError>;

    /// Puts a saved output in its slot.
    fn load(&self, item: usize, line: usize, saved: Saved<'_>) -> Result<(), LoadError>;

    /// Whether this was the last round of the `loop` whose round this scope is.
    fn until(&self, cx: &Cx) -> Result<bool, StepError>;

    /// The scope is finished: its slots become its value.
    fn close(self: Box<Self>, last: bool);

    /// Of a flow: runs the code after its steps. Gives the saved form of the output.
    fn finish<'b>(self: Box<Self>) -> BoxFuture<'b, Result<Option<Json>, StepError>>
    where
        Self: 'b;

    /// Of a flow: the call of its `#[on_done]`, if it has one and is done.
    fn on_done(&self) -> Option<BoxFuture<'_, Result<(), StepError>>> {
        None
    }

    /// Of a flow: the call of its `#[on_failed]`, if it has one.
    fn on_failed<'b>(&'b self, _: &'b Failure) -> Option<BoxFuture<'b, Result<(), StepError>>> {
        None
    }
}

/// Why a saved value could not be put in its slot.
pub type LoadError = serde_json::Error;

/// A saved value, to be put in a slot.
#[derive(Clone, Copy, Debug)]
pub enum Saved<'a> {
    /// This output; none for `null`.
    Output(Option<&'a str>),
    /// An optional line that failed, or an `if` that led nowhere.
    Nothing,
}

impl<'a> Saved<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Output(Some(text)) => text,
            _ => "null",
        }
    }
}
