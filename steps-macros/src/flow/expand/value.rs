//! How a line's slot becomes its value.

use proc_macro2::TokenStream;
use quote::quote;

use crate::flow::model::{Body, Line};

/// How the slots of a line's scope become its value.
pub(super) fn fold(line: &Line) -> TokenStream {
    match (&line.body, line.optional) {
        (Body::For { .. }, false) => quote!(__p::Each),
        (Body::For { .. }, true) => quote!(__p::MaybeEach),
        (Body::If { .. }, _) | (_, true) => quote!(__p::Maybe),
        _ => quote!(__p::Group),
    }
}

/// Whether the line's cell can tell a line that failed and was passed over from one that has not
/// ended: a plain slot, or a fold, has that in its type.
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

/// The method that gives the value of a line's slot.
pub(super) fn getter(line: &Line) -> TokenStream {
    if tells_failure(line) {
        quote!(get_maybe)
    } else {
        quote!(get)
    }
}

/// The method that takes the value out of a line's slot.
pub(super) fn taker(line: &Line) -> TokenStream {
    if tells_failure(line) {
        quote!(into_maybe)
    } else {
        quote!(into_inner)
    }
}
