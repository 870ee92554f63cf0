//! What a `for` goes over and what an `if let` looks at: evaluated once, recorded, read back.
//!
//! The user writes any iterator, of values or of references; the types are found by inference.
//! What comes out is the same type whether the expression was evaluated or its record read back:
//! a list of [`Held`] values. An inherent method comes before a trait's of the same name, which
//! tells references from values.

use std::{collections::HashSet, fmt, marker::PhantomData};

use super::{codec::Saved, scope::Keys};
use crate::base::{error::StepError, json::Json};

/// Something that can be recorded: an item of a `for`, or what an `if let` looks at.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be recorded",
    label = "a resume has to read this back from JSON",
    note = "give owned values (`.cloned()`) or references to them (`&list`), of types that are `Serialize` and `DeserializeOwned`"
)]
pub trait Recorded: Saved {}
#[diagnostic::do_not_recommend]
impl<T: Saved> Recorded for T {}

/// A struct that a flow's group gives. It is made of recorded outputs, so it is not recorded
/// again: the expression is evaluated anew, and gives the same.
pub trait FlowValue {}
impl<T: FlowValue> FlowValue for Option<T> {}
impl<T: FlowValue> FlowValue for Vec<T> {}
impl<A: FlowValue, B: FlowValue> FlowValue for crate::language::cells::branch::Branch<A, B> {}

/// An expression that is evaluated only where nothing is recorded. `R` is what it gives and `I`
/// what decides how that is kept.
#[allow(missing_debug_implementations)]
pub struct Source<F, R, I>(Option<F>, PhantomData<fn() -> (R, I)>);

#[allow(clippy::mismatching_type_param_order)] // both are the same type
impl<F: FnOnce() -> R, R> Source<F, R, R> {
    /// What an `if let` looks at.
    pub fn one(expression: F) -> Self {
        Self(Some(expression), PhantomData)
    }
}

impl<F: FnOnce() -> R, R: IntoIterator> Source<F, R, R::Item> {
    /// What a `for` goes over.
    pub fn each(expression: F) -> Self {
        Self(Some(expression), PhantomData)
    }
}

impl<F: FnOnce() -> R, R, I> Source<F, R, I> {
    fn evaluate(&mut self) -> Result<R, StepError> {
        match self.0.take() {
            Some(expression) => Ok(expression()),
            None => Err(StepError::fatal("its expression was evaluated before")),
        }
    }
}

/// What a `for` goes over, as it was written. Names are bound by reference already, so of `&names`
/// one reference is taken away.
#[derive(Debug)]
pub struct Once<R>(pub R);

impl<'a, C: ?Sized> Once<&&'a C> {
    /// The collection by one reference.
    pub fn get(self) -> &'a C {
        self.0
    }
}

/// [`Once::get`] for all else.
pub trait OnceAny {
    /// What it is.
    type Value;
    /// As it is.
    fn get(self) -> Self::Value;
}

impl<R> OnceAny for Once<R> {
    type Value = R;
    fn get(self) -> R {
        self.0
    }
}

/// One value: borrowed as the expression gave it, or owned.
#[derive(Debug)]
pub enum Held<'a, T> {
    /// Borrowed.
    Ref(&'a T),
    /// Owned.
    Own(T),
}

impl<T> Held<'_, T> {
    /// The value.
    pub fn view(&self) -> &T {
        match self {
            Self::Ref(value) => value,
            Self::Own(value) => value,
        }
    }
}

/// An `Option` of a reference, as `first()` and `as_ref()` give it.
#[derive(Debug)]
pub enum HeldOption<'a, T> {
    /// Borrowed.
    Ref(Option<&'a T>),
    /// Owned.
    Own(Option<T>),
}

impl<T> HeldOption<'_, T> {
    /// The value.
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
    /// One item.
    pub fn at(&self, index: usize) -> &T {
        match self {
            Self::Ref(all) => all[index],
            Self::Own(all) => &all[index],
        }
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        match self {
            Self::Ref(all) => all.len(),
            Self::Own(all) => all.len(),
        }
    }

    /// The keys of all items, which `key` gives one by one; an error where two are the same.
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
    // Keys mostly come in order: numbers, or sorted names. Then neighbours tell.
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

/// What was recorded, or what is to be recorded now.
type Taken<H> = Result<(H, Option<Json>), StepError>;

fn read<T: Saved>(saved: &Json) -> Result<T, StepError> {
    saved
        .decode()
        .map_err(|e| StepError::fatal(format!("its recorded input can't be read: {e}")))
}

