//! What is generated from a flow's parameters and its return type. It does not depend on the lines.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    case,
    flow::model::{Flow, Health},
    item::function::owned,
};

/// Returns the structs for what the flow is lent and for its input, and how they are assembled: the
/// same for a flow with errors as for one without.
pub(super) fn parts(flow: &Flow) -> TokenStream {
    let lent = flow.lent();
    let lent_names: Vec<_> = lent.iter().map(|param| &param.name).collect();
    let lent_types: Vec<_> = lent.iter().map(|param| param.with_lifetime()).collect();
    let inputs = flow.inputs();
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
        impl __p::Step for __Of {
            type Args<'a> = __p::NoArgs;
            type Output = <Self as __p::Flow>::Output;
            type Error = __p::Infallible;
            type AsFlow = Self;
            const OUTPUT_TEXT: &'static str = "";
            const CODEC: __p::Codec<Self::Output> = __p::unsaved();
            fn run<'a>(
                _: __p::NoArgs, _: &'a __p::Cx, _: __p::Option<fn(&Self::Error) -> bool>,
            ) -> impl __p::Future<
                Output = __p::Result<__p::Attempt<Self::Output>, __p::StepError>,
            > + __p::Send + 'a {
                __p::pending()
            }
        }
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

/// Returns the items of `impl Flow` that don't depend on the lines.
pub(super) fn common(flow: &Flow) -> TokenStream {
    let lent = flow.lent();
    let lent_names: Vec<_> = lent.iter().map(|param| &param.name).collect();
    let owned_types = lent.iter().filter_map(|param| param.lent());
    let owned_types: Vec<_> = owned_types.map(owned).collect();
    let inputs = flow.inputs();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let texts: Vec<_> = input_names
        .iter()
        .map(std::string::ToString::to_string)
        .collect();
    let codecs: Vec<Ident> = (0..inputs.len()).map(input_codec).collect();
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
    // The place for the compiler's error about a resource that can't be shared between threads.
    let span = lent
        .first()
        .map_or_else(Span::call_site, |param| param.span());
    let lent_type = quote_spanned!(Span::mixed_site().located_at(span)=> __Lent<'a>);
    let fields = format_ident!(
        "{}Fields",
        case::pascal(&flow.function.sig.ident.to_string())
    );
    let (output, codec) = match flow.health {
        Health::Whole | Health::BadLines => {
            let (ret, value) = (&flow.output.ty, flow.output.value().span());
            (
                quote_spanned!(ret.span()=> <#ret as __p::StepReturn>::Output),
                quote_spanned!(value=> __p::codec::<Self::Output>()),
            )
        }
        Health::BadSignature | Health::Generic(_) => {
            let value = flow.output.fallback_value(&flow.function);
            (quote!(#value), quote!(__p::unsaved()))
        }
    };
    quote! {
        type Lent<'a> = #lent_type;
        type Owned = (#(__p::Arc<#owned_types>,)*);
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
