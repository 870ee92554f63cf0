//! The cell of an `if` with an `else`, and its value.

use std::sync::OnceLock;

use super::{Open, one};
use crate::language::{
    frame::{Home, Slab, Slots},
    scope::Saved,
};

/// The value of an `if` with an `else`: the struct of the group that ran.
///
/// ```
/// use steps::prelude::*;
///
/// #[step]
/// async fn double(n: u32) -> Result<u32, String> {
///     Ok(2 * n)
/// }
///
/// #[flow]
/// async fn to_ten(n: u32) -> Result<u32, String> {
///     steps! {
///         done = if n < 10 { more = double(n); } else { same = double(0); }
///     }
///     Ok(match done {
///         steps::Branch::Then(group) => group.more,
///         steps::Branch::Else(group) => group.same,
///     })
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::Failure> {
/// assert_eq!(to_ten(8).await?, 16);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch<A, B> {
    /// The condition held; this is the first group's struct.
    Then(A),
    /// The condition did not hold; this is the struct of the group after `else`.
    Else(B),
}

impl<A, B> Branch<A, B> {
    /// Returns the first group's struct, if the condition held.
    pub const fn then(&self) -> Option<&A> {
        match self {
            Self::Then(value) => Some(value),
            Self::Else(_) => None,
        }
    }

    /// Returns the struct of the group after `else`, if the condition did not hold.
    pub const fn otherwise(&self) -> Option<&B> {
        match self {
            Self::Then(_) => None,
            Self::Else(value) => Some(value),
        }
    }
}

/// The cell of an `if` with an `else`.
#[allow(missing_debug_implementations)]
pub struct BranchCell<A: Slots, B: Slots> {
    then: Open,
    otherwise: Open,
    value: OnceLock<Option<Branch<A::Value, B::Value>>>,
}

impl<A: Slots, B: Slots> Default for BranchCell<A, B> {
    fn default() -> Self {
        Self {
            then: Open::default(),
            otherwise: Open::default(),
            value: OnceLock::new(),
        }
    }
}

/// The home of the first group of an `if`.
#[allow(missing_debug_implementations)]
pub struct Then<'a, A: Slots, B: Slots>(&'a BranchCell<A, B>);

/// The home of the group after `else`.
#[allow(missing_debug_implementations)]
pub struct Else<'a, A: Slots, B: Slots>(&'a BranchCell<A, B>);

impl<A: Slots, B: Slots> BranchCell<A, B> {
    /// Returns the first group's slots and their home.
    pub fn take_then(&self, fresh: bool) -> (Slab<A>, Then<'_, A, B>) {
        (self.then.one(fresh), Then(self))
    }
    /// Returns the other group's slots and their home.
    pub fn take_else(&self, fresh: bool) -> (Slab<B>, Else<'_, A, B>) {
        (self.otherwise.one(fresh), Else(self))
    }
    /// Returns the value, once the line is finished.
    pub fn get(&self) -> Option<&Branch<A::Value, B::Value>> {
        self.value.get().and_then(Option::as_ref)
    }
    /// Returns the value of an optional line, once it has ended.
    pub fn get_maybe(&self) -> Option<&Option<Branch<A::Value, B::Value>>> {
        self.value.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<Branch<A::Value, B::Value>> {
        self.value.into_inner().flatten()
    }
    /// Takes the value out of an optional line.
    pub fn into_maybe(self) -> Option<Option<Branch<A::Value, B::Value>>> {
        self.value.into_inner()
    }
    /// Records that an optional line failed.
    pub fn load(&self, saved: Saved<'_>) {
        if matches!(saved, Saved::Nothing) {
            let _ = self.value.set(None);
        }
    }
}

impl<A: Slots, B: Slots> Home<A> for Then<'_, A, B> {
    fn keep(&mut self, slab: Slab<A>) {
        self.0.then.keep(slab);
    }
    fn close(&mut self, slab: Slab<A>, _: bool) {
        if let Some(value) = one(slab) {
            let _ = self.0.value.set(Some(Branch::Then(value)));
        }
    }
}

impl<A: Slots, B: Slots> Home<B> for Else<'_, A, B> {
    fn keep(&mut self, slab: Slab<B>) {
        self.0.otherwise.keep(slab);
    }
    fn close(&mut self, slab: Slab<B>, _: bool) {
        if let Some(value) = one(slab) {
            let _ = self.0.value.set(Some(Branch::Else(value)));
        }
    }
}
