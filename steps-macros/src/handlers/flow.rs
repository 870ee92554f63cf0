//! The handlers of flows: `#[on_done]` and `#[on_failed]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::handler::{assemble, block, by_reference, last, output_span, read, take_apart};
use crate::{
    errors::Errors,
    item::{
        call::{arg_names, call},
        function::Param,
    },
};

/// Expands `#[on_done]`.
pub(crate) fn on_done(attr: TokenStream, item: TokenStream) -> TokenStream {
    let output = quote!(&'a <Self as __p::Flow>::Output);
    of_flow(attr, item, "on_done", "a `&` to the flow's output", &output)
}

/// Expands `#[on_failed]`.
pub(crate) fn on_failed(attr: TokenStream, item: TokenStream) -> TokenStream {
    let output = quote!(&'a __p::Failure);
    of_flow(attr, item, "on_failed", "`&Failure`", &output)
}

/// Expands a handler of a flow, whose last parameter is of type `last_type`; `what` is that in
/// words.
fn of_flow(
    attr: TokenStream,
    item: TokenStream,
    role: &'static str,
    what: &str,
    last_type: &TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(attr, &item, role, "flow", &mut errors);
    let glue = handler.as_ref().and_then(|handler| {
        let (own, own_last) = last(handler, what, &mut errors)?;
        let referred = if role == "on_done" {
            "the flow's output"
        } else {
            "the flow's `Failure`"
        };
        by_reference(own_last, referred, &mut errors);
        let args = arg_names(&handler.params);
        let (own_args, rest) = args.split_at(own.len());
        let apart = take_apart(handler, own_args);
        let last_arg = &rest[0];
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &handler.options, &args, &all);
        let span = Span::mixed_site().located_at(handler.target.span());
        let of_flow = quote_spanned!(span=> __Of: __p::Flow);
        let ended = quote_spanned!(output_span(handler)=> __p::HandlerReturn::ended);
        let (handler_trait, method) = if role == "on_done" {
            (quote!(__p::OnDone), quote!(on_done))
        } else {
            (quote!(__p::OnFailed), quote!(on_failed))
        };
        Some(block(
            handler,
            quote! {
                use __p::NoParams as _;
                impl #handler_trait for __Of where #of_flow {
                    fn #method<'a>(
                        __lent: <Self as __p::Flow>::Lent<'a>,
                        __input: &'a <Self as __p::Flow>::Input,
                        #last_arg: #last_type,
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
    assemble(item, glue, errors)
}
