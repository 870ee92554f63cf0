//! What is generated from a flow's parameters and its return type. It does not depend on the lines.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    case,
    flow::model::{Flow, Health},
    reader::Reader,
};

/// Returns the structs for what the flow is lent and for its input, and how they are assembled: the
/// same for a flow with errors as for one without.
pub(super) fn parts(flow: &Flow, reader: Reader) -> TokenStream {
    let lent = flow.lent();
    let lent_names: Vec<_> = lent.iter().map(|param| &param.name).collect();
    let lent_types: Vec<_> = lent.iter().map(|param| param.with_lifetime()).collect();
    let inputs = flow.inputs();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let input_types: Vec<_> = inputs.iter().map(|param| &param.ty).collect();
    let mark = if lent.iter().all(|param| param.is_static()) {
        quote!(__none: __p::PhantomData<&'a ()>,)
    } else {
        TokenStream::new()
    };
    let no_mark = if lent.iter().all(|param| param.is_static()) {
        quote!(__none: __p::PhantomData,)
    } else {
        TokenStream::new()
    };
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
    let output = output(flow);
    let codec = match flow.health {
        Health::Whole | Health::BadLines => {
            let value = flow.output.value().span();
            quote_spanned!(value=> __p::codec::<Self::Output>())
        }
        Health::BadSignature | Health::Generic(_) => quote!(__p::unsaved()),
    };
    let owned_types: Vec<_> = lent
        .iter()
        .map(|param| param.owned_type(&quote!(__p)))
        .collect();
    let assembled = (reader == Reader::Compiler).then(|| {
        quote! {
            impl __Of {
                fn __lent<'a>(#(#lent_names: #lent_types),*) -> __Lent<'a> {
                    __Lent { #(#lent_names,)* #no_mark }
                }
                fn __input(#(#input_names: #input_types),*) -> __Input {
                    __Input { #(#input_names,)* }
                }
                fn __owned(#(#lent_names: #owned_types),*) -> __Owned {
                    __Owned { #(#lent_names),* }
                }
                #[doc(hidden)]
                pub fn __params<'a>(lent: __Lent<'a>, input: &'a __Input) -> (#(#all_types,)*) {
                    (#(#all,)*)
                }
            }
        }
    });
    quote! {
        #[derive(Clone, Copy)]
        pub struct __Lent<'a> { #(#[allow(dead_code)] #lent_names: #lent_types,)* #mark }
        #[derive(Clone)]
        pub struct __Owned { #(#[allow(dead_code)] #lent_names: #owned_types,)* }
        pub struct __Input { #(#[allow(dead_code)] #input_names: #input_types,)* }
        impl __p::Step for __Of {
            type Function = Self;
        }
        impl __p::Function for __Of {
            type Args<'a> = __p::NoArgs;
            type Output = <Self as __p::Flow>::Output;
            type Error = __p::Infallible;
            type Ref<L: __p::Loops> = __p::StepRef<Self::Output>;
            type AsFlow = Self;
            const ABOUT: __p::About = __p::About::plain("");
            const CODEC: __p::Codec<Self::Output> = __p::unsaved();
            fn run<'a>(
                _: __p::NoArgs,
                _: &'a __p::Cx,
                _: __p::Option<fn(&Self::Error) -> bool>,
                _: __p::Keep<'a, Self::Output>,
            ) -> __p::BoxFuture<'a, __p::OpResult> { __p::no_call() }
        }
        impl __p::HasPolicy for __Of {}
        #assembled
        struct __Out;
        impl __p::FlowOutput for __Out {
            type Given = #output;
            type Output = #output;
            const CODEC: __p::Codec<Self::Output> = #codec;
            fn same(given: Self::Given) -> Self::Output { given }
        }
    }
}

/// Returns the beginning of `impl Flow`. Types in the signature may be private where the flow is not,
/// which the compiler warns about at the function; in an associated type it is an error. So the
/// output is a parameter that can only be that one type.
pub(super) fn header(flow: &Flow) -> TokenStream {
    let output = output(flow);
    quote! {
        impl<O: __p::Send + __p::Sync + 'static> __p::Flow for __Of
        where
            __Out: __p::FlowOutput<Given = #output, Output = O>,
    }
}

/// Returns the type of the output.
fn output(flow: &Flow) -> TokenStream {
    match flow.health {
        Health::Whole | Health::BadLines => {
            let ret = &flow.output.ty;
            quote_spanned!(ret.span()=> <#ret as __p::StepReturn>::Output)
        }
        Health::BadSignature | Health::Generic(_) => {
            let value = flow.output.fallback_value(&flow.function);
            quote!(#value)
        }
    }
}

/// Returns the items of `impl Flow` that don't depend on the lines.
pub(super) fn common(flow: &Flow) -> TokenStream {
    let lent = flow.lent();
    let lends = lent.iter().map(|param| {
        let name = &param.name;
        if param.is_static() {
            quote!(#name: owned.#name)
        } else {
            quote!(#name: &*owned.#name)
        }
    });
    let inputs = flow.inputs();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let texts: Vec<_> = input_names
        .iter()
        .map(std::string::ToString::to_string)
        .collect();
    let aliases = inputs.iter().map(|param| &param.aliases);
    let codecs: Vec<Ident> = (0..inputs.len()).map(input_codec).collect();
    let no_mark = if lent.iter().all(|param| param.is_static()) {
        quote!(__none: __p::PhantomData,)
    } else {
        TokenStream::new()
    };
    let lend_nothing = lent.is_empty().then(|| {
        quote! {
            fn lend_nothing<'a>() -> __p::Option<__Lent<'a>> {
                __p::Option::Some(__Lent { #no_mark })
            }
        }
    });
    let output_text = flow.output.text();
    // The place for the compiler's error about a resource that can't be shared between threads.
    let span = lent
        .first()
        .map_or_else(Span::call_site, |param| param.span());
    let lent_type = quote_spanned!(Span::mixed_site().located_at(span)=> __Lent<'a>);
    let title = case::pascal(&flow.function.sig.ident.to_string());
    let (fields, steps) = (
        format_ident!("{title}Fields"),
        format_ident!("{title}Steps"),
    );
    quote! {
        type Lent<'a> = #lent_type;
        type Owned = __Owned;
        type Input = __Input;
        type Output = O;
        type Fields = #fields;
        type Steps<P: __p::Within> = #steps<P>;
        const OUTPUT: __p::Codec<O> = <__Out as __p::FlowOutput>::CODEC;
        fn shorten<'short, 'long: 'short>(lent: Self::Lent<'long>) -> Self::Lent<'short> { lent }
        fn lend(owned: &Self::Owned) -> __Lent<'_> {
            __Lent { #(#lends,)* #no_mark }
        }
        #lend_nothing
        const OUTPUT_TEXT: &'static str = #output_text;
        fn save_input(input: &__Input) -> __p::Result<__p::Json, __p::JsonError> {
            __p::save_fields(&[#(__p::save_field(#texts, &input.#input_names, #codecs)?),*])
        }
        fn load_input(saved: &__p::Json) -> __p::Result<__Input, __p::JsonError> {
            let mut fields = __p::load_fields(saved)?;
            let input = __Input {
                #(#input_names: __p::load_field(
                    &mut fields, #texts, &[#(#aliases),*], #codecs,
                )?,)*
            };
            __p::end_fields(&fields)?;
            __p::Result::Ok(input)
        }
    }
}

/// Returns the name of the constant that holds an input's codec.
pub(super) fn input_codec(index: usize) -> Ident {
    format_ident!("__INPUT{index}")
}

/// Returns the codec of each input. Only here is the compiler asked whether an input can be saved.
pub(super) fn input_codecs(flow: &Flow) -> TokenStream {
    let inputs = flow.inputs().into_iter();
    inputs
        .enumerate()
        .map(|(index, param)| {
            let name = input_codec(index);
            let ty = &param.ty;
            let codec = if flow.health == Health::BadSignature {
                quote!(__p::unsaved::<#ty>())
            } else {
                quote_spanned!(param.span()=> __p::input_codec::<#ty>())
            };
            quote!(const #name: __p::Codec<#ty> = #codec;)
        })
        .collect()
}
