//! Where the values live while a flow runs, and how the interpreter reaches the user's code.
//!
//! Every `{ … }` of a flow is a scope: it holds the values of its finished steps and sees those
//! of the scopes around it. The interpreter knows scopes only as `dyn Scope`, so it is compiled
//! once and not for each flow. The macro emits, for each scope, a struct of slots and functions
//! that match on the number of the line.
//!
//! A scope's slots are lent to its [`Frame`] while a pass is inside it. When the pass leaves it
//! unfinished they go back to the cell they came from; when it is finished they become the value
//! that the scope around it sees.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use crate::{
    cx::Cx,
    error::StepError,
    failure::Failure,
    json::Json,
    state::Until,
    step::{Attempt, Call, Codec, Handlers, Step},
};

/// A boxed future that may be sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

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
    fn text(self) -> &'a str {
        match self {
            Self::Output(Some(text)) => text,
            _ => "null",
        }
    }
}

/// A struct of slots that the macro emits for a scope.
pub trait Slots: Default + Send + Sync + 'static {
    /// What the scope gives when it is finished.
    type Value: Send + Sync + 'static;
    /// Puts a saved output in the slot of this line.
    fn load(&self, line: usize, saved: Saved<'_>) -> Result<(), LoadError>;
    /// Turns full slots into the value; none if a slot is empty.
    fn close(self) -> Option<Self::Value>;
}

/// The slots of a scope: one set, or one for each item.
#[derive(Debug)]
pub enum Slab<S> {
    /// One set.
    One(S),
    /// One for each item.
    Each(Vec<S>),
}

impl<S> Slab<S> {
    fn at(&self, item: usize) -> &S {
        match self {
            Self::One(slots) => slots,
            Self::Each(all) => &all[item],
        }
    }
}

/// Where a scope's slots come from and where its value goes.
pub trait Home<S>: Send + Sync {
    /// Takes the slots back from an unfinished scope.
    fn keep(&mut self, slab: Slab<S>);
    /// Takes the slots of a finished one.
    fn close(&mut self, slab: Slab<S>, last: bool);
}

/// The functions of a scope of type `F`.
#[allow(missing_debug_implementations)]
pub struct Ops<F: ?Sized> {
    /// See [`Scope::call`].
    pub call: for<'b> fn(&'b F, usize, usize, Op<'b>, &'b Cx) -> BoxFuture<'b, OpResult>,
    /// See [`Scope::enter`].
    pub enter: for<'b> fn(&'b F, usize, usize, Enter<'b>, &'b Cx) -> Result<Entered<'b>, StepError>,
    /// See [`Scope::until`].
    pub until: for<'b> fn(&'b F, &'b Cx) -> Result<bool, StepError>,
}

/// A scope inside a flow: the scope around it, the item (or what an `if let` looked at, or the
/// round before), and its slots.
#[allow(missing_debug_implementations)]
pub struct Frame<'a, P: ?Sized, T, S, H: Home<S>> {
    /// The scope around this one.
    pub up: &'a P,
    /// Which item of that scope this one is in.
    pub at: usize,
    /// The items, or what was looked at.
    pub item: T,
    slots: Guard<S, H>,
    ops: Ops<Self>,
}

struct Guard<S, H: Home<S>> {
    slab: Option<Slab<S>>,
    home: H,
}

impl<S, H: Home<S>> Drop for Guard<S, H> {
    fn drop(&mut self) {
        if let Some(slab) = self.slab.take() {
            self.home.keep(slab);
        }
    }
}

impl<'a, P: ?Sized, T, S, H: Home<S>> Frame<'a, P, T, S, H> {
    /// Puts a frame together.
    pub fn new(up: &'a P, at: usize, item: T, slab: Slab<S>, home: H, ops: Ops<Self>) -> Self {
        Self {
            up,
            at,
            item,
            slots: Guard {
                slab: Some(slab),
                home,
            },
            ops,
        }
    }

    /// The slots of one item.
    pub fn slots(&self, item: usize) -> &S {
        match &self.slots.slab {
            Some(slab) => slab.at(item),
            None => unreachable!("a frame has its slots until it is closed"),
        }
    }

    /// Where the slots came from.
    pub fn home(&self) -> &H {
        &self.slots.home
    }
}

