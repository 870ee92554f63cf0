//! How generated code calls the user's function: an `async` one is awaited, a blocking one runs on
//! a thread of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ItemFn;

use super::function::Param;
use crate::{attr::options::Options, errors::Errors};

/// Reports a function that is not `async` and not marked as `blocking`, and one that is both.
pub(crate) fn check_async(function: &ItemFn, options: &Options, role: &str, errors: &mut Errors) {
    match (&function.sig.asyncness, options.blocking) {
        (None, None) if function.sig.constness.is_none() => errors.on(
            function.sig.fn_token,
            format!(
                "write `async fn`; or, if it blocks its thread, mark it `#[{role}(blocking)]` and \
                 it runs on a thread of its own"
            ),
        ),
        (Some(_), Some(span)) => errors.at(
            span,
            "`blocking` is for a function that is not `async`: take one of the two away",
        ),
        _ => {}
    }
}

/// Whether the argument is lent for less time than another thread needs it.
fn is_lent(param: &Param) -> bool {
    param.lent().is_some() && !param.is_static()
}

/// Returns the call of the user's function with the arguments `args`, awaited.
pub(crate) fn call(
    function: &ItemFn,
    options: &Options,
    args: &[Ident],
    params: &[&Param],
) -> TokenStream {
    let future = future(function, options, args, params);
    quote!(#future.await)
}

/// Returns the call of the user's function as a future.
pub(crate) fn future(
    function: &ItemFn,
    options: &Options,
    args: &[Ident],
    params: &[&Param],
) -> TokenStream {
    let name = &function.sig.ident;
    if function.sig.asyncness.is_some() {
        return quote!(#name(#(#args),*));
    }
    let owned = args.iter().zip(params).filter(|(_, param)| is_lent(param));
    let owned = owned.map(
        |(arg, param)| quote_spanned!(param.span()=> let #arg = __p::ToOwned::to_owned(#arg);),
    );
    let passed = args.iter().zip(params).map(|(arg, param)| {
        if is_lent(param) {
            quote!(__p::Borrow::borrow(&#arg))
        } else {
            quote!(#arg)
        }
    });
    let run = if options.detached {
        quote!(__p::detached)
    } else {
        quote!(__p::blocking)
    };
    quote!({ #(#owned)* #run(move || #name(#(#passed),*)) })
}

/// Returns names for the arguments that can't collide with the user's. Each has the span of its
/// parameter.
pub(crate) fn arg_names(params: &[Param]) -> Vec<Ident> {
    params
        .iter()
        .enumerate()
        .map(|(index, param)| {
            let span = Span::mixed_site().located_at(param.span());
            format_ident!("__a{index}", span = span)
        })
        .collect()
}
