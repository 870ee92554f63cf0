//! The handlers of flows: `#[on_done]`, `#[on_failed]` and `#[on_stopped]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::handler::{assemble, block, by_reference, last, output_span, read, take_apart};
use crate::{
    errors::Errors,
    item::{
        call::{arg_names, call},
        function::Param,
    },
    reader::Reader,
};

/// Expands `#[on_done]`.
pub(crate) fn on_done(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let role = Role {
        name: "on_done",
        found: quote!(__p::OnDone),
        last: "a `&` to the flow's output",
        referred: "the flow's output",
        last_type: quote!(&'a <Self as __p::Flow>::Output),
    };
    of_flow(reader, attr, item, &role)
}

/// Expands `#[on_failed]`.
pub(crate) fn on_failed(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    of_flow(
        reader,
        attr,
        item,
        &of_failure("on_failed", quote!(__p::OnFailed)),
    )
}

/// Expands `#[on_stopped]`.
pub(crate) fn on_stopped(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    of_flow(
        reader,
        attr,
        item,
        &of_failure("on_stopped", quote!(__p::OnStopped)),
    )
}

/// What tells the handlers of a flow apart.
struct Role {
    /// The name of the attribute, and of its trait's method.
    name: &'static str,
    /// The trait.
    found: TokenStream,
    /// The last parameter, in words.
    last: &'static str,
    /// What the last parameter refers to, in words.
    referred: &'static str,
    /// The type of the last parameter.
    last_type: TokenStream,
}

/// A handler that is given a failure.
fn of_failure(name: &'static str, found: TokenStream) -> Role {
    Role {
        name,
        found,
        last: "`&Failure`",
        referred: "the flow's `Failure`",
        last_type: quote!(&'a __p::Failure),
    }
}

/// Expands a handler of a flow.
fn of_flow(reader: Reader, attr: TokenStream, item: TokenStream, role: &Role) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(&attr, &item, role.name, "flow", &mut errors);
    let glue = handler.as_ref().and_then(|handler| {
        let (own, own_last) = last(handler, &handler.params, role.last, &mut errors)?;
        by_reference(own_last, role.referred, &mut errors);
        let args = arg_names(&handler.params);
        let parts = args.split_at(own.len());
        let apart = take_apart(handler, parts, &quote!(__last,));
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &handler.options, &args, &all);
        let span = Span::mixed_site().located_at(handler.target.span());
        let of_flow = quote_spanned!(span=> __Of: __p::Flow);
        let ended = quote_spanned!(output_span(handler)=> __p::HandlerReturn::ended);
        let (handler_trait, last_type) = (&role.found, &role.last_type);
        let method = Ident::new(role.name, Span::mixed_site());
        Some(block(
            handler,
            quote! {
                use __p::NoParams as _;
                impl #handler_trait for __Of where #of_flow {
                    fn #method<'a>(
                        __lent: <Self as __p::Flow>::Lent<'a>,
                        __input: &'a <Self as __p::Flow>::Input,
                        __last: #last_type,
                    ) -> __p::BoxFuture<'a, __p::Result<(), __p::StepError>> {
                        let __args = __Of::__params(__lent, __input);
                        __p::boxed(async move {
                            #apart
                            #ended(#call, __p::Option::None)
                        })
                    }
                }
            },
        ))
    });
    assemble((reader, &attr), handler.as_ref(), item, glue, errors)
}
