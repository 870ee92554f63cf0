//! How the slot of a line, which holds its value while the flow runs, becomes that value.

use proc_macro2::TokenStream;
use quote::quote;

use crate::flow::model::{Body, Line};

/// Returns the type that says how the slots of a group become its value.
pub(super) fn fold(line: &Line) -> TokenStream {
    match (&line.body, line.optional) {
        (Body::For { .. }, false) => quote!(__p::Each),
        (Body::For { .. }, true) => quote!(__p::MaybeEach),
        (Body::If { .. }, _) | (_, true) => quote!(__p::Maybe),
        _ => quote!(__p::Group),
    }
}

/// Whether the line's cell has methods of its own for an `#[optional]` line, which distinguish a
/// line that failed from one that has not ended. Other cells make that distinction in their type.
fn tells_failure(line: &Line) -> bool {
    line.optional
        && matches!(
            &line.body,
            Body::Flow(_)
                | Body::Loop { .. }
                | Body::If {
                    otherwise: Some(_),
                    ..
                }
        )
}

/// Returns the name of the method that borrows the value in a line's slot.
pub(super) fn getter(line: &Line) -> TokenStream {
    if tells_failure(line) {
        quote!(get_maybe)
    } else {
        quote!(get)
    }
}

/// Returns the name of the method that takes the value out of a line's slot.
pub(super) fn taker(line: &Line) -> TokenStream {
    if tells_failure(line) {
        quote!(into_maybe)
    } else {
        quote!(into_inner)
    }
}
