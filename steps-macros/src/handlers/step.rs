//! The handlers of steps: `#[undo]`, `#[verify]` and `#[observe]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{ReturnType, Type, spanned::Spanned};

use super::handler::{Handler, assemble, block, by_reference, last, output_span, read, take_apart};
use crate::{
    errors::Errors,
    item::{
        call::{arg_names, call, split_connection, transactional},
        function::Param,
    },
    reader::Reader,
};

/// Returns the bounds that make it one error, at the handler's path, if that names no step.
pub(super) fn of_step(handler: &Handler) -> TokenStream {
    let span = Span::mixed_site().located_at(handler.target.span());
    quote_spanned!(span=> __Of: __p::Step, __p::AsFlow<__Of>: __p::StepOnly)
}

/// Expands `#[undo]`.
pub(crate) fn undo(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(&attr, &item, "undo", "step", &mut errors);
    let glue = handler.as_ref().and_then(|handler| {
        let (connection, params) = split_connection(
            &handler.function,
            &handler.options,
            &handler.params,
            &mut errors,
        );
        let (rest, before) = if handler.options.before {
            let (rest, before) = last(
                handler,
                params,
                "with `before`, it is a `&` to what `#[observe]` returned before the step",
                &mut errors,
            )?;
            (rest, Some(before))
        } else {
            (params, None)
        };
        let Some((output, own)) = rest.split_last() else {
            errors.at(
                handler.function.sig.paren_token.span.join(),
                "an undo takes the parameters of its step, then a `&` to what the step returned",
            );
            return None;
        };
        by_reference(output, "what the step returned", &mut errors);
        if let Some(before) = before {
            by_reference(before, "what `#[observe]` saw before the step", &mut errors);
        }
        let args = arg_names(params);
        let (before_let, before_check, then) = match before {
            None => (TokenStream::new(), TokenStream::new(), quote!(__output,)),
            Some(before) => {
                let span = before.span();
                let read = quote_spanned! {span=>
                    __p::before::<<__Of as __p::Observe>::Value>(__before)?
                };
                let check = quote_spanned! {span=>
                    __p::check_before::<<__Of as __p::Observe>::Value>
                };
                let check = quote! {
                    const BEFORE: __p::Option<__p::Check> = __p::Option::Some(#check);
                };
                let read = quote!(let __before = #read;);
                (read, check, quote!(__output, &__before,))
            }
        };
        let apart = take_apart(handler, args.split_at(own.len()), &then);
        let all: Vec<&Param> = own.iter().chain([output]).chain(before).collect();
        let policy = handler.options.policy();
        let when = handler.options.when();
        let of_step = of_step(handler);
        let (beside, undone) = match &connection {
            None => {
                let call = call(&handler.function, &handler.options, &args, &all);
                let ended = quote_spanned!(output_span(handler)=> __p::HandlerReturn::ended);
                (TokenStream::new(), quote!(#ended(#call, #when)))
            }
            Some(connection) => {
                let types: Vec<Type> = all.iter().map(|param| param.with_lifetime()).collect();
                let of = quote!(__InTransaction);
                let work = transactional(&of, &handler.function, connection, (&args, &types));
                let undo = quote_spanned!(output_span(handler)=> __p::undo_transacts::<#of>);
                let undone = quote!(#undo((#(#args,)*), __cx, #when).await);
                (quote!(struct #of; #work), undone)
            }
        };
        Some(block(
            handler,
            quote! {
                #beside
                impl __p::Undo for __Of where #of_step {
                    const POLICY: __p::Policy = #policy;
                    #before_check
                    fn undo<'a>(
                        __args: __p::Args<'a, Self>,
                        __output: &'a __p::Output<Self>,
                        __before: __p::Option<&'a __p::Json>,
                        __cx: &'a __p::Cx,
                    ) -> __p::BoxFuture<'a, __p::Result<(), __p::StepError>> {
                        __p::boxed(async move {
                            #before_let
                            #apart
                            #undone
                        })
                    }
                }
            },
        ))
    });
    assemble((reader, &attr), handler.as_ref(), item, glue, errors)
}

/// Expands `#[verify]`.
pub(crate) fn verify(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(&attr, &item, "verify", "step", &mut errors);
    let glue = handler.as_ref().map(|handler| {
        let args = arg_names(&handler.params);
        let apart = take_apart(handler, (&args, &[]), &TokenStream::new());
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &handler.options, &args, &all);
        let of_step = of_step(handler);
        let found = quote_spanned!(output_span(handler)=> __p::found::<__Of, _>(#call));
        block(
            handler,
            quote! {
                impl __p::Verify for __Of where #of_step {
                    fn verify<'a>(
                        __args: __p::Args<'a, Self>,
                        _: &'a __p::Cx,
                    ) -> __p::BoxFuture<'a, __p::Result<
                        __p::Option<__p::Output<Self>>, __p::StepError,
                    >> {
                        __p::boxed(async move { #apart #found })
                    }
                }
            },
        )
    });
    assemble((reader, &attr), handler.as_ref(), item, glue, errors)
}

/// Expands `#[observe]`.
pub(crate) fn observe(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(&attr, &item, "observe", "step", &mut errors);
    let glue = handler.as_ref().and_then(|handler| {
        let ReturnType::Type(_, ty) = &handler.function.sig.output else {
            errors.on(
                &handler.function.sig.ident,
                "an `#[observe]` function returns what it sees: a value that serde can save, or a \
                 `Result` of one",
            );
            return None;
        };
        let args = arg_names(&handler.params);
        let apart = take_apart(handler, (&args, &[]), &TokenStream::new());
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &handler.options, &args, &all);
        let span = ty.span();
        let of_step = of_step(handler);
        let (value, seen) = if is_result(ty) {
            (
                quote_spanned!(span=> <#ty as __p::StepReturn>::Output),
                quote_spanned!(span=> __p::seen_result(#call)),
            )
        } else {
            (quote!(#ty), quote_spanned!(span=> __p::seen::<#ty>(#call)))
        };
        Some(block(
            handler,
            quote! {
                // What it sees may be a private type: see `step`.
                impl<V> __p::Observe for __Of where #value: __p::Same<Type = V>, #of_step {
                    type Value = V;
                    fn observe<'a>(
                        __args: __p::Args<'a, Self>,
                        _: &'a __p::Cx,
                    ) -> __p::BoxFuture<'a, __p::Result<__p::Json, __p::StepError>> {
                        __p::boxed(async move { #apart #seen })
                    }
                }
            },
        ))
    });
    assemble((reader, &attr), handler.as_ref(), item, glue, errors)
}

fn is_result(ty: &Type) -> bool {
    matches!(ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "Result"))
}
