//! The handlers of external steps: `#[stop]` and `#[on_check_in]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use super::{
    handler::{assemble, block, last, output_span, read, take_apart},
    step::of_step,
};
use crate::{
    errors::Errors,
    item::{
        call::{arg_names, call},
        function::Param,
        type_text,
    },
    reader::Reader,
};

/// Expands `#[stop]`.
pub(crate) fn stop(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(&attr, &item, "stop", "step", &mut errors);
    let glue = handler.as_ref().map(|handler| {
        let args = arg_names(&handler.params);
        let apart = take_apart(handler, (&args, &[]), &TokenStream::new());
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &handler.options, &args, &all);
        let (policy, when) = (handler.options.policy(), handler.options.when());
        let of_step = of_step(handler);
        let ended = quote_spanned!(output_span(handler)=> __p::HandlerReturn::ended);
        let at = quote_spanned!(handler.target.span()=> __Of: __p::IsExternal);
        block(
            handler,
            quote! {
                impl __p::Stop for __Of where #of_step, #at {
                    const POLICY: __p::Policy = #policy;
                    fn stop(
                        __args: __p::Args<'_, Self>,
                    ) -> __p::BoxFuture<'_, __p::Result<(), __p::StepError>> {
                        __p::boxed(async move {
                            #apart
                            #ended(#call, #when)
                        })
                    }
                }
            },
        )
    });
    assemble((reader, &attr), handler.as_ref(), item, glue, errors)
}

/// Expands `#[on_check_in]`.
pub(crate) fn on_check_in(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(&attr, &item, "on_check_in", "step", &mut errors);
    let glue = handler.as_ref().and_then(|handler| {
        let (own, told) = last(
            handler,
            &handler.params,
            "a `&` to the message, of the type as which its JSON is read",
            &mut errors,
        )?;
        let Type::Reference(reference) = &told.ty else {
            errors.on(
                &told.ty,
                format!(
                    "the last parameter is a reference to the message: write one more after this, \
                     as in `progress: &Progress`; or, if this is it, write `&{}`",
                    type_text::of(&told.ty)
                ),
            );
            return None;
        };
        let message = &*reference.elem;
        let span = message.span();
        let message = match message {
            // What is read is owned.
            Type::Path(path) if path.path.is_ident("str") => quote_spanned!(span=> __p::String),
            Type::Slice(slice) => {
                let item = &slice.elem;
                quote_spanned!(span=> __p::Vec<#item>)
            }
            other => quote!(#other),
        };
        let args = arg_names(&handler.params);
        let apart = take_apart(handler, args.split_at(own.len()), &quote!(&*__message,));
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &handler.options, &args, &all);
        let of_step = of_step(handler);
        let at = quote_spanned!(handler.target.span()=> __Of: __p::IsExternal);
        let ended = quote_spanned!(output_span(handler)=> __p::HandlerReturn::ended);
        // Once, so that a type that can't be read is one error.
        let told = quote_spanned!(span=> __p::told::<#message>());
        Some(block(
            handler,
            quote! {
                const __TOLD: __p::Told<#message> = #told;
                impl __p::OnCheckIn for __Of where #of_step, #at {
                    const CHECK: __p::Check = __TOLD.check;
                    fn on_check_in<'a>(
                        __args: __p::Args<'a, Self>,
                        __message: &'a __p::Json,
                    ) -> __p::BoxFuture<'a, __p::Result<(), __p::StepError>> {
                        __p::boxed(async move {
                            let __message = &(__TOLD.read)(__message)?;
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
