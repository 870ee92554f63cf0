//! References to signals: a type of their own, as only signals can be sent to.

use std::{fmt, marker::PhantomData};

use super::{
    ref_path::{InLoop, Keyed, Loops, NotInLoop, RefPath},
    step_ref::AsStepRef,
};
use crate::model::state::State;

/// A reference to a line `name = steps::signal::<T>();`: what a value is sent to.
///
/// In a `for` or a `loop` it is a `SignalRef<T, InLoop>`, and nothing can be sent to it before it is
/// said which item or round is meant: [`at`](Self::at) names one, [`any`](Self::any) is whichever
/// waits. Of nested ones, the outer one comes first: `.at("host-1").any()`.
///
/// ```
/// use steps::{Signals, prelude::*};
///
/// #[step]
/// async fn count(vote: &str) -> Result<usize, String> {
///     Ok(vote.len())
/// }
///
/// #[flow]
/// async fn petition() -> Result<usize, String> {
///     steps! {
///         title  = steps::signal::<String>();
///         rounds = loop max 100 {
///             vote   = steps::signal::<String>();
///             length = count(&vote);
///         } until length == 0;
///     }
///     let _ = rounds.length;
///     Ok(title.len())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signals = Signals::new();
/// signals.send(petition::STEPS.title, &"more trees".to_owned())?;
/// for vote in ["ann", "bob", ""] {
///     // Each round takes the next one.
///     signals.send(petition::STEPS.rounds.vote.any(), &vote.to_owned())?;
/// }
/// assert_eq!(petition().signals(&signals).await?, 10);
/// # Ok(())
/// # }
/// ```
pub struct SignalRef<T, L = NotInLoop> {
    path: RefPath,
    value: PhantomData<fn() -> (T, L)>,
}

impl<T, L> Clone for SignalRef<T, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, L> Copy for SignalRef<T, L> {}

impl<T, L> SignalRef<T, L> {
    /// Used by the code that the macro generates.
    #[doc(hidden)]
    pub const fn new(above: &'static RefPath, own: &'static [&'static str]) -> Self {
        Self {
            path: RefPath::new(above, own),
            value: PhantomData,
        }
    }

    /// Returns the path. A `*` stands for each key, and for whichever item or round waits.
    pub fn path(&self) -> String {
        self.path.text()
    }

    /// Returns the step's node in a saved tree, if it has one yet.
    pub fn of<'s>(&self, state: &'s State) -> Option<&'s State> {
        state.get(&self.path())
    }

    fn keyed(&self) -> SignalItemRef<T, L> {
        SignalItemRef {
            path: self.path.keyed(),
            value: PhantomData,
        }
    }
}

impl<T, L: Loops> SignalRef<T, InLoop<L>> {
    /// Returns a reference to the signal in the item with this key, or in the round with this
    /// number.
    pub fn at(&self, key: impl fmt::Display) -> SignalItemRef<T, L> {
        self.keyed().at(key)
    }

    /// Returns a reference to the signal in whichever item or round waits, or will: a value that is
    /// sent to it is taken by the first one.
    pub fn any(&self) -> SignalItemRef<T, L> {
        self.keyed().any()
    }
}

impl<T, L> fmt::Debug for SignalRef<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl<T, L> fmt::Display for SignalRef<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// A [`SignalRef`] inside a `for` or a `loop`, with its key or for any key.
pub struct SignalItemRef<T, L = NotInLoop> {
    path: Keyed,
    value: PhantomData<fn() -> (T, L)>,
}

impl<T> SignalItemRef<T> {
    /// The signal with these names in the tree.
    pub(crate) fn of_names(names: Vec<String>) -> Self {
        Self {
            path: RefPath::root().with(names),
            value: PhantomData,
        }
    }
}

impl<T, L> SignalItemRef<T, L> {
    /// Returns the path. A `*` stands for whichever item or round waits.
    pub fn path(&self) -> String {
        self.path.text()
    }

    fn filled<R>(mut self, key: Option<String>) -> SignalItemRef<T, R> {
        self.path.fill(key);
        SignalItemRef {
            path: self.path,
            value: PhantomData,
        }
    }
}

impl<T, L: Loops> SignalItemRef<T, InLoop<L>> {
    /// Fills in the next key.
    pub fn at(self, key: impl fmt::Display) -> SignalItemRef<T, L> {
        self.filled(Some(key.to_string()))
    }

    /// Leaves the next key open: whichever item or round waits.
    pub fn any(self) -> SignalItemRef<T, L> {
        self.filled(None)
    }
}

impl<T, L> Clone for SignalItemRef<T, L> {
    fn clone(&self) -> Self {
        Self {
            path: self.path.clone(),
            value: PhantomData,
        }
    }
}

impl<T, L> fmt::Debug for SignalItemRef<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

impl<T, L> AsStepRef<T> for SignalRef<T, L> {
    fn path(&self) -> String {
        Self::path(self)
    }
}

impl<T, L> AsStepRef<T> for SignalItemRef<T, L> {
    fn path(&self) -> String {
        Self::path(self)
    }
}

/// A reference to a signal that a value of type `T` can be sent to: a [`SignalRef`] or, from inside
/// a `for` or a `loop`, a [`SignalItemRef`].
#[diagnostic::on_unimplemented(
    message = "no signal can be sent to `{Self}`",
    label = "no reference to a signal of this type that can be sent to",
    note = "only a line `name = steps::signal::<T>();` takes signals: its reference is a `SignalRef<T>`",
    note = "in a `for` or a `loop` say which item or round is meant: `.at(key)` names one, `.any()` is whichever waits"
)]
pub trait AsSignalRef<T>: sealed::Sealed {
    /// Returns the path. A `*` stands for whichever item or round waits.
    fn path(&self) -> String;
}

impl<T> AsSignalRef<T> for SignalRef<T> {
    fn path(&self) -> String {
        Self::path(self)
    }
}

impl<T> AsSignalRef<T> for SignalItemRef<T> {
    fn path(&self) -> String {
        Self::path(self)
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T> Sealed for super::SignalRef<T> {}
    impl<T> Sealed for super::SignalItemRef<T> {}
}
