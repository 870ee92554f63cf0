//! The cell of a `loop`, which also holds the value of the previous round.

use std::sync::{Mutex, OnceLock};

use super::{Open, one};
use crate::{
    base::sync::lock,
    language::{
        frame::{Home, Slab, Slots},
        scope::{Enter, Saved},
    },
};

/// The cell of a `loop`.
#[allow(missing_debug_implementations)]
pub struct LoopCell<S: Slots> {
    open: Open,
    prev: Mutex<Option<S::Value>>,
    value: OnceLock<Option<S::Value>>,
}

impl<S: Slots> Default for LoopCell<S> {
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
pub struct Round<'a, S: Slots> {
    cell: &'a LoopCell<S>,
    prev: Option<S::Value>,
}

impl<S: Slots> Round<'_, S> {
    /// Returns the value of the previous round, if there was one.
    pub fn prev(&self) -> Option<&S::Value> {
        self.prev.as_ref()
    }
}

impl<S: Slots> LoopCell<S> {
    /// Returns the slots of the running round, and their home.
    pub fn take(&self, how: Enter<'_>) -> (Slab<S>, Round<'_, S>) {
        let prev = lock(&self.prev).take().filter(|_| !how.first);
        (self.open.one(how.fresh), Round { cell: self, prev })
    }
    /// Returns the value of the last round, once the loop is finished.
    pub fn get(&self) -> Option<&S::Value> {
        self.value.get().and_then(Option::as_ref)
    }
    /// Returns the value of an optional loop, once it has ended.
    pub fn get_maybe(&self) -> Option<&Option<S::Value>> {
        self.value.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<S::Value> {
        self.value.into_inner().flatten()
    }
    /// Takes the value out of an optional loop.
    pub fn into_maybe(self) -> Option<Option<S::Value>> {
        self.value.into_inner()
    }
    /// Records that an optional loop failed.
    pub fn load(&self, saved: Saved<'_>) {
        if matches!(saved, Saved::Nothing) {
            let _ = self.value.set(None);
        }
    }
}

impl<S: Slots> Home<S> for Round<'_, S> {
    fn keep(&mut self, slab: Slab<S>) {
        self.cell.open.keep(slab);
        *lock(&self.cell.prev) = self.prev.take();
    }
    fn close(&mut self, slab: Slab<S>, last: bool) {
        let value = one(slab);
        if last {
            let _ = self.cell.value.set(value);
        } else {
            *lock(&self.cell.prev) = value;
        }
    }
}
