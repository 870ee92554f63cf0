//! How names are bound in arguments: `Copy` values by value, all others by shared reference.
//!
//! The choice uses method lookup: an inherent method whose bounds hold comes before a trait's
//! method of the same name.

/// A name that is about to be bound.
#[derive(Debug)]
pub struct Bind<T>(pub T);

impl<T: Copy> Bind<&T> {
    /// Returns the value itself.
    pub fn get(self) -> T {
        *self.0
    }
}

/// [`Bind::get`] for types that are not `Copy`.
pub trait BindRef {
    /// The type of the bound name.
    type Bound;
    /// Returns the reference.
    fn get(self) -> Self::Bound;
}

impl<T> BindRef for Bind<T> {
    type Bound = T;
    fn get(self) -> T {
        self.0
    }
}

/// Creates a [`Bind`] in generated code. This is a method because a method call on a value whose
/// type has an error reports nothing more, whereas a function call would make the compiler guess
/// the type.
pub trait ToBind: Sized {
    /// Wraps the name that is about to be bound.
    fn __bind(self) -> Bind<Self> {
        Bind(self)
    }
}
impl<T> ToBind for T {}

/// The value of a line that is done.
pub trait Done<T> {
    /// Returns the value. The interpreter runs a line only after the lines that it may name.
    ///
    /// # Panics
    ///
    /// Panics if the line is not done, which is a bug in the interpreter. The panic is recorded as
    /// the failure of the step whose arguments need the value.
    fn __done(self, name: &'static str) -> T;
}

impl<T> Done<T> for Option<T> {
    #[track_caller]
    fn __done(self, name: &'static str) -> T {
        match self {
            Some(value) => value,
            None => panic!("`{name}` has no value yet: this is a bug in `steps`, please report it"),
        }
    }
}
