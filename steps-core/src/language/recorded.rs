//! The values that a `for` iterates over or an `if let` matches: evaluated once, recorded, and read
//! back.
//!
//! The user writes any iterator, of values or of references; type inference finds the types. The
//! result has the same type whether the expression was evaluated or its record was read back: a
//! list of [`Held`] values. Method lookup tells references from values, because an inherent method
//! comes before a trait's method of the same name.

mod text;
pub mod types;

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::Serialize;

use super::{codec::Saved, scope::Keys};
use crate::base::{
    error::{StepError, caught},
    json::Json,
    read_back::{is_plain, read_back},
};
use crate::model::failure::StepFailure;

/// A type that can be recorded: an item of a `for`, or the value matched by an `if let`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be recorded",
    label = "a resume has to read this back from JSON",
    note = "give owned values (`.cloned()`) or references to them (`&list`), of types that are `Serialize` and `DeserializeOwned`",
    note = "the value of a group is not recorded again, so it is looked at by an expression that gives the same each time: evaluate what may differ in a `let` line above"
)]
pub trait Recorded: Saved {}
#[diagnostic::do_not_recommend]
impl<T: Saved> Recorded for T {}

/// The struct of a flow's group. It consists of recorded outputs, so it is not recorded itself: the
/// expression is evaluated again, with the same result.
pub trait FlowValue {}
impl<T: FlowValue> FlowValue for Option<T> {}
impl<T: FlowValue> FlowValue for Vec<T> {}
impl<T: FlowValue> FlowValue for Result<T, StepFailure> {}
impl<A: FlowValue, B: FlowValue> FlowValue for crate::language::cells::branch::Branch<A, B> {}

/// An expression that is evaluated only if nothing is recorded. `R` is its type, and `I` decides
/// how its value is kept. `K` says whether it gives the same each time, so that it may also be
/// evaluated again.
#[allow(missing_debug_implementations)]
pub struct Source<F, R, I, K = Again>(Option<F>, PhantomData<fn() -> (R, I, K)>);

/// Of an expression that gives the same each time.
#[derive(Debug)]
pub struct Again;

/// Of an expression that may give something else the next time.
#[derive(Debug)]
pub struct Anew;

#[allow(clippy::mismatching_type_param_order)] // both are the same type
impl<F: FnOnce() -> R, R> Source<F, R, R> {
    /// Creates the source of an `if let`.
    pub fn one(expression: F) -> Self {
        Self(Some(expression), PhantomData)
    }
}

impl<F: FnOnce() -> R, R: IntoIterator> Source<F, R, R::Item> {
    /// Creates the source of a `for`.
    pub fn each(expression: F) -> Self {
        Self(Some(expression), PhantomData)
    }
}

impl<F: FnOnce() -> R, R, I> Source<F, R, I> {
    /// Marks an expression that may give something else the next time.
    pub fn anew(self) -> Source<F, R, I, Anew> {
        Source(self.0, PhantomData)
    }
}

impl<F: FnOnce() -> R, R, I, K> Source<F, R, I, K> {
    fn evaluate(&mut self) -> Result<R, StepError> {
        match self.0.take() {
            Some(expression) => Ok(expression()),
            None => Err(StepError::fatal("its expression was evaluated before")),
        }
    }
}

/// The collection of a `for`, as the user wrote it. Names are already bound by reference, so one of
/// the two references of `&names` is removed.
#[derive(Debug)]
pub struct Once<R>(pub R);

impl<'a, C: ?Sized> Once<&&'a C> {
    /// Returns the collection by one reference.
    pub fn get(self) -> &'a C {
        self.0
    }
}

/// [`Once::get`] for all other types.
pub trait OnceAny {
    /// The type of the collection.
    type Value;
    /// Returns the collection unchanged.
    fn get(self) -> Self::Value;
}

impl<R> OnceAny for Once<R> {
    type Value = R;
    fn get(self) -> R {
        self.0
    }
}

/// One value: borrowed, if the expression returned a reference, or owned.
#[derive(Debug)]
pub enum Held<'a, T> {
    /// Borrowed.
    Ref(&'a T),
    /// Owned.
    Own(T),
}

impl<T> Held<'_, T> {
    /// Returns the value.
    pub fn view(&self) -> &T {
        match self {
            Self::Ref(value) => value,
            Self::Own(value) => value,
        }
    }
}

