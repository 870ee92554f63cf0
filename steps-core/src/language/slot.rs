//! Slots: where the value of a step's line is kept, and how a saved output is loaded.

use std::sync::OnceLock;

use super::codec::Codec;
use super::outcome::Outcome;
use super::scope::{LoadError, Saved};

/// The place that keeps the value of a step's line.
pub trait Slot<T> {
    /// Stores the value.
    fn put(&self, value: T);
    /// Returns the value, if there is one.
    fn value(&self) -> Option<&T>;
}

impl<T> Slot<T> for OnceLock<T> {
    fn put(&self, value: T) {
        // A second value can only come from loading the same record again.
        let _ = self.set(value);
    }
    fn value(&self) -> Option<&T> {
        self.get()
    }
}

/// The slot of a step whose failure is passed over.
#[allow(missing_debug_implementations)]
pub struct EndSlot<T, O: Outcome<T>>(OnceLock<O::Value>);

impl<T, O: Outcome<T>> Default for EndSlot<T, O> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T, O: Outcome<T>> Slot<T> for EndSlot<T, O> {
    fn put(&self, value: T) {
        let _ = self.0.set(O::done(value));
    }
    fn value(&self) -> Option<&T> {
        self.0.get().and_then(O::given)
    }
}

impl<T, O: Outcome<T>> EndSlot<T, O> {
    /// Returns the value, once the line has ended.
    pub fn get(&self) -> Option<&O::Value> {
        self.0.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<O::Value> {
        self.0.into_inner()
    }
}

/// Loads a saved output into a plain slot.
pub fn load<T>(slot: &OnceLock<T>, codec: Codec<T>, saved: Saved<'_>) -> Result<(), LoadError> {
    slot.put((codec.decode)(saved.text())?);
    Ok(())
}

/// Loads a saved output, or a failure, into the slot of a line whose failure is passed over.
pub fn load_end<T, O: Outcome<T>>(
    slot: &EndSlot<T, O>,
    codec: Codec<T>,
    saved: Saved<'_>,
) -> Result<(), LoadError> {
    match O::missed(saved) {
        Some(missed) => drop(slot.0.set(missed)),
        None => slot.put((codec.decode)(saved.text())?),
    }
    Ok(())
}
