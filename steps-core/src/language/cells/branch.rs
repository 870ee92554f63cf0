//! The cell of an `if` with an `else`, and its value.

use std::sync::OnceLock;

use super::{Open, one};
use crate::language::{
    frame::{Home, Slab, Slots},
    outcome::{Outcome, Required},
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
pub struct BranchCell<A: Slots, B: Slots, O: Of<A, B> = Required> {
    open: Open,
    value: OnceLock<O::Value>,
}

/// What a failure means for the value of an `if` with an `else`.
pub trait Of<A: Slots, B: Slots>: Outcome<Branch<A::Value, B::Value>> {}

impl<A: Slots, B: Slots, O: Outcome<Branch<A::Value, B::Value>>> Of<A, B> for O {}

impl<A: Slots, B: Slots, O: Of<A, B>> Default for BranchCell<A, B, O> {
    fn default() -> Self {
        Self {
            open: Open::default(),
            value: OnceLock::new(),
        }
    }
}

/// The home of the first group of an `if`.
#[allow(missing_debug_implementations)]
pub struct Then<'a, A: Slots, B: Slots, O: Of<A, B> = Required>(&'a BranchCell<A, B, O>);

/// The home of the group after `else`.
#[allow(missing_debug_implementations)]
pub struct Else<'a, A: Slots, B: Slots, O: Of<A, B> = Required>(&'a BranchCell<A, B, O>);

impl<A: Slots, B: Slots, O: Of<A, B>> BranchCell<A, B, O> {
    /// Returns the first group's slots and their home.
    pub fn take_then(&self, fresh: bool) -> (Slab<A>, Then<'_, A, B, O>) {
        (self.open.one(fresh), Then(self))
    }
    /// Returns the other group's slots and their home.
    pub fn take_else(&self, fresh: bool) -> (Slab<B>, Else<'_, A, B, O>) {
        (self.open.one(fresh), Else(self))
    }
    /// Returns the value, once the line has ended.
    pub fn get(&self) -> Option<&O::Value> {
        self.value.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<O::Value> {
        self.value.into_inner()
    }
    /// Records that the line's failure was passed over.
    pub fn load(&self, saved: Saved<'_>) {
        if let Some(missed) = O::missed(saved) {
            let _ = self.value.set(missed);
        }
    }
}

impl<A: Slots, B: Slots, O: Of<A, B>> Home<A> for Then<'_, A, B, O> {
    fn keep(&mut self, slab: Slab<A>) {
        self.0.open.keep(slab);
    }
    fn close(&mut self, slab: Slab<A>, _: bool) {
        if let Some(value) = one(slab) {
            let _ = self.0.value.set(O::done(Branch::Then(value)));
        }
    }
}

impl<A: Slots, B: Slots, O: Of<A, B>> Home<B> for Else<'_, A, B, O> {
    fn keep(&mut self, slab: Slab<B>) {
        self.0.open.keep(slab);
    }
    fn close(&mut self, slab: Slab<B>, _: bool) {
        if let Some(value) = one(slab) {
            let _ = self.0.value.set(O::done(Branch::Else(value)));
        }
    }
}
