//! The handlers: functions bound to a step or a flow by its path.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{ItemFn, Path, ReturnType, Token, Type, parse::ParseStream, spanned::Spanned};

use crate::{
    args::{self, Arg},
    diag::Errors,
    function::{self, Param, Role},
    options::{Options, Place},
    step::{arg_names, call, check_async},
};

pub(crate) struct Handler {
    krate: TokenStream,
    /// The step or the flow.
    pub(crate) of: Path,
    options: Options,
    pub(crate) function: ItemFn,
    pub(crate) params: Vec<Param>,
}

/// Reads what is common to all handlers. `Err` is the whole output.
pub(crate) fn read(
    attr: TokenStream,
    item: &TokenStream,
    role: &'static str,
    of: &str,
    errors: &mut Errors,
) -> Option<Handler> {
    let parsed = syn::parse::Parser::parse2(
        |input: ParseStream<'_>| {
            let path: Path = input.call(Path::parse_mod_style)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
            Ok((path, args::list(input)?))
        },
        attr.clone(),
    );
    let (of, args) = match parsed {
        Ok((path, args)) => (Some(path), args),
        Err(error) => {
            if attr.is_empty() {
                errors.at(
                    Span::call_site(),
                    format!("`#[{role}]` names its {of}: `#[{role}(name_of_the_{of})]`"),
                );
            } else {
                errors.push(error);
            }
            (None, Vec::<Arg>::new())
        }
    };
    let mut args = args;
    let krate = function::take_crate(&mut args, errors);
    let options = if role == "undo" {
        Options::read(args, Place::Undo, errors)
    } else {
        for arg in &args {
            let name = &arg.name;
            errors.on(
                name,
                format!("unknown option `{name}`; `#[{role}]` has none"),
            );
        }
        Options::default()
    };
    let function = function::parse(item.clone(), role, errors)?;
    let params = function::params(&function, Role("handler"), errors);
    check_async(&function, &options, role, errors);
    Some(Handler {
        krate,
        of: of?,
        options,
        function,
        params,
    })
}

/// Splits the last parameter off, which the handler must have.
pub(crate) fn last<'p>(
    handler: &'p Handler,
    what: &str,
    errors: &mut Errors,
) -> Option<(&'p [Param], &'p Param)> {
    match handler.params.split_last() {
        Some((last, rest)) => Some((rest, last)),
        None => {
            let inputs = &handler.function.sig.paren_token.span.join();
            errors.at(*inputs, format!("the last parameter is missing: {what}"));
            None
        }
    }
}

