//! Frames: a scope inside a flow, with its slots, which are lent while a pass is inside the scope,
//! and the scope around it.

use super::cx::Cx;
use super::scope::{Enter, Entered, LoadError, Op, OpResult, Saved, Scope};
use crate::base::future::BoxFuture;
use crate::base::{error::StepError, json::Json};

/// A struct of slots that the macro emits for a scope.
pub trait Slots: Default + Send + Sync + 'static {
    /// The value of the finished scope.
    type Value: Send + Sync + 'static;
    /// Loads a saved output into the slot of this line.
    fn load(&self, line: usize, saved: Saved<'_>) -> Result<(), LoadError>;
    /// Turns full slots into the value; returns `None` if a slot is empty.
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

/// Where a scope's slots come from, and where its value goes.
pub trait Home<S>: Send + Sync {
    /// Takes back the slots of an unfinished scope.
    fn keep(&mut self, slab: Slab<S>);
    /// Takes the slots of a finished scope.
    fn close(&mut self, slab: Slab<S>, last: bool);
}

/// The functions of a scope whose frame is an `F`.
#[allow(missing_debug_implementations)]
pub struct Ops<F: ?Sized> {
    /// See [`Scope::call`].
    pub call: for<'b> fn(&'b F, usize, usize, Op<'b>, &'b Cx) -> BoxFuture<'b, OpResult>,
    /// See [`Scope::enter`].
    pub enter: for<'b> fn(&'b F, usize, usize, Enter<'b>, &'b Cx) -> Result<Entered<'b>, StepError>,
    /// See [`Scope::until`].
    pub until: for<'b> fn(&'b F, &'b Cx) -> Result<bool, StepError>,
}

/// A scope inside a flow: the scope around it, its slots, and either the items, the value matched
/// by an `if let`, or the previous round.
#[allow(missing_debug_implementations)]
pub struct Frame<'a, P: ?Sized, T, S, H: Home<S>> {
    /// The scope around this one.
    pub up: &'a P,
    /// The index of the item of the outer scope in which this scope is.
    pub at: usize,
    /// The items, or the matched value.
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
    /// Returns a new frame.
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

    /// Returns the slots of one item.
    pub fn slots(&self, item: usize) -> &S {
        match &self.slots.slab {
            Some(slab) => slab.at(item),
            None => unreachable!("a frame has its slots until it is closed"),
        }
    }

    /// Returns the home of the slots.
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
