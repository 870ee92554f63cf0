//! The cells of lines with a scope of their own: they keep the scope's slots between passes, and
//! its value once the scope is finished.

pub mod branch;
pub mod flow;
pub mod rounds;

use std::{
    any::Any,
    marker::PhantomData,
    sync::{Mutex, OnceLock},
};

use super::{
    frame::{Home, Slab, Slots},
    outcome::{Outcome, Required},
    scope::Saved,
};
use crate::base::sync::lock;

/// The slots of an unfinished scope, while no pass is in it. Without their type, as they hold the
/// cells of the scopes inside: a type that is nested as deep as the flow would overflow what the
/// compiler looks through.
#[derive(Default)]
struct Open(Mutex<Option<Box<dyn Any + Send>>>);

impl Open {
    /// Takes what was kept; `None` if it is nothing, or if `fresh`.
    fn take<S: Slots>(&self, fresh: bool) -> Option<Slab<S>> {
        let kept = lock(&self.0).take().filter(|_| !fresh)?;
        kept.downcast().ok().map(|slab| *slab)
    }

    fn one<S: Slots>(&self, fresh: bool) -> Slab<S> {
        self.take(fresh).unwrap_or_else(|| Slab::One(S::default()))
    }

    fn keep<S: Slots>(&self, slab: Slab<S>) {
        *lock(&self.0) = Some(Box::new(slab));
    }
}

fn one<S: Slots>(slab: Slab<S>) -> Option<S::Value> {
    match slab {
        Slab::One(slots) => slots.close(),
        Slab::Each(_) => None,
    }
}

/// How a finished scope's slots become the value of its line.
pub trait Fold<S>: Send + Sync + 'static {
    /// The type of the value.
    type Value: Send + Sync + 'static;
    /// Turns full slots into the value.
    fn fold(slab: Slab<S>) -> Option<Self::Value>;
    /// Returns the value of a line that ran no group.
    fn nothing() -> Option<Self::Value> {
        None
    }
}

/// The value of a group: its struct.
#[derive(Debug)]
pub struct Group;

/// The value of an `if` without `else`: an `Option` of its struct.
#[derive(Debug)]
pub struct Maybe;

/// The value of a `for`: a struct for each item.
#[derive(Debug)]
pub struct Each;

impl<S: Slots> Fold<S> for Group {
    type Value = S::Value;
    fn fold(slab: Slab<S>) -> Option<S::Value> {
        one(slab)
    }
}

impl<S: Slots> Fold<S> for Maybe {
    type Value = Option<S::Value>;
    fn fold(slab: Slab<S>) -> Option<Self::Value> {
        one(slab).map(Some)
    }
    fn nothing() -> Option<Self::Value> {
        Some(None)
    }
}

impl<S: Slots> Fold<S> for Each {
    type Value = Vec<S::Value>;
    fn fold(slab: Slab<S>) -> Option<Self::Value> {
        match slab {
            Slab::Each(all) => all.into_iter().map(S::close).collect(),
            Slab::One(_) => None,
        }
    }
}

/// The cell of a line with one scope, or with one for each item.
#[allow(missing_debug_implementations)]
pub struct Cell<S: Slots, K: Fold<S> = Group, O: Outcome<K::Value> = Required> {
    open: Open,
    value: OnceLock<O::Value>,
    slots: PhantomData<fn() -> (S, K)>,
}

impl<S: Slots, K: Fold<S>, O: Outcome<K::Value>> Default for Cell<S, K, O> {
    fn default() -> Self {
        Self {
            open: Open::default(),
            value: OnceLock::new(),
            slots: PhantomData,
        }
    }
}

impl<S: Slots, K: Fold<S>, O: Outcome<K::Value>> Cell<S, K, O> {
    /// Takes the slots.
    pub fn take(&self, fresh: bool) -> Slab<S> {
        self.open.one(fresh)
    }

    /// Takes the slots of `count` items.
    pub fn take_each(&self, count: usize, fresh: bool) -> Slab<S> {
        match self.open.take(fresh) {
            Some(Slab::Each(all)) if all.len() == count => Slab::Each(all),
            _ => {
                let mut all = Vec::new();
                all.resize_with(count, S::default);
                Slab::Each(all)
            }
        }
    }

    /// Returns the value, once the line has ended.
    pub fn get(&self) -> Option<&O::Value> {
        self.value.get()
    }

    /// Takes the value out.
    pub fn into_inner(self) -> Option<O::Value> {
        self.value.into_inner()
    }

    /// Records that the line ran no group, or that its failure was passed over.
    pub fn load(&self, saved: Saved<'_>) {
        let nothing = || K::nothing().map(O::done);
        if let Some(value) = O::missed(saved).or_else(nothing) {
            let _ = self.value.set(value);
        }
    }
}

impl<S: Slots, K: Fold<S>, O: Outcome<K::Value>> Home<S> for &Cell<S, K, O> {
    fn keep(&mut self, slab: Slab<S>) {
        self.open.keep(slab);
    }
    fn close(&mut self, slab: Slab<S>, _: bool) {
        if let Some(value) = K::fold(slab) {
            let _ = self.value.set(O::done(value));
        }
    }
}
