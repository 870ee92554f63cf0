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

/// How generated code comes to a [`Bind`]. These are methods, because a method of a value whose
/// type has an error says nothing, where a function would let the compiler guess the type.
pub trait ToBind: Sized {
    /// About to be bound.
    fn __bind(self) -> Bind<Self> {
        Bind(self)
    }
}
impl<T> ToBind for T {}

/// The value of a line that is done.
pub trait Done<T> {
    /// The value. The interpreter runs no line before those it may name.
    ///
    /// # Panics
    ///
    /// Where that is not so, which is a bug in the interpreter; the panic is recorded as the
    /// failure of the step whose arguments asked.
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
