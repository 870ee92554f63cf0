//! How generated code calls the user's function: an `async` one is awaited, a blocking one runs on
//! a thread of its own.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ItemFn, Type};

use super::function::{Param, owned};
use crate::{attr::options::Options, errors::Errors};

/// Reports a function that is not `async` and not marked as `blocking`, and one that is both.
pub(crate) fn check_async(function: &ItemFn, options: &Options, role: &str, errors: &mut Errors) {
    match (&function.sig.asyncness, options.blocking) {
        (None, None) if options.transaction.is_some() => {}
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

/// Returns the type of the connection that a function in a transaction takes as its first parameter, and
/// the other ones. Reports where it takes none.
pub(crate) fn split_connection<'p>(
    function: &ItemFn,
    options: &Options,
    params: &'p [Param],
    errors: &mut Errors,
) -> (Option<Type>, &'p [Param]) {
    if options.transaction.is_none() {
        return (None, params);
    }
    let is_async = function.sig.asyncness.is_some();
    let (found, rest) = match params.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, params),
    };
    let connection = found.and_then(|first| match &first.ty {
        Type::Reference(lent) if lent.mutability.is_some() || !is_async => Some(owned(&lent.elem)),
        _ => None,
    });
    if connection.is_none() {
        let at = found.map_or_else(|| function.sig.paren_token.span.join(), Param::span);
        errors.at(
            at,
            if is_async {
                "the first parameter of a `transaction` is its connection, which no call names: \
                 `tx: &mut PgConnection`"
            } else {
                "the first parameter of a `transaction` is its connection, which no call names: \
                 `tx: &rusqlite::Connection`; with PostgreSQL, write `async fn` and \
                 `tx: &mut PgConnection`"
            },
        );
    }
    match connection {
        Some(connection) => (Some(connection), rest),
        None => (None, params),
    }
}

/// Returns the implementation that calls the function in a transaction, for the type `of`. `names` are those
/// of the arguments after the connection, and `types` their types.
pub(crate) fn transactional(
    of: &TokenStream,
    function: &ItemFn,
    connection: &Type,
    (names, types): (&[Ident], &[Type]),
) -> TokenStream {
    let name = &function.sig.ident;
    let returns = match &function.sig.output {
        syn::ReturnType::Type(_, ty) => quote!(#ty),
        syn::ReturnType::Default => quote!(()),
    };
    let tx = Ident::new("__tx", Span::mixed_site());
    let called = quote!(#name(#tx, #(#names),*));
    let called = if function.sig.asyncness.is_some() {
        called
    } else {
        quote!(__p::ready(#called))
    };
    quote! {
        impl __p::Transactional for #of {
            type Connection = #connection;
            type Given<'a> = (#(#types,)*);
            type Return = #returns;
            fn call<'t, 'a: 't>(
                (#(#names,)*): Self::Given<'a>,
                #tx: &'t mut Self::Connection,
            ) -> __p::BoxFuture<'t, Self::Return> {
                __p::boxed(#called)
            }
        }
    }
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