/// An `Option` of a reference, as returned by `first()` and `as_ref()`; or an owned one.
#[derive(Debug)]
pub enum HeldOption<'a, T> {
    /// Borrowed.
    Ref(Option<&'a T>),
    /// Owned.
    Own(Option<T>),
}

impl<T> HeldOption<'_, T> {
    /// Returns the value.
    pub fn view(&self) -> Option<&T> {
        match self {
            Self::Ref(value) => *value,
            Self::Own(value) => value.as_ref(),
        }
    }
}

/// The items of a `for`.
#[derive(Debug)]
pub enum List<'a, T> {
    /// Borrowed.
    Ref(Vec<&'a T>),
    /// Owned.
    Own(Vec<T>),
}

impl<T> List<'_, T> {
    /// Returns one item.
    pub fn at(&self, index: usize) -> &T {
        match self {
            Self::Ref(all) => all[index],
            Self::Own(all) => &all[index],
        }
    }

    /// Returns the number of items.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Self::Ref(all) => all.len(),
            Self::Own(all) => all.len(),
        }
    }

    /// Returns the keys of all items, each written by `key`. Returns an error if two are equal.
    pub fn keys(&self, key: impl Fn(&mut Keys, &T) -> fmt::Result) -> Result<Keys, StepError> {
        let mut keys = Keys::default();
        for index in 0..self.len() {
            key(&mut keys, self.at(index))
                .map_err(|_| StepError::fatal("the key of an item can't be displayed"))?;
        }
        distinct(&keys)?;
        Ok(keys)
    }
}

fn distinct(keys: &Keys) -> Result<(), StepError> {
    // Keys mostly come in order, as numbers or sorted names. Then comparing neighbours is enough.
    let rises = |less: fn(&str, &str) -> bool| {
        (1..keys.len()).all(|index| less(keys.get(index - 1), keys.get(index)))
    };
    if rises(|a, b| (a.len(), a) < (b.len(), b)) || rises(|a, b| a < b) {
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(keys.len());
    for index in 0..keys.len() {
        if !seen.insert(keys.get(index)) {
            let first = (0..index).find(|&i| keys.get(i) == keys.get(index));
            return Err(StepError::fatal(format!(
                "items {} and {index} have the same key `{}`: the expression after `by` must \
                 give each item its own",
                first.unwrap_or_default(),
                keys.get(index),
            )));
        }
    }
    Ok(())
}

/// A recorded value, or a new one with the JSON to record.
pub type Taken<H> = Result<(H, Option<Json>), StepError>;

fn read<T: Saved>(saved: &Json) -> Result<T, StepError> {
    saved
        .decode()
        .map_err(|e| StepError::fatal(format!("its recorded input can't be read: {e}")))
}

/// Writes a value and reads it back; `None` for the read one where `is_same` knows, of its text,
/// that it is the same.
fn record<V: Serialize, T: Saved>(
    value: &V,
    is_same: impl FnOnce(&str) -> bool,
) -> Result<(Option<T>, Option<Json>), StepError> {
    let recorded = caught(|| {
        let json = Json::encode(value)?;
        let read = if is_same(json.get()) {
            None
        } else {
            Some(read_back(value, json.get())?)
        };
        Ok((read, Some(json)))
    });
    recorded.map_err(|e| StepError::fatal(format!("its input can't be saved as JSON: {e}")))
}

// ---- The value of an `if let`.
// Methods by value come before those by reference, and inherent ones before a trait's. The last
// trait method exists for any type, so the compiler reports its bound.

impl<'a, F: FnOnce() -> &'a T, T: FlowValue> Source<F, &'a T, &'a T> {
    /// Returns a group's value, or a part of it.
    pub fn look(mut self, _: Option<&Json>) -> Taken<Held<'a, T>> {
        Ok((Held::Ref(self.evaluate()?), None))
    }
}

impl<'a, F: FnOnce() -> Option<&'a T>, T: FlowValue> Source<F, Option<&'a T>, Option<&'a T>> {
    /// Returns an `Option` of a group's value.
    pub fn look(mut self, _: Option<&Json>) -> Taken<HeldOption<'a, T>> {
        Ok((HeldOption::Ref(self.evaluate()?), None))
    }
}

/// `look` for a reference.
pub trait LookRef<'a, T> {
    /// Returns the matched value.
    fn look(self, saved: Option<&Json>) -> Taken<Held<'a, T>>;
}

