//! Slots: where the value of a step's line is kept, and how a saved output is loaded.

use std::sync::OnceLock;

use super::codec::Codec;
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
    /// Returns the value, once the line has ended.
    pub fn get(&self) -> Option<&Option<T>> {
        self.0.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<Option<T>> {
        self.0.into_inner()
    }
}

/// Loads a saved output into a plain slot.
pub fn load<T>(slot: &OnceLock<T>, codec: Codec<T>, saved: Saved<'_>) -> Result<(), LoadError> {
    slot.put((codec.decode)(saved.text())?);
    Ok(())
}

/// Loads a saved output into an optional slot.
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