impl<P: ?Sized + Sync, T: Send + Sync, S: Slots, H: Home<S>> Scope for Frame<'_, P, T, S, H> {
    fn call<'b>(
        &'b self,
        item: usize,
        line: usize,
        op: Op<'b>,
        cx: &'b Cx,
    ) -> BoxFuture<'b, OpResult> {
        (self.ops.call)(self, item, line, op, cx)
    }

    fn enter<'b>(
        &'b self,
        item: usize,
        line: usize,
        how: Enter<'b>,
        cx: &'b Cx,
    ) -> Result<Entered<'b>, StepError> {
        (self.ops.enter)(self, item, line, how, cx)
    }

    fn load(&self, item: usize, line: usize, saved: Saved<'_>) -> Result<(), LoadError> {
        self.slots(item).load(line, saved)
    }

    fn until(&self, cx: &Cx) -> Result<bool, StepError> {
        (self.ops.until)(self, cx)
    }

    fn close(mut self: Box<Self>, last: bool) {
        if let Some(slab) = self.slots.slab.take() {
            self.slots.home.close(slab, last);
        }
    }

    fn finish<'b>(self: Box<Self>) -> BoxFuture<'b, Result<Option<Json>, StepError>>
    where
        Self: 'b,
    {
        self.close(true);
        Box::pin(std::future::ready(Ok(None)))
    }
}

/// Locks a mutex whose data is whole at any time, so that a panic elsewhere doesn't matter.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the value of a step's line is kept.
pub trait Slot<T> {
    /// Keeps it.
    fn put(&self, value: T);
    /// The value, if there is one.
    fn value(&self) -> Option<&T>;
}

impl<T> Slot<T> for OnceLock<T> {
    fn put(&self, value: T) {
        // A second value can only come from a second load of the same record.
        let _ = self.set(value);
    }
    fn value(&self) -> Option<&T> {
        self.get()
    }
}

/// The slot of an `#[optional]` step.
#[derive(Debug)]
pub struct MaybeSlot<T>(OnceLock<Option<T>>);

impl<T> Default for MaybeSlot<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Slot<T> for MaybeSlot<T> {
    fn put(&self, value: T) {
        let _ = self.0.set(Some(value));
    }
    fn value(&self) -> Option<&T> {
        self.0.get().and_then(Option::as_ref)
    }
}

impl<T> MaybeSlot<T> {
    /// The value, once the line has ended.
    pub fn get(&self) -> Option<&Option<T>> {
        self.0.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<Option<T>> {
        self.0.into_inner()
    }
}

/// Loads a saved output of a plain slot.
pub fn load<T>(slot: &OnceLock<T>, codec: Codec<T>, saved: Saved<'_>) -> Result<(), LoadError> {
    slot.put((codec.decode)(saved.text())?);
    Ok(())
}

/// Loads a saved output of an optional slot.
pub fn load_maybe<T>(
    slot: &MaybeSlot<T>,
    codec: Codec<T>,
    saved: Saved<'_>,
) -> Result<(), LoadError> {
    match saved {
        Saved::Nothing => drop(slot.0.set(None)),
        saved @ Saved::Output(_) => slot.put((codec.decode)(saved.text())?),
    }
    Ok(())
}

/// Carries out one operation of a step's line.
pub async fn drive<'a, S: Step, L: Slot<S::Output>>(
    op: Op<'a>,
    cx: &'a Cx,
    call: Call<'a, S>,
    slot: &'a L,
    handlers: &'static Handlers<S>,
    when: Option<fn(&S::Error) -> bool>,
) -> OpResult {
    let value = match op {
        Op::Run => match S::run(call.0, cx, when).await? {
            Attempt::Done(value) => value,
            Attempt::NotYet => return Ok(Answer::NotYet),
            Attempt::Wait(until) => return Ok(Answer::Wait(until)),
        },
        Op::Verify => match handlers.verify {
            Some(verify) => match verify.verify(call.0, cx).await? {
                Some(value) => value,
                None => return Ok(Answer::NotYet),
            },
            None => return Ok(Answer::NotYet),
        },
        Op::Observe => {
            return match handlers.observe {
                Some(observe) => observe.observe(call.0, cx).await.map(Answer::Seen),
                None => Ok(Answer::NotYet),
            };
        }
        Op::Undo(before) => {
            return match (handlers.undo, slot.value()) {
                (Some((_, undo)), Some(value)) => undo
                    .undo(call.0, value, before)
                    .await
                    .map(|()| Answer::Undone),
                _ => Ok(Answer::Undone),
            };
        }
    };
    let saved = if S::VOLATILE {
        None
    } else {
        (S::CODEC.encode)(&value)
            .map_err(|e| StepError::fatal(format!("its output can't be saved as JSON: {e}")))?
    };
    slot.put(value);
    Ok(Answer::Done(saved))
}
