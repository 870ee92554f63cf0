//! The cells of lines that have a scope of their own: they keep its slots between passes and its
//! value once it is finished.

use std::sync::{Mutex, OnceLock};

use crate::scope::{Enter, Home, Saved, Slab, Slots, lock};

type Open<S> = Mutex<Option<Slab<S>>>;

fn take<S: Slots>(open: &Open<S>, fresh: bool) -> Slab<S> {
    let kept = lock(open).take();
    match kept {
        Some(slab) if !fresh => slab,
        _ => Slab::One(S::default()),
    }
}

fn one<S: Slots>(slab: Slab<S>) -> Option<S::Value> {
    match slab {
        Slab::One(slots) => slots.close(),
        Slab::Each(_) => None,
    }
}

/// How a finished scope's slots become the value of its line.
pub trait Fold<S>: Send + Sync + 'static {
    /// The value.
    type Value: Send + Sync + 'static;
    /// Turns full slots into the value.
    fn fold(slab: Slab<S>) -> Option<Self::Value>;
    /// The value of a line that led nowhere.
    fn nothing() -> Option<Self::Value> {
        None
    }
}

/// A group: its struct.
#[derive(Debug)]
pub struct Group;
/// An `if` without `else`, or an optional group: perhaps its struct.
#[derive(Debug)]
pub struct Maybe;
/// A `for`: a struct for each item.
#[derive(Debug)]
pub struct Each;
/// An optional `for`.
#[derive(Debug)]
pub struct MaybeEach;

impl<S: Slots> Fold<S> for Group {
    type Value = S::Value;
    fn fold(slab: Slab<S>) -> Option<S::Value> {
        one(slab)
    }
}
impl<S: Slots> Fold<S> for Maybe {
    type Value = Option<S::Value>;
    fn fold(slab: Slab<S>) -> Option<Self::Value> {
        one(slab).map(Some)
    }
    fn nothing() -> Option<Self::Value> {
        Some(None)
    }
}
impl<S: Slots> Fold<S> for Each {
    type Value = Vec<S::Value>;
    fn fold(slab: Slab<S>) -> Option<Self::Value> {
        match slab {
            Slab::Each(all) => all.into_iter().map(S::close).collect(),
            Slab::One(_) => None,
        }
    }
}
impl<S: Slots> Fold<S> for MaybeEach {
    type Value = Option<Vec<S::Value>>;
    fn fold(slab: Slab<S>) -> Option<Self::Value> {
        Each::fold(slab).map(Some)
    }
    fn nothing() -> Option<Self::Value> {
        Some(None)
    }
}

/// The cell of a line with one scope, or one for each item.
#[allow(missing_debug_implementations)]
pub struct Cell<S: Slots, K: Fold<S> = Group> {
    open: Open<S>,
    value: OnceLock<K::Value>,
}

impl<S: Slots, K: Fold<S>> Default for Cell<S, K> {
    fn default() -> Self {
        Self {
            open: Mutex::new(None),
            value: OnceLock::new(),
        }
    }
}

impl<S: Slots, K: Fold<S>> Cell<S, K> {
    /// Takes the slots.
    pub fn take(&self, fresh: bool) -> Slab<S> {
        take(&self.open, fresh)
    }

    /// Takes the slots of this many items.
    pub fn take_each(&self, count: usize, fresh: bool) -> Slab<S> {
        match lock(&self.open).take() {
            Some(Slab::Each(all)) if !fresh && all.len() == count => Slab::Each(all),
            _ => {
                let mut all = Vec::new();
                all.resize_with(count, S::default);
                Slab::Each(all)
            }
        }
    }

    /// The value, once the line is finished.
    pub fn get(&self) -> Option<&K::Value> {
        self.value.get()
    }

    /// Takes the value out.
    pub fn into_inner(self) -> Option<K::Value> {
        self.value.into_inner()
    }

    /// Records that the line led nowhere.
    pub fn load(&self, saved: Saved<'_>) {
        if let (Saved::Nothing, Some(nothing)) = (saved, K::nothing()) {
            let _ = self.value.set(nothing);
        }
    }
}

impl<S: Slots, K: Fold<S>> Home<S> for &Cell<S, K> {
    fn keep(&mut self, slab: Slab<S>) {
        *lock(&self.open) = Some(slab);
    }
    fn close(&mut self, slab: Slab<S>, _: bool) {
        if let Some(value) = K::fold(slab) {
            let _ = self.value.set(value);
        }
    }
}

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
    /// It did not; this is the struct of the group after `else`.
    Else(B),
}

impl<A, B> Branch<A, B> {
    /// The first group's struct, if the condition held.
    pub const fn then(&self) -> Option<&A> {
        match self {
            Self::Then(value) => Some(value),
            Self::Else(_) => None,
        }
    }

