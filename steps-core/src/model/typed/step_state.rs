//! One step, or the items of a `for` and the rounds of a `loop`, in a typed state.

use std::{borrow::Cow, fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Place, View};
use crate::{
    base::json::Json,
    model::{
        state::{State, path},
        status::Status,
    },
};

/// One step in a typed state.
pub struct StepState<T> {
    at: Place,
    output: PhantomData<fn() -> T>,
}

impl<T> Clone for StepState<T> {
    fn clone(&self) -> Self {
        Self {
            at: self.at.clone(),
            output: PhantomData,
        }
    }
}

impl<T> View for StepState<T> {
    fn view(at: Place) -> Self {
        Self {
            at,
            output: PhantomData,
        }
    }
}

impl<T> StepState<T> {
    /// The node in the tree; `None` if nothing of it is saved yet.
    pub fn state(&self) -> Option<&State> {
        self.at.find()
    }

    /// What it is doing.
    pub fn status(&self) -> Status {
        self.state().map_or(Status::Pending, |state| state.status)
    }

    /// When its first attempt began.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.state()?.started_at
    }

    /// When it ended.
    pub fn done_at(&self) -> Option<Timestamp> {
        self.state()?.done_at
    }

    /// How many attempts have begun.
    pub fn attempts(&self) -> u32 {
        self.state().map_or(0, |state| state.attempts)
    }

    /// The error of its last attempt, if that failed.
    pub fn error(&self) -> Option<&str> {
        self.state()?.errors.last().map(String::as_str)
    }

    /// The working data that the step kept; `None` if that is nothing, or no `U`.
    pub fn info<U: DeserializeOwned>(&self) -> Option<U> {
        self.state()?.info.as_ref()?.decode().ok()
    }

    /// Its path in the tree.
    pub fn path(&self) -> String {
        path::join(&self.at.path)
    }
}

impl<T: DeserializeOwned> StepState<T> {
    /// What it gave; `None` if it is not done. A step that a foreign state calls done, without an
    /// output, gives its working data, where that is a `T`.
    ///
    /// # Errors
    ///
    /// Where the saved output is no `T`.
    pub fn output(&self) -> Result<Option<T>, serde_json::Error> {
        let Some(state) = self.state().filter(|state| state.status == Status::Done) else {
            return Ok(None);
        };
        let text = state.output.as_ref().or(state.info.as_ref());
        match serde_json::from_str(text.map_or("null", Json::get)) {
            Err(_) if state.output.is_none() => serde_json::from_str("null").map(Some),
            parsed => parsed.map(Some),
        }
    }
}

impl<T> fmt::Debug for StepState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path(), self.status())
    }
}

/// The items of a `for`, or the rounds of a `loop`, in a typed state.
#[derive(Clone, Debug)]
pub struct ItemStates<V> {
    at: Place,
    view: PhantomData<fn() -> V>,
}

impl<V> View for ItemStates<V> {
    fn view(at: Place) -> Self {
        Self {
            at,
            view: PhantomData,
        }
    }
}

impl<V: View> ItemStates<V> {
    /// The one with this key; rounds are numbered from 1.
    pub fn get(&self, key: impl fmt::Display) -> V {
        V::view(self.at.below(Cow::Owned(key.to_string())))
    }

    /// All of them, with their keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, V)> {
        let states = self.at.find().map_or(&[][..], |state| &state.states);
        states
            .iter()
            .map(|state| (&*state.name, V::view(self.at.below(state.name.clone()))))
    }
}
