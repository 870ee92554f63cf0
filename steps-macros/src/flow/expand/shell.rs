//! The function, the type that bears its name, and the implementation of `Flow`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Type, spanned::Spanned, visit_mut::VisitMut};

use super::{
    super::model::{Body, Flow, Line},
    scope::{local, taker},
    slots::callee,
    table,
};
use crate::{
    function::{self, Param},
    names,
};

/// The function and its type.
pub(super) fn shell(flow: &Flow) -> TokenStream {
    let krate = &flow.krate;
    let private = quote!(#krate::__private);
    let name = &flow.function.sig.ident;
    let vis = &flow.function.vis;
    let attrs = &flow.function.attrs;
    let docs = function::docs(attrs);
    let own: Vec<_> = attrs
        .iter()
        .filter(|attr| !attr.path().is_ident("doc"))
        .collect();
    let user_docs = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    let tree = tree_docs(flow);
    let params = flow.params.iter().map(|param| {
        let (name, ty) = (&param.name, param.with_lifetime());
        quote!(#name: #ty)
    });
    let params: Vec<_> = params.collect();
    let args: Vec<_> = flow.params.iter().map(|param| &param.name).collect();
    let lent = flow.params.iter().filter(|param| param.lent().is_some());
    let lent: Vec<_> = lent.map(|param| &param.name).collect();
    let inputs = flow.params.iter().filter(|param| param.lent().is_none());
    let inputs: Vec<_> = inputs.collect();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let input_types: Vec<_> = inputs.iter().map(|param| &param.ty).collect();
    let lent_types = flow
        .params
        .iter()
        .filter_map(|param| param.lent().map(owned));
    let lent_types: Vec<_> = lent_types.collect();
    let lent_params = flow.params.iter().filter(|param| param.lent().is_some());
    let lent_params: Vec<_> = lent_params.map(Param::with_lifetime).collect();
    let saved = local("saved");
    let steps = format_ident!("{}Steps", names::pascal(&name.to_string()));
    let about = format!(
        "The flow [`{name}()`]: its steps, and how an engine is told of it and of its input."
    );
    quote! {
        #(#user_docs)*
        #[doc = ""]
        #[doc = #tree]
        #(#own)*
        #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value)]
        #vis fn #name<'a>(#(#params),*) -> #krate::Run<'a, #name> {
            #name::call(#(#args),*)
        }

        #(#docs)*
        #[doc = ""]
        #[doc = #about]
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}

        #[allow(clippy::all, clippy::pedantic, dead_code)]
        impl #name {
            /// References to the steps, checked by the compiler.
            pub const STEPS: #steps = #steps::REFS;

            #[doc(hidden)]
            pub fn call<'a>(#(#params),*) -> #krate::Run<'a, Self> {
                #krate::Run::new(
                    <Self as #private::Assemble>::lent((#(#lent,)*)),
                    <Self as #private::Assemble>::input((#(#input_names,)*)),
                )
            }

            /// Goes on from a saved state, with the input that is saved in it.
            ///
            /// # Errors
            ///
            /// Where the state is another flow's, or its input can't be read.
            pub fn resume<'a>(
                #(#lent: #lent_params,)*
                #saved: impl #private::Into<#krate::State>,
            ) -> #private::Result<#krate::Run<'a, Self>, #krate::Failure> {
                let #saved = #private::Into::into(#saved);
                let lent = <Self as #private::Assemble>::lent((#(#lent,)*));
                #krate::Run::from_saved(lent, #saved)
            }

            /// The flow with what it is lent, for an engine to keep.
            pub fn with(#(#lent: impl #private::Into<#private::Arc<#lent_types>>),*) -> #krate::With<Self> {
                #krate::With::new((#(#private::Into::into(#lent),)*))
            }

            /// The flow's input, for an engine to start it with.
            pub fn input(#(#input_names: #input_types),*) -> #krate::Input<Self> {
                #krate::Input::new(<Self as #private::Assemble>::input((#(#input_names,)*)))
            }
        }
    }
}

