//! `#[step]` leaves the function as it is, and emits a type of the same name, which flows use.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ItemFn, Type, Visibility, spanned::Spanned};

use crate::{
    attr::{
        args,
        options::{Options, Place, optional},
    },
    errors::Errors,
    item::{
        call::{arg_names, call, check_async},
        function::{self, Param, Role},
        lints,
        return_type::{self, Output},
    },
    reader::{Reader, hidden},
};

/// Expands `#[step]`.
pub(crate) fn step(reader: Reader, attr: TokenStream, item: TokenStream) -> TokenStream {
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
    let step = Step {
        krate,
        function,
        params,
        output,
        options,
    };
    let glue = if function::is_method(&step.function) {
        TokenStream::new()
    } else if errors.is_empty() {
        step.items(&step.whole(), reader)
    } else {
        step.items(&step.fallback(), reader)
    };
    let errors = errors.into_tokens();
    let allow = function::allow_unused_async(&item);
    let function = step.shown();
    quote!(#allow #function #glue #errors)
}

/// A step as it was read.
struct Step {
    krate: TokenStream,
    function: ItemFn,
    params: Vec<Param>,
    output: Output,
    options: Options,
}

/// The parts that differ between a step without errors and one with errors.
struct Parts {
    /// The function `call`, which a flow's line calls.
    call: TokenStream,
    /// The items of `impl Step`.
    items: TokenStream,
    /// The function of `impl Runs`.
    run: TokenStream,
}

impl Step {
    /// Returns the function. One whose output borrows, but from no parameter that the compiler can
    /// tell, would be a second error: it is shown without its body, with an output that is `'static`.
    fn shown(&self) -> TokenStream {
        let mut function = self.function.clone();
        if self.options.volatile
            || !return_type::misses_lifetime(self.output.value(), &function.sig)
        {
            return quote!(#function);
        }
        if let syn::ReturnType::Type(_, ty) = &mut function.sig.output {
            **ty = function::owned(ty);
        }
        function::without_body(function)
    }

    /// Returns the type with the function's name, and its implementations.
    fn items(&self, Parts { call, items, run }: &Parts, reader: Reader) -> TokenStream {
        let krate = &self.krate;
        let name = &self.function.sig.ident;
        let type_name = function::type_name(name);
        let vis = function::type_visibility(&self.function.vis);
        let lints = lints::carried(&self.function.attrs);
        let docs = function::docs(&self.function.attrs);
        let about = format!("The step [`{name}()`], for flows and handlers.");
        let reversible = self
            .options
            .readonly
            .then(|| quote!(impl __p::Reversible for #name {}));
        let step = if matches!(vis, Visibility::Inherited) {
            quote!(impl __p::Step for #name { #items })
        } else {
            self.public(items)
        };
        let allow = function::allow_in_glue();
        let block = quote! {
            #lints
            #allow
            #[allow(deprecated)]
            const _: () = {
                use #krate::__private as __p;
                #[allow(unused_imports)]
                use __p::NeverSaved as _;
                impl #name {
                    #[doc(hidden)]
                    #[inline]
                    #call
                }
                #step
                impl __p::Runs for #name { #run }
                impl __p::HasPolicy for #name {}
                #reversible
            };
        };
        let block = match reader {
            Reader::Compiler => block,
            // What is derived from the signature is not where the user wrote it, but for `when`.
            Reader::Editor => {
                let error = hidden(quote!(<#name as #krate::__private::Step>::Error));
                let when = self.options.named(&error);
                let block = hidden(block);
                quote!(#block const _: () = { #when };)
            }
        };
        quote! {
            #(#docs)*
            #[doc = ""]
            #[doc = #about]
            #[allow(non_camel_case_types)]
            #lints
            #vis struct #type_name {}
            #block
        }
    }

    /// Returns the implementation for a step that others may call. Types in its signature may be
    /// private, which the compiler warns about at the function; in an associated type it is an
    /// error. So the implementation is that of a private type, and the step's own says only that it
    /// is the same.
    fn public(&self, items: &TokenStream) -> TokenStream {
        let name = &self.function.sig.ident;
        quote! {
            struct __Own;
            impl __p::Step for __Own { #items }
            impl<S: __p::Step> __p::Step for #name
            where
                __Own: __p::Same<Type = S>,
            {
                type Args<'a> = S::Args<'a>;
                type Output = S::Output;
                type Error = S::Error;
                type Ref<L: __p::Loops> = S::Ref<L>;
                type AsFlow = S::AsFlow;
                const NAME: __p::Option<&'static str> = S::NAME;
                const ALIASES: &'static [&'static str] = S::ALIASES;
                const POLICY: __p::Policy = S::POLICY;
                const KIND: __p::Option<__p::StepKind> = S::KIND;
                const OUTPUT_TEXT: &'static str = S::OUTPUT_TEXT;
                const CODEC: __p::Codec<S::Output> = S::CODEC;
            }
        }
    }

    /// Returns the parts of a step without errors.
    fn whole(&self) -> Parts {
        let Self {
            function,
            params,
            output,
            options,
            ..
        } = self;
        let name = &function.sig.ident;
        let types: Vec<Type> = params.iter().map(Param::with_lifetime).collect();
        let names: Vec<&Ident> = params.iter().map(|param| &param.name).collect();
        let args = arg_names(params);
        let all: Vec<&Param> = params.iter().collect();
        let call = call(function, options, &args, &all);
        let saved_name = optional(options.name.as_ref().map(|name| quote!(#name)));
        let aliases = &options.aliases;
        let policy = options.policy();
        let when = options.when();
        let volatile = options.volatile;
        let kind = optional(volatile.then(|| quote!(__p::StepKind::Volatile)));
        let output_text = output.text();
        let value_span = output.value().span();
        let returns = if options.polls {
            quote!(__p::PollReturn)
        } else {
            quote!(__p::StepReturn)
        };
        let attempt = quote_spanned!(output.error_span()=> #returns::attempt);
        let output = &output.ty;
        let out = quote_spanned!(output.span()=> <#output as #returns>::Output);
        let err = quote_spanned!(output.span()=> <#output as #returns>::Error);
        let codec = if volatile {
            quote!(__p::Unsaved::<#out>::CODEC)
        } else {
            quote_spanned!(value_span=> __p::codec::<Self::Output>())
        };
        Parts {
            call: quote! {
                pub fn call<'a>(#(#names: #types),*) -> __p::Call<'a, #name> {
                    __p::Call((#(#names,)*))
                }
            },
            items: quote! {
                type Args<'a> = (#(#types,)*);
                type Output = #out;
                type Error = #err;
                type Ref<L: __p::Loops> = __p::StepRef<Self::Output>;
                type AsFlow = __p::NotAFlow<Self::Output>;
                const NAME: __p::Option<&'static str> = #saved_name;
                const ALIASES: &'static [&'static str] = &[#(#aliases),*];
                const POLICY: __p::Policy = #policy;
                const KIND: __p::Option<__p::StepKind> = #kind;
                const OUTPUT_TEXT: &'static str = #output_text;
                const CODEC: __p::Codec<Self::Output> = #codec;
            },
            run: quote! {
                async fn run<'a>(
                    (#(#args,)*): Self::Args<'a>,
                    _: &'a __p::Cx,
                    when: __p::Option<fn(&Self::Error) -> bool>,
                ) -> __p::Result<__p::Attempt<Self::Output>, __p::StepError> {
                    let own: __p::Option<fn(&Self::Error) -> bool> = #when;
                    let result = #call;
                    #attempt(result, when.or(own))
                }
            },
        }
    }

    /// Returns the parts of a step with errors. It takes and returns the same types as far as they
    /// can be written, so that nothing else in the file is an error.
    fn fallback(&self) -> Parts {
        let name = &self.function.sig.ident;
        let value = self.output.fallback_value(&self.function);
        let args = arg_names(&self.params);
        let (types, call) = if function::is_generic(&self.function) {
            let any: Vec<Ident> = (0..args.len()).map(|i| format_ident!("T{i}")).collect();
            let call = quote! {
                pub fn call<'a, #(#any),*>(#(#args: #any),*) -> __p::Call<'a, #name> {
                    __p::Call(())
                }
            };
            (Vec::new(), call)
        } else {
            let types: Vec<Type> = self.params.iter().map(Param::with_lifetime).collect();
            let call = quote! {
                pub fn call<'a>(#(#args: #types),*) -> __p::Call<'a, #name> {
                    __p::Call((#(#args,)*))
                }
            };
            (types, call)
        };
        Parts {
            call,
            items: quote! {
                type Args<'a> = (#(#types,)*);
                type Output = #value;
                type Error = __p::Infallible;
                type Ref<L: __p::Loops> = __p::StepRef<#value>;
                type AsFlow = __p::NotAFlow<#value>;
                const OUTPUT_TEXT: &'static str = "";
                const CODEC: __p::Codec<#value> = __p::unsaved();
            },
            run: quote! {
                async fn run<'a>(
                    _: Self::Args<'a>,
                    _: &'a __p::Cx,
                    _: __p::Option<fn(&Self::Error) -> bool>,
                ) -> __p::Result<__p::Attempt<#value>, __p::StepError> {
                    __p::unreachable!()
                }
            },
        }
    }
}
