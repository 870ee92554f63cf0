//! `#[step]` leaves the function as it is, and emits a type of the same name, which flows use.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{ItemFn, Type, spanned::Spanned};

use crate::{
    attr::{
        args,
        options::{Options, Place},
    },
    errors::Errors,
    item::{
        call::{arg_names, check_async, future, split_connection, transactional},
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
    let (connection, own) = split_connection(&function, &options, &params, &mut errors);
    let not_own = params.len() - own.len();
    let params = params.into_iter().skip(not_own).collect();
    let step = Step {
        krate,
        function,
        connection,
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
    /// Of the connection, if it is called in a transaction.
    connection: Option<Type>,
    /// Those that a call names.
    params: Vec<Param>,
    output: Output,
    options: Options,
}

/// The parts that differ between a step without errors and one with errors.
struct Parts {
    /// The function `call`, which a flow's line calls.
    call: TokenStream,
    /// The items of `impl Function`.
    items: TokenStream,
    /// What else is implemented for the step's own type.
    beside: TokenStream,
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
    fn items(&self, parts: &Parts, reader: Reader) -> TokenStream {
        let Parts {
            call,
            items,
            beside,
        } = parts;
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
        let external = self
            .options
            .external
            .map(|_| quote!(impl __p::IsExternal for #name {}));
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
                // Types in its signature may be private, which the compiler warns about at the
                // function; in an associated type it is an error. So all is said of a private type,
                // and the step's own says only which one that is.
                struct __Own;
                impl __p::Function for __Own { #items }
                #beside
                impl<F: __p::Function> __p::Step for #name where __Own: __p::Same<Type = F> {
                    type Function = F;
                }
                impl __p::HasPolicy for #name {}
                #reversible
                #external
            };
        };
        let block = match reader {
            Reader::Compiler => block,
            // What is derived from the signature is not where the user wrote it, but for `when`.
            Reader::Editor => {
                let error = hidden(quote!(#krate::__private::Error<#name>));
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
        let called = future(function, options, &args, &all);
        let about = self.about();
        // A step may have one of these names.
        let local = |name| Ident::new(name, Span::mixed_site());
        let (when, own, keep) = (local("when"), local("own"), local("keep"));
        let retried = match options.when {
            None => quote!(#when),
            Some(_) => {
                let given = options.when();
                quote!({
                    let #own: __p::Option<fn(&Self::Error) -> bool> = #given;
                    #when.or(#own)
                })
            }
        };
        let value_span = output.value().span();
        let (returns, runs) = if options.external.is_some() {
            (quote!(__p::ExternalReturn), "externals")
        } else if options.polls {
            (quote!(__p::PollReturn), "polls")
        } else if self.connection.is_some() {
            (quote!(__p::StepReturn), "transacts")
        } else {
            (quote!(__p::StepReturn), "runs")
        };
        let runs = Ident::new(runs, Span::mixed_site().located_at(output.error_span()));
        let own_cx = local("own_cx");
        let (cx, body) = if self.connection.is_some() {
            let cx = quote!(#own_cx);
            let given = quote!((#(#args,)*));
            let body = quote!(__p::#runs::<Self>(#given, #cx, #retried, #keep));
            (cx, body)
        } else if options.external.is_some() {
            let cx = quote!(#own_cx);
            // It is called only if nothing was reported.
            let body = quote!(__p::#runs(async move { #called.await }, #cx, #retried, #keep));
            (cx, body)
        } else {
            (quote!(_), quote!(__p::#runs(#called, #retried, #keep)))
        };
        let output = &output.ty;
        let out = quote_spanned!(output.span()=> <#output as #returns>::Output);
        let err = quote_spanned!(output.span()=> <#output as #returns>::Error);
        let codec = if options.volatile {
            quote!(__p::Unsaved::<#out>::CODEC)
        } else {
            quote_spanned!(value_span=> __p::codec::<Self::Output>())
        };
        let beside = self
            .connection
            .as_ref()
            .map(|connection| transactional(&quote!(__Own), function, connection, (&args, &types)));
        Parts {
            beside: beside.unwrap_or_default(),
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
                const ABOUT: __p::About = #about;
                const CODEC: __p::Codec<Self::Output> = #codec;
                fn run<'a>(
                    (#(#args,)*): Self::Args<'a>,
                    #cx: &'a __p::Cx,
                    #when: __p::Option<fn(&Self::Error) -> bool>,
                    #keep: __p::Keep<'a, Self::Output>,
                ) -> __p::BoxFuture<'a, __p::OpResult> {
                    #body
                }
            },
        }
    }

    /// Returns what the attribute says, as an expression.
    fn about(&self) -> TokenStream {
        let options = &self.options;
        let output = self.output.text();
        let mut about = quote!(__p::About::plain(#output));
        if let Some(name) = &options.name {
            about = quote!(#about.named(#name));
        }
        if !options.aliases.is_empty() {
            let aliases = &options.aliases;
            about = quote!(#about.aliases(&[#(#aliases),*]));
        }
        if options.has_policy() {
            let policy = options.policy();
            about = quote!(#about.policy(#policy));
        }
        if options.volatile {
            about = quote!(#about.kind(__p::StepKind::Volatile));
        }
        if self.connection.is_some() {
            about = quote!(#about.in_transaction());
        }
        if options.external.is_some() {
            about = quote!(#about.kind(__p::StepKind::External));
        }
        about
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
            beside: TokenStream::new(),
            call,
            items: quote! {
                type Args<'a> = (#(#types,)*);
                type Output = #value;
                type Error = __p::Infallible;
                type Ref<L: __p::Loops> = __p::StepRef<#value>;
                type AsFlow = __p::NotAFlow<#value>;
                const ABOUT: __p::About = __p::About::plain("");
                const CODEC: __p::Codec<#value> = __p::unsaved();
                fn run<'a>(
                    _: Self::Args<'a>,
                    _: &'a __p::Cx,
                    _: __p::Option<fn(&Self::Error) -> bool>,
                    _: __p::Keep<'a, #value>,
                ) -> __p::BoxFuture<'a, __p::OpResult> {
                    __p::unreachable!()
                }
            },
        }
    }
}
