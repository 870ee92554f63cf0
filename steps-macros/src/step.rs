//! `#[step]`: the function as it is, and a type of the same name that the flows use.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ItemFn, ReturnType, Type, spanned::Spanned};

use crate::{
    args,
    diag::Errors,
    function::{self, Param, Role},
    options::{Options, Place, optional},
};

/// Expands `#[step]`.
pub(crate) fn step(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut args = args::parse(attr, &mut errors);
    let krate = function::take_crate(&mut args, &mut errors);
    let options = Options::read(args, Place::Step, &mut errors);
    let Some(function) = function::parse(item.clone(), "step", &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let params = function::params(&function, Role("step"), &mut errors);
    let output = output(&function, &mut errors);
    check_async(&function, &options, "step", &mut errors);
    let failed = !errors.is_empty();
    let errors = errors.into_tokens();
    let glue = if failed {
        fallback(&krate, &function, &params)
    } else {
        expand(&krate, &function, &params, &output, &options)
    };
    quote!(#function #glue #errors)
}

/// The return type, which must be written.
fn output(function: &ItemFn, errors: &mut Errors) -> Type {
    match &function.sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => {
            errors.on(
                &function.sig.ident,
                "a step returns a `Result`: write `-> Result<(), Error>`",
            );
            syn::parse_quote!(())
        }
    }
}

/// A function that is not async must say that it blocks.
pub(crate) fn check_async(function: &ItemFn, options: &Options, role: &str, errors: &mut Errors) {
    match (&function.sig.asyncness, options.blocking) {
        (None, None) => errors.on(
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

/// The text of a type, for the fingerprint and for messages.
fn text(ty: &Type) -> String {
    quote!(#ty).to_string()
}

/// The call of the user's function with arguments `args`, as a future.
pub(crate) fn call(function: &ItemFn, args: &[Ident], params: &[&Param]) -> TokenStream {
    let name = &function.sig.ident;
    if function.sig.asyncness.is_some() {
        return quote!(#name(#(#args),*).await);
    }
    let owned = args
        .iter()
        .zip(params)
        .filter(|(_, param)| param.lent().is_some());
    let owned = owned.map(
        |(arg, param)| quote_spanned!(param.span()=> let #arg = __p::ToOwned::to_owned(#arg);),
    );
    let passed = args.iter().zip(params).map(|(arg, param)| {
        if param.lent().is_some() {
            quote!(__p::Borrow::borrow(&#arg))
        } else {
            quote!(#arg)
        }
    });
    quote!({ #(#owned)* __p::blocking(move || #name(#(#passed),*)).await })
}

/// Names for arguments that can't meet the user's, each at its parameter's place.
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

fn expand(
    krate: &TokenStream,
    function: &ItemFn,
    params: &[Param],
    output: &Type,
    options: &Options,
) -> TokenStream {
    let name = &function.sig.ident;
    let head = head(function);
    let types: Vec<Type> = params.iter().map(Param::with_lifetime).collect();
    let names = params.iter().map(|param| &param.name);
    let passed = params.iter().map(|param| &param.name);
    let args = arg_names(params);
    let all: Vec<&Param> = params.iter().collect();
    let call = call(function, &args, &all);
    let saved_name = optional(options.name.as_ref().map(|name| quote!(#name)));
    let aliases = &options.aliases;
    let policy = options.policy();
    let when = options.when();
    let volatile = options.volatile;
    let output_text = text(output);
    let returns = if options.poll.is_some() {
        quote!(__p::PollReturn)
    } else {
        quote!(__p::StepReturn)
    };
    let output_span = output.span();
    let value_span = value_type(output).span();
    let codec = if volatile {
        quote!(__p::unsaved::<Self::Output>())
    } else {
        quote_spanned!(value_span=> __p::codec::<Self::Output>())
    };
    let out = quote_spanned!(output_span=> <#output as #returns>::Output);
    let err = quote_spanned!(output_span=> <#output as #returns>::Error);
    let reversible = options
        .readonly
        .then(|| quote!(impl __p::Reversible for #name {}));
    quote! {
        #head
        #[allow(clippy::all, clippy::pedantic, unused, elided_lifetimes_in_paths)]
        const _: () = {
            use #krate::__private as __p;
            impl #name {
                #[doc(hidden)]
                #[inline]
                pub fn call<'a>(#(#names: #types),*) -> __p::Call<'a, #name> {
                    __p::Call((#(#passed,)*))
                }
            }
            impl __p::Step for #name {
                type Args<'a> = (#(#types,)*);
                type Output = #out;
                type Error = #err;
                const NAME: __p::Option<&'static str> = #saved_name;
                const ALIASES: &'static [&'static str] = &[#(#aliases),*];
                const POLICY: __p::Policy = #policy;
                const VOLATILE: bool = #volatile;
                const OUTPUT_TEXT: &'static str = #output_text;
                const CODEC: __p::Codec<Self::Output> = #codec;
                async fn run<'a>(
                    (#(#args,)*): Self::Args<'a>,
                    _: &'a __p::Cx,
                    when: __p::Option<fn(&Self::Error) -> bool>,
                ) -> __p::Result<__p::Attempt<Self::Output>, __p::StepError> {
                    let own: __p::Option<fn(&Self::Error) -> bool> = #when;
                    let result = #call;
                    #returns::attempt(result, when.or(own))
                }
            }
            #reversible
        };
    }
}

/// The type of the value in `Result<Value, Error>`, as far as it can be seen: the place for an
/// error about it.
fn value_type(output: &Type) -> &Type {
    if let Type::Path(path) = output
        && let Some(last) = path.path.segments.last()
        && let syn::PathArguments::AngleBracketed(args) = &last.arguments
        && let Some(syn::GenericArgument::Type(first)) = args.args.first()
    {
        return first;
    }
    output
}

/// The type that bears the function's name.
fn head(function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let vis = &function.vis;
    let docs = function::docs(&function.attrs);
    let about = format!("The step [`{name}()`], as flows and handlers name it.");
    quote! {
        #(#docs)*
        #[doc = ""]
        #[doc = #about]
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}
    }
}

/// What a step with errors still gives, so that nothing else in the file breaks.
fn fallback(krate: &TokenStream, function: &ItemFn, params: &[Param]) -> TokenStream {
    let name = &function.sig.ident;
    let head = head(function);
    let generics: Vec<Ident> = (0..params.len()).map(|i| format_ident!("T{i}")).collect();
    quote! {
        #head
        const _: () = {
            use #krate::__private as __p;
            impl #name {
                #[doc(hidden)]
                pub fn call<'a, #(#generics),*>(#(_: #generics),*) -> __p::Call<'a, #name> {
                    __p::Call(())
                }
            }
            impl __p::Broken for #name {}
        };
    }
}