fn record<T: serde::Serialize>(value: &T) -> Result<Option<Json>, StepError> {
    Json::encode(value)
        .map(Some)
        .map_err(|e| StepError::fatal(format!("its input can't be saved as JSON: {e}")))
}

// ---- what an `if let` looks at. Methods by value come before those by reference, inherent ones
// ---- before a trait's; the last one is there for any type, so that its bound is what is missed.

impl<'a, F: FnOnce() -> &'a T, T: FlowValue> Source<F, &'a T, &'a T> {
    /// A group's value, or a part of it.
    pub fn look(mut self, _: Option<&Json>) -> Taken<Held<'a, T>> {
        Ok((Held::Ref(self.evaluate()?), None))
    }
}

impl<'a, F: FnOnce() -> Option<&'a T>, T: FlowValue> Source<F, Option<&'a T>, Option<&'a T>> {
    /// Perhaps a group's value.
    pub fn look(mut self, _: Option<&Json>) -> Taken<HeldOption<'a, T>> {
        Ok((HeldOption::Ref(self.evaluate()?), None))
    }
}

/// `look` for a reference.
pub trait LookRef<'a, T> {
    /// The value looked at.
    fn look(self, saved: Option<&Json>) -> Taken<Held<'a, T>>;
}

impl<'a, F: FnOnce() -> &'a T, T: Recorded> LookRef<'a, T> for Source<F, &'a T, &'a T> {
    fn look(mut self, saved: Option<&Json>) -> Taken<Held<'a, T>> {
        if let Some(saved) = saved {
            return Ok((Held::Own(read(saved)?), None));
        }
        let value = self.evaluate()?;
        Ok((Held::Ref(value), record(value)?))
    }
}

/// `look` for an `Option` of a reference.
pub trait LookOption<'a, T> {
    /// The value looked at.
    fn look(self, saved: Option<&Json>) -> Taken<HeldOption<'a, T>>;
}

impl<'a, F: FnOnce() -> Option<&'a T>, T: Recorded> LookOption<'a, T>
    for Source<F, Option<&'a T>, Option<&'a T>>
{
    fn look(mut self, saved: Option<&Json>) -> Taken<HeldOption<'a, T>> {
        if let Some(saved) = saved {
            return Ok((HeldOption::Own(read(saved)?), None));
        }
        let value = self.evaluate()?;
        Ok((HeldOption::Ref(value), record(&value)?))
    }
}

/// `look` for a value that is not a reference.
pub trait LookOwned<T> {
    /// The value looked at.
    fn look(&mut self, saved: Option<&Json>) -> Taken<Held<'static, T>>
    where
        T: Recorded;
}

impl<F: FnOnce() -> T, T> LookOwned<T> for Source<F, T, T> {
    fn look(&mut self, saved: Option<&Json>) -> Taken<Held<'static, T>>
    where
        T: Recorded,
    {
        if let Some(saved) = saved {
            return Ok((Held::Own(read(saved)?), None));
        }
        let value = self.evaluate()?;
        let json = record(&value)?;
        Ok((Held::Own(value), json))
    }
}

// ---- the items of a `for`

impl<'a, F, R, T: FlowValue> Source<F, R, &'a T>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = &'a T>,
{
    /// Items that are groups' values. Their number is recorded, for the state to be whole.
    pub fn list(mut self, saved: Option<&Json>) -> Taken<List<'a, T>> {
        let all: Vec<&'a T> = self.evaluate()?.into_iter().collect();
        let Some(saved) = saved else {
            let json = record(&vec![(); all.len()])?;
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
    /// The items.
    fn list(self, saved: Option<&Json>) -> Taken<List<'a, T>>;
}

impl<'a, F, R, T: Recorded> ListRef<'a, T> for Source<F, R, &'a T>
where
    F: FnOnce() -> R,
    R: IntoIterator<Item = &'a T>,
{
    fn list(mut self, saved: Option<&Json>) -> Taken<List<'a, T>> {
        if let Some(saved) = saved {
            return Ok((List::Own(read(saved)?), None));
        }
        let all: Vec<&'a T> = self.evaluate()?.into_iter().collect();
        let json = record(&all)?;
        Ok((List::Ref(all), json))
    }
}

/// `list` for items that are not references.
pub trait ListOwned<T> {
    /// The items.
    fn list(&mut self, saved: Option<&Json>) -> Taken<List<'static, T>>
    where
        T: Recorded;
}

impl<F, R, T> ListOwned<T> for Source<F, R, T>
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
        let json = record(&all)?;
        Ok((List::Own(all), json))
    }
}