    /// The other group's struct, if it did not.
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
    then: Open<A>,
    otherwise: Open<B>,
    value: OnceLock<Option<Branch<A::Value, B::Value>>>,
}

impl<A: Slots, B: Slots> Default for BranchCell<A, B> {
    fn default() -> Self {
        Self {
            then: Mutex::new(None),
            otherwise: Mutex::new(None),
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
    /// The first group's slots and their home.
    pub fn take_then(&self, fresh: bool) -> (Slab<A>, Then<'_, A, B>) {
        (take(&self.then, fresh), Then(self))
    }
    /// The other group's.
    pub fn take_else(&self, fresh: bool) -> (Slab<B>, Else<'_, A, B>) {
        (take(&self.otherwise, fresh), Else(self))
    }
    /// The value, once finished.
    pub fn get(&self) -> Option<&Branch<A::Value, B::Value>> {
        self.value.get().and_then(Option::as_ref)
    }
    /// The value of an optional one, once it has ended.
    pub fn get_maybe(&self) -> Option<&Option<Branch<A::Value, B::Value>>> {
        self.value.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<Branch<A::Value, B::Value>> {
        self.value.into_inner().flatten()
    }
    /// Takes the value of an optional one out.
    pub fn into_maybe(self) -> Option<Option<Branch<A::Value, B::Value>>> {
        self.value.into_inner()
    }
    /// Records that an optional one failed.
    pub fn load(&self, saved: Saved<'_>) {
        if matches!(saved, Saved::Nothing) {
            let _ = self.value.set(None);
        }
    }
}

impl<A: Slots, B: Slots> Home<A> for Then<'_, A, B> {
    fn keep(&mut self, slab: Slab<A>) {
        *lock(&self.0.then) = Some(slab);
    }
    fn close(&mut self, slab: Slab<A>, _: bool) {
        if let Some(value) = one(slab) {
            let _ = self.0.value.set(Some(Branch::Then(value)));
        }
    }
}
impl<A: Slots, B: Slots> Home<B> for Else<'_, A, B> {
    fn keep(&mut self, slab: Slab<B>) {
        *lock(&self.0.otherwise) = Some(slab);
    }
    fn close(&mut self, slab: Slab<B>, _: bool) {
        if let Some(value) = one(slab) {
            let _ = self.0.value.set(Some(Branch::Else(value)));
        }
    }
}

/// The cell of a `loop`.
#[allow(missing_debug_implementations)]
pub struct LoopCell<S: Slots> {
    open: Open<S>,
    prev: Mutex<Option<S::Value>>,
    value: OnceLock<Option<S::Value>>,
}

impl<S: Slots> Default for LoopCell<S> {
    fn default() -> Self {
        Self {
            open: Mutex::new(None),
            prev: Mutex::new(None),
            value: OnceLock::new(),
        }
    }
}

/// The home of one round; it holds the round before.
#[allow(missing_debug_implementations)]
pub struct Round<'a, S: Slots> {
    cell: &'a LoopCell<S>,
    prev: Option<S::Value>,
}

impl<S: Slots> Round<'_, S> {
    /// The round before, if any.
    pub fn prev(&self) -> Option<&S::Value> {
        self.prev.as_ref()
    }
}

impl<S: Slots> LoopCell<S> {
    /// The slots of the round that is running, and their home.
    pub fn take(&self, how: Enter<'_>) -> (Slab<S>, Round<'_, S>) {
        let prev = lock(&self.prev).take().filter(|_| !how.first);
        (take(&self.open, how.fresh), Round { cell: self, prev })
    }
    /// The last round, once finished.
    pub fn get(&self) -> Option<&S::Value> {
        self.value.get().and_then(Option::as_ref)
    }
    /// The value of an optional one, once it has ended.
    pub fn get_maybe(&self) -> Option<&Option<S::Value>> {
        self.value.get()
    }
    /// Takes the value out.
    pub fn into_inner(self) -> Option<S::Value> {
        self.value.into_inner().flatten()
    }
    /// Takes the value of an optional one out.
    pub fn into_maybe(self) -> Option<Option<S::Value>> {
        self.value.into_inner()
    }
    /// Records that an optional one failed.
    pub fn load(&self, saved: Saved<'_>) {
        if matches!(saved, Saved::Nothing) {
            let _ = self.value.set(None);
        }
    }
}

impl<S: Slots> Home<S> for Round<'_, S> {
    fn keep(&mut self, slab: Slab<S>) {
        *lock(&self.cell.open) = Some(slab);
        *lock(&self.cell.prev) = self.prev.take();
    }
    fn close(&mut self, slab: Slab<S>, last: bool) {
        let value = one(slab);
        if last {
            let _ = self.cell.value.set(value);
        } else {
            *lock(&self.cell.prev) = value;
        }
    }
}