impl<'a, F: FnOnce() -> &'a T, T: Recorded, K> LookRef<'a, T> for Source<F, &'a T, &'a T, K> {
    fn look(mut self, saved: Option<&Json>) -> Taken<Held<'a, T>> {
        if let Some(saved) = saved {
            return Ok((Held::Own(read(saved)?), None));
        }
        let value = self.evaluate()?;
        let (read, json) = record(value, is_plain::<T>)?;
        Ok((read.map_or(Held::Ref(value), Held::Own), json))
    }
}

/// `look` for an `Option` of a reference.
pub trait LookOption<'a, T> {
    /// Returns the matched value.
    fn look(self, saved: Option<&Json>) -> Taken<HeldOption<'a, T>>;
}

impl<'a, F: FnOnce() -> Option<&'a T>, T: Recorded, K> LookOption<'a, T>
    for Source<F, Option<&'a T>, Option<&'a T>, K>
{
    fn look(mut self, saved: Option<&Json>) -> Taken<HeldOption<'a, T>> {
        if let Some(saved) = saved {
            return Ok((HeldOption::Own(read(saved)?), None));
        }
        let value = self.evaluate()?;
        // `Some(())` is `null`, too.
        let is_same = |text: &str| is_plain::<T>(text) && (value.is_none() || text != "null");
        let (read, json) = record(&value, is_same)?;
        Ok((read.map_or(HeldOption::Ref(value), HeldOption::Own), json))
    }
}

/// `look` for a value that is not a reference.
pub trait LookOwned<T> {
    /// Returns the matched value.
    fn look(&mut self, saved: Option<&Json>) -> Taken<Held<'static, T>>
    where
        T: Recorded;
}

impl<F: FnOnce() -> T, T, K> LookOwned<T> for Source<F, T, T, K> {
    fn look(&mut self, saved: Option<&Json>) -> Taken<Held<'static, T>>
    where
        T: Recorded,
    {
        if let Some(saved) = saved {
            return Ok((Held::Own(read(saved)?), None));
        }
        let value = self.evaluate()?;
        let (read, json) = record(&value, is_plain::<T>)?;
        Ok((Held::Own(read.unwrap_or(value)), json))
    }
}

// ---- The items of a `for`.

impl<'a, F, R, T: FlowValue> Source<F, R, &'a T>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = &'a T>,
{
    /// Returns items that are values of groups. Only their number is recorded, to keep the state
    /// complete.
    pub fn list(mut self, saved: Option<&Json>) -> Taken<List<'a, T>> {
        let all: Vec<&'a T> = self.evaluate()?.into_iter().collect();
        let Some(saved) = saved else {
            let (_, json) = record::<_, Vec<()>>(&vec![(); all.len()], |_| true)?;
            return Ok((List::Ref(all), json));
        };
        let recorded: Vec<()> = read(saved)?;
        if recorded.len() != all.len() {
            return Err(StepError::fatal(format!(
                "it had {} items when they were recorded, and has {} now",
                recorded.len(),
                all.len()
            )));
        }
        Ok((List::Ref(all), None))
    }
}

/// `list` for references.
pub trait ListRef<'a, T> {
    /// Returns the items.
    fn list(self, saved: Option<&Json>) -> Taken<List<'a, T>>;
}

impl<'a, F, R, T: Recorded, K> ListRef<'a, T> for Source<F, R, &'a T, K>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = &'a T>,
{
    fn list(mut self, saved: Option<&Json>) -> Taken<List<'a, T>> {
        if let Some(saved) = saved {
            return Ok((List::Own(read(saved)?), None));
        }
        let all: Vec<&'a T> = self.evaluate()?.into_iter().collect();
        let (read, json) = record(&all, is_plain::<T>)?;
        Ok((read.map_or(List::Ref(all), List::Own), json))
    }
}

/// `list` for items that are not references.
pub trait ListOwned<T> {
    /// Returns the items.
    fn list(&mut self, saved: Option<&Json>) -> Taken<List<'static, T>>
    where
        T: Recorded;
}

impl<F, R, T, K> ListOwned<T> for Source<F, R, T, K>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = T>,
{
    fn list(&mut self, saved: Option<&Json>) -> Taken<List<'static, T>>
    where
        T: Recorded,
    {
        if let Some(saved) = saved {
            return Ok((List::Own(read(saved)?), None));
        }
        let all: Vec<T> = self.evaluate()?.into_iter().collect();
        let (read, json) = record(&all, is_plain::<T>)?;
        Ok((List::Own(read.unwrap_or(all)), json))
    }
}
