//! How a line's slot becomes its value.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Body, Line};

/// How the slots of a line's scope become its value.
pub(super) fn fold(line: &Line) -> TokenStream {
    match (&line.body, line.optional) {
        (Body::For { .. }, false) => quote!(__p::Each),
        (Body::For { .. }, true) => quote!(__p::MaybeEach),
        (Body::If { .. }, _) | (_, true) => quote!(__p::Maybe),
        _ => quote!(__p::Group),
    }
}

/// The method that gives the value of a line's slot.
pub(super) fn getter(line: &Line) -> TokenStream {
    match (&line.body, line.optional) {
        (
            Body::Flow(_)
            | Body::Loop { .. }
            | Body::If {
                otherwise: Some(_), ..
            },
            true,
        ) => quote!(get_maybe),
        _ => quote!(get),
    }
}

/// The method that takes the value out of a line's slot.
pub(super) fn taker(line: &Line) -> TokenStream {
    match (&line.body, line.optional) {
        (
            Body::Flow(_)
            | Body::Loop { .. }
            | Body::If {
                otherwise: Some(_), ..
            },
            true,
        ) => quote!(into_maybe),
        _ => quote!(into_inner),
    }
}