/// A type with its lifetimes as `'static`, to be owned.
fn owned(ty: &Type) -> Type {
    struct Static;
    impl VisitMut for Static {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = Some(syn::parse_quote!('static));
            syn::visit_mut::visit_type_reference_mut(self, reference);
        }
        fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
            *lifetime = syn::parse_quote!('static);
        }
    }
    let mut ty = ty.clone();
    Static.visit_type_mut(&mut ty);
    // Of a trait object only the outer parentheses can be left away.
    ty
}

/// The step tree, for the function's documentation.
fn tree_docs(flow: &Flow) -> String {
    fn write(lines: &[Line], depth: usize, text: &mut String) {
        use std::fmt::Write as _;
        for line in lines {
            let name = &line.name;
            let what = match &line.body {
                Body::Step(call) | Body::Flow(call) => {
                    let path = &call.path;
                    let path = quote!(#path).to_string().replace(' ', "");
                    if line.unnamed {
                        String::new()
                    } else {
                        format!(": `{path}`")
                    }
                }
                Body::Group(_) => String::new(),
                Body::Parallel(_) => ", at once".to_owned(),
                Body::If { .. } => ", if so".to_owned(),
                Body::For { .. } => ", for each".to_owned(),
                Body::Loop { .. } => ", in rounds".to_owned(),
            };
            let mut marks = String::new();
            for (mark, set) in [
                ("optional", line.optional),
                ("pivot", line.pivot),
                ("atomic", line.atomic),
            ] {
                if set {
                    let _ = write!(marks, " ({mark})");
                }
            }
            let _ = writeln!(text, "{}* `{name}`{what}{marks}", "  ".repeat(depth));
            let groups = line.groups();
            for (index, group) in groups.iter().enumerate() {
                if groups.len() > 1 {
                    let word = if index == 0 { "then" } else { "else" };
                    let _ = writeln!(text, "{}* {word}", "  ".repeat(depth + 1));
                    write(group, depth + 2, text);
                } else {
                    write(group, depth + 1, text);
                }
            }
        }
    }
    let mut text = "# Steps\n\n".to_owned();
    write(&flow.lines, 0, &mut text);
    text
}

/// What both a whole flow and one with errors implement alike: the structs of what it is lent and
/// given, and how they are put together.
fn parts(flow: &Flow) -> TokenStream {
    let lent: Vec<_> = flow
        .params
        .iter()
        .filter_map(|param| param.lent().map(|ty| (param, ty)))
        .collect();
    let lent_names: Vec<_> = lent.iter().map(|(param, _)| &param.name).collect();
    let lent_types: Vec<_> = lent
        .iter()
        .map(|(param, _)| param.with_lifetime())
        .collect();
    let inputs: Vec<_> = flow
        .params
        .iter()
        .filter(|param| param.lent().is_none())
        .collect();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let input_types: Vec<_> = inputs.iter().map(|param| &param.ty).collect();
    let mark = if lent.is_empty() {
        quote!(__none: __p::PhantomData<&'a ()>,)
    } else {
        TokenStream::new()
    };
    let no_mark = if lent.is_empty() {
        quote!(__none: __p::PhantomData,)
    } else {
        TokenStream::new()
    };
    quote! {
        #[derive(Clone, Copy)]
        pub struct __Lent<'a> { #(#lent_names: #lent_types,)* #mark }
        pub struct __Input { #(#input_names: #input_types,)* }
        impl __p::Assemble for __Of {
            type LentParts<'a> = (#(#lent_types,)*);
            type InputParts = (#(#input_types,)*);
            fn lent<'a>((#(#lent_names,)*): Self::LentParts<'a>) -> __Lent<'a> {
                __Lent { #(#lent_names,)* #no_mark }
            }
            fn input((#(#input_names,)*): Self::InputParts) -> __Input {
                __Input { #(#input_names,)* }
            }
        }
    }
}

/// The items of `Flow` that don't depend on the lines.
fn common(flow: &Flow) -> TokenStream {
    let lent: Vec<_> = flow
        .params
        .iter()
        .filter_map(|param| param.lent().map(|ty| (param, owned(ty))))
        .collect();
    let lent_names: Vec<_> = lent.iter().map(|(param, _)| &param.name).collect();
    let lent_types: Vec<_> = lent.iter().map(|(_, ty)| ty).collect();
    let inputs: Vec<_> = flow
        .params
        .iter()
        .filter(|param| param.lent().is_none())
        .collect();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let texts: Vec<_> = input_names.iter().map(|name| name.to_string()).collect();
    let codecs: Vec<Ident> = (0..inputs.len())
        .map(|i| format_ident!("__INPUT{i}"))
        .collect();
    let all_types = flow.params.iter().map(|param| {
        let ty = param.with_lifetime();
        if param.lent().is_some() {
            quote!(#ty)
        } else {
            quote!(&'a #ty)
        }
    });
    let all = flow.params.iter().map(|param| {
        let name = &param.name;
        if param.lent().is_some() {
            quote!(lent.#name)
        } else {
            quote!(&input.#name)
        }
    });
    let no_mark = if lent.is_empty() {
        quote!(__none: __p::PhantomData,)
    } else {
        TokenStream::new()
    };
    let syn::ReturnType::Type(_, ret) = &flow.function.sig.output else {
        return TokenStream::new();
    };
    let fields = format_ident!(
        "{}Fields",
        names::pascal(&flow.function.sig.ident.to_string())
    );
    let output = quote_spanned!(ret.span()=> <#ret as __p::StepReturn>::Output);
    let codec = quote_spanned!(ret.span()=> __p::codec::<Self::Output>());
    quote! {
        type Lent<'a> = __Lent<'a>;
        type Owned = (#(__p::Arc<#lent_types>,)*);
        type Input = __Input;
        type Output = #output;
        type Fields = #fields;
        type Params<'a> = (#(#all_types,)*);
        const OUTPUT: __p::Codec<Self::Output> = #codec;
        fn shorten<'short, 'long: 'short>(lent: Self::Lent<'long>) -> Self::Lent<'short> { lent }
        fn lend(owned: &Self::Owned) -> __Lent<'_> {
            let (#(#lent_names,)*) = owned;
            __Lent { #(#lent_names: &**#lent_names,)* #no_mark }
        }
        fn params<'a>(lent: __Lent<'a>, input: &'a __Input) -> Self::Params<'a> {
            (#(#all,)*)
        }
        fn save_input(input: &__Input) -> __p::Result<__p::Json, __p::JsonError> {
            __p::save_fields(&[#((#texts, (#codecs.encode)(&input.#input_names)?)),*])
        }
        fn load_input(saved: &__p::Json) -> __p::Result<__Input, __p::JsonError> {
            let mut fields = __p::load_fields(saved)?;
            __p::Result::Ok(__Input {
                #(#input_names: __p::load_field(&mut fields, #texts, #codecs)?,)*
            })
        }
    }
}

/// How each input is saved: the one place that asks whether it can be.
fn input_codecs(flow: &Flow) -> TokenStream {
    let inputs = flow.params.iter().filter(|param| param.lent().is_none());
    inputs
        .enumerate()
        .map(|(index, param)| {
            let name = format_ident!("__INPUT{index}");
            let ty = &param.ty;
            let codec = quote_spanned!(param.span()=> __p::input_codec::<#ty>());
            quote!(const #name: __p::Codec<#ty> = #codec;)
        })
        .collect()
}

/// `Flow` for a flow without errors.
pub(super) fn implementation(flow: &Flow) -> TokenStream {
    let parts = parts(flow);
    let common = common(flow);
    let codecs = input_codecs(flow);
    let table = table::whole(flow);
    let finish = finish(flow);
    quote! {
        #parts
        #codecs
        const __TABLE: &'static __p::Table = #table;
        const _: () = __p::check_depth(__TABLE);
        impl __p::Flow for __Of {
            #common
            type Slots = __Slots0;
            const TABLE: &'static __p::Table = __TABLE;
            const FINGERPRINT: u64 = __p::fingerprint(__TABLE);
            const HAS_ON_DONE: bool = __p::FlowProbe::<__Of>::ON_DONE.is_some();
            fn call<'b>(
                frame: &'b __p::Root<'_, Self>, line: usize, op: __p::Op<'b>, cx: &'b __p::Cx,
            ) -> __p::BoxFuture<'b, __p::OpResult> {
                __call0(frame, 0, line, op, cx)
            }
            fn enter<'b>(
                frame: &'b __p::Root<'_, Self>, line: usize, how: __p::Enter<'b>, cx: &'b __p::Cx,
            ) -> __p::EnterResult<'b> {
                __enter0(frame, 0, line, how, cx)
            }
            #finish
            fn on_done<'b>(
                lent: __Lent<'b>, input: &'b __Input, output: &'b Self::Output,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::FlowProbe::<__Of>::ON_DONE.map(|found| found.on_done(lent, input, output))
            }
            fn on_failed<'b>(
                lent: __Lent<'b>, input: &'b __Input, failure: &'b __p::Failure,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::FlowProbe::<__Of>::ON_FAILED.map(|found| found.on_failed(lent, input, failure))
            }
        }
    }
}

/// The code after the steps: a function of its own, which takes by value what it uses.
fn finish(flow: &Flow) -> TokenStream {
    let tail = &flow.tail;
    let output = &flow.function.sig.output;
    let root = super::Scope {
        flow,
        id: "0".to_owned(),
        partner: String::new(),
        lines: &flow.lines,
        parallel: false,
        up: None,
        brings: super::Brings::Nothing,
        inferred: false,
    };
    let used = |name: &Ident| names::uses(tail, &name.to_string());
    let mut params = Vec::new();
    let mut takes = Vec::new();
    let mut args = Vec::new();
    for param in &flow.params {
        let (name, pat) = (&param.name, &param.pat);
        let shadowed = flow.lines.iter().any(|line| line.name == *name);
        if shadowed || !used(name) {
            continue;
        }
        let ty = param.with_lifetime();
        params.push(quote!(#pat: #ty));
        let from = if param.lent().is_some() {
            quote!(lent)
        } else {
            quote!(input)
        };
        args.push(quote!(#from.#name));
    }
    for (index, line) in flow.lines.iter().enumerate() {
        let name = &line.name;
        if !used(name) {
            continue;
        }
        let of = callee(&root, index);
        let below = root.below(index);
        let ty = super::slots::value_type(line, &of, &below);
        params.push(quote!(#name: #ty));
        let (take, text) = (taker(line), name.to_string());
        takes.push(quote!(let #name = __p::done(slots.#name.#take(), #text);));
        args.push(quote!(#name));
    }
    quote! {
        fn finish<'b>(
            lent: Self::Lent<'b>, input: __Input, slots: __Slots0,
        ) -> __p::BoxFuture<'b, __p::Result<Self::Output, __p::StepError>> {
            async fn tail<'a>(#(#params),*) #output { #tail }
            __p::boxed(async move {
                #(#takes)*
                __p::ended(tail(#(#args),*).await)
            })
        }
    }
}

/// `Flow` for a flow with errors: enough for what names it elsewhere.
pub(super) fn broken(flow: &Flow) -> TokenStream {
    let parts = parts(flow);
    let common = common(flow);
    let codecs = input_codecs(flow);
    quote! {
        #parts
        #codecs
        #[derive(Default)]
        pub struct __Slots0;
        impl __p::Slots for __Slots0 {
            type Value = ();
            fn load(&self, _: usize, _: __p::Saved<'_>) -> __p::Result<(), __p::LoadError> {
                __p::Result::Ok(())
            }
            fn close(self) -> __p::Option<()> { __p::Option::None }
        }
        impl __p::Flow for __Of {
            #common
            type Slots = __Slots0;
            const TABLE: &'static __p::Table = __p::BROKEN;
            const FINGERPRINT: u64 = 0;
            fn call<'b>(
                _: &'b __p::Root<'_, Self>, _: usize, _: __p::Op<'b>, _: &'b __p::Cx,
            ) -> __p::BoxFuture<'b, __p::OpResult> { __p::no_call() }
            fn enter<'b>(
                _: &'b __p::Root<'_, Self>, _: usize, _: __p::Enter<'b>, _: &'b __p::Cx,
            ) -> __p::EnterResult<'b> { __p::no_scope() }
            fn finish<'b>(
                _: Self::Lent<'b>, _: __Input, _: __Slots0,
            ) -> __p::BoxFuture<'b, __p::Result<Self::Output, __p::StepError>> {
                __p::unreachable!()
            }
            fn on_done<'b>(
                _: __Lent<'b>, _: &'b __Input, _: &'b Self::Output,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::Option::None
            }
            fn on_failed<'b>(
                _: __Lent<'b>, _: &'b __Input, _: &'b __p::Failure,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::Option::None
            }
        }
    }
}
