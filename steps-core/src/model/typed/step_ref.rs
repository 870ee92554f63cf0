//! References to steps, checked by the compiler.

use std::{fmt, marker::PhantomData};

use crate::model::state::{State, path};

/// A reference to a step of a flow, checked by the compiler: `attach_volume::STEPS.create.vm` is a
/// `StepRef<VmId>`.
///
/// ```
/// use steps::prelude::*;
///
/// #[step(name = "create VM")]
/// async fn create_vm(name: &str) -> Result<u32, String> {
///     Ok(1)
/// }
///
/// #[flow]
/// async fn set_up(names: Vec<String>) -> Result<(), String> {
///     steps! {
///         hosts = for name in names by name { create_vm(name); }
///     }
///     Ok(())
/// }
///
/// assert_eq!(set_up::STEPS.hosts.create_vm.path(), "hosts.*.create VM");
/// assert_eq!(set_up::STEPS.hosts.create_vm.at("a").path(), "hosts.a.create VM");
/// ```
pub struct StepRef<T> {
    path: &'static [&'static str],
    output: PhantomData<fn() -> T>,
}

impl<T> Clone for StepRef<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StepRef<T> {}

impl<T> StepRef<T> {
    /// Used by the code that the macro generates.
    #[doc(hidden)]
    pub const fn new(path: &'static [&'static str]) -> Self {
        Self {
            path,
            output: PhantomData,
        }
    }

    /// Returns the step's path. Inside a `for` or a `loop`, a `*` stands for the key;
    /// [`at`](Self::at) replaces it.
    pub fn path(&self) -> String {
        path::join(self.path)
    }

    /// Returns a reference to the step in the item with this key, or in the round with this number.
    /// A further call of `at` fills in the key of the next inner `for` or `loop`.
    pub fn at(&self, key: impl fmt::Display) -> ItemRef<T> {
        ItemRef {
            path: self.path.iter().map(|name| (*name).to_owned()).collect(),
            output: PhantomData,
        }
        .at(key)
    }

    /// Returns the step's node in a saved tree, if it has one yet. For a step inside a `for` or a
    /// `loop`, use [`at`](Self::at) first.
    pub fn of<'s>(&self, state: &'s State) -> Option<&'s State> {
        state.get(&self.path())
    }
}

impl<T> fmt::Debug for StepRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl<T> fmt::Display for StepRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// A [`StepRef`] inside a `for` or a `loop`, with its key.
pub struct ItemRef<T> {
    path: Vec<String>,
    output: PhantomData<fn() -> T>,
}

impl<T> ItemRef<T> {
    /// Fills in the next key.
    #[must_use]
    pub fn at(mut self, key: impl fmt::Display) -> Self {
        if let Some(place) = self.path.iter_mut().find(|name| *name == "*") {
            *place = key.to_string();
        }
        self
    }

    /// Returns the step's path.
    pub fn path(&self) -> String {
        path::join(&self.path)
    }
}

impl<T> fmt::Debug for ItemRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// A reference to a step with an output of type `T`: a [`StepRef`] or an [`ItemRef`].
pub trait AsStepRef<T> {
    /// Returns the step's path.
    fn path(&self) -> String;
}

impl<T> AsStepRef<T> for StepRef<T> {
    fn path(&self) -> String {
        Self::path(self)
    }
}

impl<T> AsStepRef<T> for ItemRef<T> {
    fn path(&self) -> String {
        Self::path(self)
    }
}
