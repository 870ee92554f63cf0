//! `#[step]`: the function as it is, and a type of the same name that the flows use.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{ItemFn, Type, spanned::Spanned};

use crate::{
    attr::{
        args,
        options::{Options, Place, optional},
    },
    errors::Errors,
    item::{
        call::{arg_names, call, check_async},
        function::{self, Param, Role},
        return_type::{self, Output},
    },
};

/// Expands `#[step]`.
pub(crate) fn step(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut args = args::parse(attr, &mut errors);
    let krate = args::take_crate(&mut args, &mut errors);
    let options = Options::read(args, Place::Step, &mut errors);
    let Some(function) = function::parse(item.clone(), "step", &mut errors) else {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    let params = function::params(&function, Role("step"), &mut errors);
    let output = return_type::read(&function, "step", &options, &mut errors);
    check_async(&function, &options, "step", &mut errors);
    let glue = if function::is_method(&function) {
        TokenStream::new()
    } else if errors.is_empty() {
        expand(&krate, &function, &params, &output, &options)
    } else {
        fallback(&krate, &function, &params, &output, &options)
    };
    let errors = errors.into_tokens();
    let quiet = function::quiet(&item);
    quote!(#quiet #function #glue #errors)
}

fn expand(
    krate: &TokenStream,
    function: &ItemFn,
    params: &[Param],
    output: &Output,
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
    let output_text = output.text();
    let returns = if options.polls {
        quote!(__p::PollReturn)
    } else {
        quote!(__p::StepReturn)
    };
    let (output, value_span, error_span) = (&output.ty, output.value().span(), output.error_span());
    let output_span = output.span();
    let codec = if volatile {
        quote!(__p::unsaved::<Self::Output>())
    } else {
        quote_spanned!(value_span=> __p::codec::<Self::Output>())
    };
    let out = quote_spanned!(output_span=> <#output as #returns>::Output);
    let err = quote_spanned!(output_span=> <#output as #returns>::Error);
    let attempt = quote_spanned!(error_span=> #returns::attempt);
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
                type AsFlow = __p::NotAFlow<Self::Output>;
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
                    #attempt(result, when.or(own))
                }
            }
            #reversible
        };
    }
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

/// What a step with errors still gives, so that nothing else in the file breaks: a step that takes
/// and gives the same, as far as that can be said.
fn fallback(
    krate: &TokenStream,
    function: &ItemFn,
    params: &[Param],
    output: &Output,
    options: &Options,
) -> TokenStream {
    let name = &function.sig.ident;
    let head = head(function);
    let value = output.of_fallback(function);
    let any: Vec<Ident> = (0..params.len()).map(|i| format_ident!("T{i}")).collect();
    let (generics, types, all) = if function::is_generic(function) {
        let types: Vec<_> = any.iter().map(|any| quote!(#any)).collect();
        (quote!(, #(#any),*), types, quote!(()))
    } else {
        let types = params
            .iter()
            .map(|param| param.with_lifetime().into_token_stream());
        let types: Vec<_> = types.collect();
        let all = quote!((#(#types,)*));
        (quote!(), types, all)
    };
    let args = arg_names(params);
    let passed = if generics.is_empty() {
        quote!((#(#args,)*))
    } else {
        quote!(())
    };
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
                pub fn call<'a #generics>(#(#args: #types),*) -> __p::Call<'a, #name> {
                    __p::Call(#passed)
                }
            }
            impl __p::Step for #name {
                type Args<'a> = #all;
                type Output = #value;
                type Error = __p::Infallible;
                type AsFlow = __p::NotAFlow<#value>;
                const OUTPUT_TEXT: &'static str = "";
                const CODEC: __p::Codec<#value> = __p::unsaved();
                async fn run<'a>(
                    _: Self::Args<'a>,
                    _: &'a __p::Cx,
                    _: __p::Option<fn(&Self::Error) -> bool>,
                ) -> __p::Result<__p::Attempt<#value>, __p::StepError> {
                    __p::unreachable!()
                }
            }
            #reversible
        };
    }
}
