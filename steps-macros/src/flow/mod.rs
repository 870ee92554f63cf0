//! `#[flow]` and `steps!`: parse → model → check → expand.

mod block;
mod check;
mod expand;
mod function;
mod model;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diag::Errors;

/// Expands `#[flow]`.
pub(crate) fn flow(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(mut flow) = function::read(attr, item.clone(), &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    check::check(&mut flow, &mut errors);
    let broken = !errors.is_empty();
    let output = expand::expand(&flow, broken);
    let errors = errors.into_tokens();
    quote!(#output #errors)
}

/// A `steps!` that no `#[flow]` has read.
pub(crate) fn outside(_: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    errors.at(
        proc_macro2::Span::call_site(),
        "`steps!` stands at the beginning of a function marked `#[flow]`, and nowhere else",
    );
    errors.into_tokens()
}
