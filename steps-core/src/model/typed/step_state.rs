//! The parts of a typed state: one step, the items of a `for`, and the rounds of a `loop`.

use std::{borrow::Cow, fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Place, View};
use crate::{
    base::json::Json,
    model::{
        state::{State, path},
        status::Status,
        task::Task,
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
    /// Returns the step's node in the tree; `None` if it is not saved yet.
    pub fn state(&self) -> Option<&State> {
        self.at.find()
    }

    /// Returns the step's status.
    pub fn status(&self) -> Status {
        self.state().map_or(Status::Pending, |state| state.status)
    }

    /// Returns when the first attempt began.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.state()?.started_at
    }

    /// Returns when the step ended.
    pub fn done_at(&self) -> Option<Timestamp> {
        self.state()?.done_at
    }

    /// Returns how many attempts have begun.
    pub fn attempts(&self) -> u32 {
        self.state().map_or(0, |state| state.attempts)
    }

    /// Returns the error of the last attempt, if it failed.
    pub fn error(&self) -> Option<&str> {
        self.state()?.errors.last().map(String::as_str)
    }

    /// Returns the working data that the step saved; `None` if there is none, or if it is not a
    /// `U`.
    pub fn info<U: DeserializeOwned>(&self) -> Option<U> {
        self.state()?.info.as_ref()?.decode().ok()
    }

    /// Returns the external task of the step, once it has begun.
    pub fn task(&self) -> Option<&Task> {
        self.state()?.task.as_deref()
    }

    /// Returns the step's path in the tree.
    pub fn path(&self) -> String {
        path::join(&self.at.path)
    }
}

impl<T: DeserializeOwned> StepState<T> {
    /// Returns the step's output; `None` if the step is not done. If a foreign state says that the
    /// step is done but has no output for it, the working data is returned if it is a `T`.
    ///
    /// # Errors
    ///
    /// Returns an error if the saved output is not a `T`.
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
    /// Returns the item with this key, or the round with this number, counted from 1.
    pub fn get(&self, key: impl fmt::Display) -> V {
        V::view(self.at.below(Cow::Owned(key.to_string())))
    }

    /// Returns all items or rounds in order, with their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, V)> {
        let states = self.at.find().map_or(&[][..], |state| &state.states);
        states
            .iter()
            .map(|state| (&*state.name, V::view(self.at.below(state.name.clone()))))
    }
}
