//! What an editor reads in place of a flow's code names these: each line is plain Rust, with the
//! value that the line has in the flow. None of it runs.

use std::marker::PhantomData;

use super::{
    let_line::LetError,
    recorded::Taken,
    step::{Output, Step},
};

/// The type of a step, as an argument.
#[derive(Debug)]
pub struct Of<S>(PhantomData<fn() -> S>);

/// Returns the type of a step.
pub const fn of<S>() -> Of<S> {
    Of(PhantomData)
}

/// Returns the value of a line that calls a step or a flow.
pub fn called<S: Step, C>(_: C, _: Of<S>) -> Output<S> {
    value()
}

/// Returns the value of a `let` line.
pub fn evaluated<T>(_: impl FnOnce() -> Result<T, LetError>) -> T {
    value()
}

/// Returns a line's value as later lines see it.
pub fn lent<'a, T>(_: T) -> &'a T {
    value()
}

/// Returns what an `if let` looks at, or the items of a `for`.
pub fn got<T>(_: Taken<T>) -> T {
    value()
}

/// Returns the value, which is of this type.
pub fn typed<T>(value: T) -> T {
    value
}

/// Returns the value of a line that is not finished: it may be of any type.
pub fn unfinished<T, V>(_: T) -> V {
    value()
}

/// Returns a value.
pub fn value<T>() -> T {
    unreachable!("this is for editors")
}

/// A flow, with the type of the value of its `GROUP`th group.
pub trait Groups<const GROUP: usize> {
    /// The type of the value.
    type Value;
}
