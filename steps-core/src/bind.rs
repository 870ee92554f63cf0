//! How a name is bound in arguments: `Copy` values by value, all others by shared reference.
//!
//! An inherent method comes before a trait's of the same name, where its bounds hold.

/// A name about to be bound.
#[derive(Debug)]
pub struct Bind<T>(pub T);

impl<T: Copy> Bind<&T> {
    /// The value itself.
    pub fn get(self) -> T {
        *self.0
    }
}

/// [`Bind::get`] for what is not `Copy`.
pub trait BindRef {
    /// What is bound.
    type Bound;
    /// The reference.
    fn get(self) -> Self::Bound;
}

impl<T> BindRef for Bind<T> {
    type Bound = T;
    fn get(self) -> T {
        self.0
    }
}

/// The value of a line that is done. The interpreter runs no line before those it may name.
///
/// # Panics
///
/// Where that is not so, which is a bug in the interpreter; the panic is recorded as the failure
/// of the step whose arguments asked.
#[track_caller]
pub fn done<T>(value: Option<T>, name: &'static str) -> T {
    match value {
        Some(value) => value,
        None => panic!("`{name}` has no value yet: this is a bug in `steps`, please report it"),
    }
}
