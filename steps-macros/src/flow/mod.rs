//! `#[flow]`, `#[plan]` and `steps!`: parse → model → check → expand.

mod check;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use self::model::Health;
use crate::{errors::Errors, reader::Reader};

/// Expands `#[flow]`.
pub(crate) fn flow(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = match parse::read("flow", attr, item, &mut errors) {
        Ok(mut flow) => {
            check::check(&mut flow, &mut errors);
            if flow.health == Health::Whole && !errors.is_empty() {
                flow.health = Health::BadLines;
            }
            expand::expand(&mut flow, reader)
        }
        Err(function) => function,
    };
    let errors = errors.into_tokens();
    quote!(#output #errors)
}

/// Expands `#[plan]`.
pub(crate) fn plan(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let output = match parse::plan::read(attr, item, &mut errors) {
        Ok(mut plan) => {
            check::check_plan(&mut plan, &mut errors);
            if plan.flow.health == Health::Whole && !errors.is_empty() {
                plan.flow.health = Health::BadLines;
            }
            expand::plan::expand(&plan, reader)
        }
        Err(function) => function,
    };
    let errors = errors.into_tokens();
    quote!(#output #errors)
}

/// Expands a `steps!` that stands outside of a `#[flow]`: to an error.
pub(crate) fn outside(_: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    errors.at(
        proc_macro2::Span::call_site(),
        "`steps!` stands at the beginning of a function marked `#[flow]` or `#[plan]`, and nowhere else",
    );
    errors.into_tokens()
}
