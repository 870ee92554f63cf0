//! The type of a line's value, as an editor reads it.

use proc_macro2::TokenStream;

/// The type of a value, as it is written in two places.
#[derive(Clone, Default)]
pub(super) struct Value {
    /// Where the lines are, in whose scope are no names of ours.
    pub(super) outside: TokenStream,
    /// Among the structs of the groups' values.
    pub(super) inside: TokenStream,
}

impl Value {
    /// Returns a type that is written the same in both places.
    pub(super) fn plain(ty: TokenStream) -> Self {
        let inside = ty.clone();
        Self {
            outside: ty,
            inside,
        }
    }

    /// Returns a type that is made of this one.
    pub(super) fn map(&self, of: impl Fn(&TokenStream) -> TokenStream) -> Self {
        Self {
            outside: of(&self.outside),
            inside: of(&self.inside),
        }
    }
}
