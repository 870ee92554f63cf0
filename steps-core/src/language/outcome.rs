//! What a line's failure means for its value: there is none, it is `None`, or it is the failure. The
//! slots and cells of all lines have one of these; whether a failure is passed over at all is
//! decided by the interpreter.

use super::scope::Saved;
use crate::model::failure::StepFailure;

/// How a line that gives a `V`, or fails, becomes the value that later lines see.
pub trait Outcome<V>: Send + Sync + 'static {
    /// The value that later lines see.
    type Value: Send + Sync + 'static;
    /// Returns the value of a line that is done.
    fn done(value: V) -> Self::Value;
    /// Returns the value of a line that failed; `None` if it has none.
    fn missed(saved: Saved<'_>) -> Option<Self::Value>;
    /// Returns what a line that is done has given.
    fn given(value: &Self::Value) -> Option<&V>;
}

/// A line whose failure is that of the lines around it.
#[derive(Debug)]
pub struct Required;

/// An `#[optional]` line.
#[derive(Debug)]
pub struct Optional;

/// A `#[caught]` line.
#[derive(Debug)]
pub struct Caught;

impl<V: Send + Sync + 'static> Outcome<V> for Required {
    type Value = V;
    fn done(value: V) -> V {
        value
    }
    fn missed(_: Saved<'_>) -> Option<V> {
        None
    }
    fn given(value: &V) -> Option<&V> {
        Some(value)
    }
}

impl<V: Send + Sync + 'static> Outcome<V> for Optional {
    type Value = Option<V>;
    fn done(value: V) -> Option<V> {
        Some(value)
    }
    fn missed(saved: Saved<'_>) -> Option<Option<V>> {
        match saved {
            Saved::Nothing | Saved::Failed(_) => Some(None),
            Saved::Output(_) | Saved::Chosen => None,
        }
    }
    fn given(value: &Option<V>) -> Option<&V> {
        value.as_ref()
    }
}

impl<V: Send + Sync + 'static> Outcome<V> for Caught {
    type Value = Result<V, StepFailure>;
    fn done(value: V) -> Self::Value {
        Ok(value)
    }
    fn missed(saved: Saved<'_>) -> Option<Self::Value> {
        match saved {
            Saved::Failed(failure) => Some(Err(failure.clone())),
            Saved::Nothing | Saved::Output(_) | Saved::Chosen => None,
        }
    }
    fn given(value: &Self::Value) -> Option<&V> {
        value.as_ref().ok()
    }
}
