//! References to steps, checked by the compiler. Those to signals are in `signal_ref`.

use std::{fmt, marker::PhantomData, ops::Deref};

use super::ref_path::{Keyed, RefPath};
use crate::model::state::State;

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
    path: RefPath,
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
    pub const fn new(above: &'static RefPath, own: &'static [&'static str]) -> Self {
        Self {
            path: RefPath::new(above, own),
            output: PhantomData,
        }
    }

    /// Returns the step's path. Inside a `for` or a `loop`, a `*` stands for the key;
    /// [`at`](Self::at) replaces it.
    pub fn path(&self) -> String {
        self.path.text()
    }

    /// Returns a reference to the step in the item with this key, or in the round with this number.
    /// A further call of `at` fills in the key of the next inner `for` or `loop`.
    pub fn at(&self, key: impl fmt::Display) -> ItemRef<T> {
        ItemRef {
            path: self.path.keyed(),
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
#[derive(Clone)]
pub struct ItemRef<T> {
    path: Keyed,
    output: PhantomData<fn() -> T>,
}

impl<T> ItemRef<T> {
    /// The step with these names in the tree.
    pub(crate) fn of_names(names: Vec<String>) -> Self {
        Self::of_names_in(&RefPath::root(), names)
    }

    /// The step with these names below a line.
    pub(crate) fn of_names_in(above: &RefPath, names: Vec<String>) -> Self {
        Self {
            path: above.with(names),
            output: PhantomData,
        }
    }

    /// Fills in the next key.
    #[must_use]
    pub fn at(mut self, key: impl fmt::Display) -> Self {
        self.path.fill(Some(key.to_string()));
        self
    }

    /// Returns the step's path.
    pub fn path(&self) -> String {
        self.path.text()
    }
}

impl<T> fmt::Debug for ItemRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// A reference to a nested flow, with references to its steps: of `backup = flow enable_backup(…);`
/// in `set_up`, `set_up::STEPS.backup` is a reference to the line, and `set_up::STEPS.backup.quota`
/// one to a step of the nested flow.
///
/// ```
/// use steps::prelude::*;
///
/// #[flow]
/// async fn approve(what: String) -> Result<bool, String> {
///     steps! { decision = steps::signal::<bool>(); }
///     Ok(decision)
/// }
///
/// #[flow]
/// async fn release(parts: Vec<String>) -> Result<(), String> {
///     steps! {
///         whole = flow approve("all".to_owned());
///         parts = for part in parts by part {
///             checked = flow approve(part.clone());
///         }
///     }
///     Ok(())
/// }
///
/// assert_eq!(release::STEPS.whole.path(), "whole");
/// assert_eq!(release::STEPS.whole.decision.path(), "whole.decision");
/// assert_eq!(release::STEPS.parts.checked.decision.at("a").path(), "parts.a.checked.decision");
/// ```
pub struct FlowRef<T, S> {
    __line: StepRef<T>,
    __steps: S,
}

impl<T, S> FlowRef<T, S> {
    /// Used by the code that the macro generates.
    #[doc(hidden)]
    pub const fn new(line: StepRef<T>, steps: S) -> Self {
        Self {
            __line: line,
            __steps: steps,
        }
    }

    /// Returns the path of the line: see [`StepRef::path`].
    pub fn path(&self) -> String {
        self.__line.path()
    }

    /// Returns a reference to the line in one item or round: see [`StepRef::at`].
    pub fn at(&self, key: impl fmt::Display) -> ItemRef<T> {
        self.__line.at(key)
    }

    /// Returns the line's node in a saved tree: see [`StepRef::of`].
    pub fn of<'s>(&self, state: &'s State) -> Option<&'s State> {
        self.__line.of(state)
    }
}

impl<T, S> Deref for FlowRef<T, S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.__steps
    }
}

impl<T, S: Clone> Clone for FlowRef<T, S> {
    fn clone(&self) -> Self {
        Self {
            __line: self.__line,
            __steps: self.__steps.clone(),
        }
    }
}

impl<T, S: Copy> Copy for FlowRef<T, S> {}

impl<T, S> fmt::Debug for FlowRef<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.__line.fmt(f)
    }
}

/// A reference to a step with an output of type `T`: a [`StepRef`], a [`SignalRef`](super::SignalRef),
/// a [`FlowRef`], or one of these with its key.
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

impl<T, S> AsStepRef<T> for FlowRef<T, S> {
    fn path(&self) -> String {
        Self::path(self)
    }
}