pub(crate) fn assemble(
    item: TokenStream,
    glue: Option<TokenStream>,
    errors: Errors,
) -> TokenStream {
    let failed = !errors.is_empty();
    let errors = errors.into_tokens();
    let glue = glue.filter(|_| !failed);
    let quiet = function::quiet(&item);
    quote!(#quiet #item #glue #errors)
}

/// The block in which generated code stands.
pub(crate) fn block(handler: &Handler, body: TokenStream) -> TokenStream {
    let krate = &handler.krate;
    let of = &handler.of;
    quote! {
        #[allow(clippy::all, clippy::pedantic, unused, trivial_bounds)]
        const _: () = {
            use #krate::__private as __p;
            type __Of = #of;
            #body
        };
    }
}

/// Takes the arguments of the step or the flow apart. A wrong number of them is said in words, at
/// the handler's name.
pub(crate) fn take_apart(handler: &Handler, args: &[Ident]) -> TokenStream {
    let span = handler.function.sig.ident.span();
    let count = args.len();
    let apart = quote_spanned!(span=> __p::Takes::<#count>::apart);
    quote!(let (#(#args,)*) = #apart(__args);)
}

/// What the handler is of has to be a step: said once, at its path.
fn of_step(handler: &Handler) -> TokenStream {
    let span = Span::mixed_site().located_at(handler.of.span());
    quote_spanned!(span=> __Of: __p::Step, <__Of as __p::Step>::AsFlow: __p::StepOnly)
}

/// Where an error about what the function returns belongs.
pub(crate) fn output_span(handler: &Handler) -> Span {
    match &handler.function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => handler.function.sig.ident.span(),
    }
}

/// Expands `#[undo]`.
pub(crate) fn undo(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(attr, &item, "undo", "step", &mut errors);
    let glue = handler.as_ref().and_then(|handler| {
        let (rest, before) = if handler.options.before {
            let (rest, before) = last(
                handler,
                "with `before`, it is a `&` to what `#[observe]` saw before the step",
                &mut errors,
            )?;
            (rest, Some(before))
        } else {
            (&handler.params[..], None)
        };
        let Some((output, own)) = rest.split_last() else {
            errors.at(
                handler.function.sig.paren_token.span.join(),
                "an undo takes what its step took, then a `&` to what the step gave",
            );
            return None;
        };
        let args = arg_names(&handler.params);
        let (own_args, rest_args) = args.split_at(own.len());
        let apart = take_apart(handler, own_args);
        let output_arg = &rest_args[0];
        let before_let = before.map(|before| {
            let arg = &rest_args[1];
            let span = before.span();
            quote_spanned! {span=>
                let __before = __p::before::<<__Of as __p::Observe>::Value>(__before)?;
                let #arg = &__before;
            }
        });
        let all: Vec<&Param> = own.iter().chain([output]).chain(before).collect();
        let call = call(&handler.function, &args, &all);
        let policy = handler.options.policy();
        let when = handler.options.when();
        let of_step = of_step(handler);
        let ended = quote_spanned!(output_span(handler)=> __p::HandlerReturn::ended);
        Some(block(
            handler,
            quote! {
                impl __p::Undo for __Of where #of_step {
                    const POLICY: __p::Policy = #policy;
                    fn undo<'a>(
                        __args: <Self as __p::Step>::Args<'a>,
                        #output_arg: &'a <Self as __p::Step>::Output,
                        __before: __p::Option<&'a __p::Json>,
                    ) -> __p::BoxFuture<'a, __p::Result<(), __p::StepError>> {
                        __p::boxed(async move {
                            #apart
                            #before_let
                            #ended(#call, #when)
                        })
                    }
                }
            },
        ))
    });
    assemble(item, glue, errors)
}

/// Expands `#[verify]`.
pub(crate) fn verify(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(attr, &item, "verify", "step", &mut errors);
    let glue = handler.as_ref().map(|handler| {
        let args = arg_names(&handler.params);
        let apart = take_apart(handler, &args);
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &args, &all);
        let of_step = of_step(handler);
        let found = quote_spanned!(output_span(handler)=> __p::found::<__Of, _>(#call));
        block(
            handler,
            quote! {
                impl __p::Verify for __Of where #of_step {
                    fn verify<'a>(
                        __args: <Self as __p::Step>::Args<'a>,
                        _: &'a __p::Cx,
                    ) -> __p::BoxFuture<'a, __p::Result<
                        __p::Option<<Self as __p::Step>::Output>, __p::StepError,
                    >> {
                        __p::boxed(async move { #apart #found })
                    }
                }
            },
        )
    });
    assemble(item, glue, errors)
}

/// Expands `#[observe]`.
pub(crate) fn observe(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let handler = read(attr, &item, "observe", "step", &mut errors);
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
        let apart = take_apart(handler, &args);
        let all: Vec<&Param> = handler.params.iter().collect();
        let call = call(&handler.function, &args, &all);
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
                impl __p::Observe for __Of where #of_step {
                    type Value = #value;
                    fn observe<'a>(
                        __args: <Self as __p::Step>::Args<'a>,
                        _: &'a __p::Cx,
                    ) -> __p::BoxFuture<'a, __p::Result<__p::Json, __p::StepError>> {
                        __p::boxed(async move { #apart #seen })
                    }
                }
            },
        ))
    });
    assemble(item, glue, errors)
}

fn is_result(ty: &Type) -> bool {
    matches!(ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "Result"))
}
