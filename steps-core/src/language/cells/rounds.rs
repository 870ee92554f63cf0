//! The cell of a `loop`, which also holds the value of the previous round.

use std::sync::{Mutex, OnceLock};

use super::{Open, one};
use crate::{
    base::sync::lock,
    language::{
        frame::{Home, Slab, Slots},
        outcome::{Outcome, Required},
        scope::{Enter, Saved},
    },
};

/// The cell of a `loop`.
#[allow(missing_debug_implementations)]
pub struct LoopCell<S: Slots, O: Outcome<S::Value> = Required> {
    open: Open,
    prev: Mutex<Option<S::Value>>,
    value: OnceLock<O::Value>,
}

impl<S: Slots, O: Outcome<S::Value>> Default for LoopCell<S, O> {
    fn default() -> Self {
        Self {
            open: Open::default(),
            prev: Mutex::new(None),
            value: OnceLock::new(),
        }
    }
}

/// The home of one round; it also holds the value of the previous round.
#[allow(missing_debug_implementations)]
pub struct Round<'a, S: Slots, O: Outcome<S::Value> = Required> {
    cell: &'a LoopCell<S, O>,
    prev: Option<S::Value>,
}

impl<S: Slots, O: Outcome<S::Value>> Round<'_, S, O> {
    /// Returns the value of the previous round, if there was one.
    pub fn prev(&self) -> Option<&S::Value> {
        self.prev.as_ref()
    }
}

impl<S: Slots, O: Outcome<S::Value>> LoopCell<S, O> {
    /// Returns the slots of the running round, and their home.
    pub fn take(&self, how: Enter<'_>) -> (Slab<S>, Round<'_, S, O>) {
        let prev = lock(&self.prev).take().filter(|_| !how.first);
        (self.open.one(how.fresh), Round { cell: self, prev })
    }
    /// Returns the value of the last round, once the loop has ended.
    pub fn get(&self) -> Option<&O::Value> {
        self.value.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<O::Value> {
        self.value.into_inner()
    }
    /// Records that the loop's failure was passed over.
    pub fn load(&self, saved: Saved<'_>) {
        if let Some(missed) = O::missed(saved) {
            let _ = self.value.set(missed);
        }
    }
}

impl<S: Slots, O: Outcome<S::Value>> Home<S> for Round<'_, S, O> {
    fn keep(&mut self, slab: Slab<S>) {
        self.cell.open.keep(slab);
        *lock(&self.cell.prev) = self.prev.take();
    }
    fn close(&mut self, slab: Slab<S>, last: bool) {
        let value = one(slab);
        if last {
            if let Some(value) = value {
                let _ = self.cell.value.set(O::done(value));
            }
        } else {
            *lock(&self.cell.prev) = value;
        }
    }
}
