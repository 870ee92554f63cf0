//! Conditions: `#[cfg(…)]` and `#[cfg_attr(…)]` on a function and on its parameters. A macro can't
//! tell whether one holds. It leaves that to the compiler, and is expanded where it is decided.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{
    Attribute, FnArg, ItemFn, Meta, Token,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

use crate::{attr::args, errors::Errors};

/// If the function or a parameter of it has a condition, returns the function such that the
/// attribute of the macro `role` is expanded where the condition is decided.
///
/// One on the function is put before ours. For one on a parameter there are two functions, with it
/// and without it, each under its condition.
pub(crate) fn first(role: &str, attr: &TokenStream, item: &TokenStream) -> Option<TokenStream> {
    let mut function: ItemFn = syn::parse2(item.clone()).ok()?;
    let mut options = args::parse_leniently(attr.clone());
    let krate = args::take_crate(&mut options, &mut Errors::default());
    let role = Ident::new(role, Span::call_site());
    let list = if attr.is_empty() {
        quote!()
    } else {
        quote!((#attr))
    };
    let ours = quote!(#[#krate::#role #list]);
    if function.attrs.iter().any(is_condition) {
        let (conditions, rest) = function
            .attrs
            .into_iter()
            .partition::<Vec<_>, _>(is_condition);
        function.attrs = rest;
        return Some(quote!(#(#conditions)* #ours #function));
    }
    let mut inputs = function.sig.inputs.iter();
    let condition = inputs.find_map(|input| attrs(input).iter().find_map(condition))?;
    let (with, without) = (
        decided(&function, &condition, true),
        decided(&function, &condition, false),
    );
    Some(quote! {
        #[cfg(#condition)] #ours #with
        #[cfg(not(#condition))] #ours #without
    })
}

fn is_condition(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")
}

/// Returns the condition in a `cfg` or a `cfg_attr`. The compiler reports one that is not right.
fn condition(attr: &Attribute) -> Option<TokenStream> {
    if !is_condition(attr) {
        return None;
    }
    let Meta::List(list) = &attr.meta else {
        return None;
    };
    let mut parts = parts(list)?.into_iter();
    let condition = parts.next()?;
    // `cfg` has no more than the condition.
    (attr.path().is_ident("cfg_attr") || parts.next().is_none()).then_some(condition)
}

/// Returns what stands between the commas.
fn parts(list: &syn::MetaList) -> Option<Punctuated<TokenStream, Token![,]>> {
    let part = |input: ParseStream<'_>| {
        let mut part = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![,]) {
            part.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        Ok(part)
    };
    let parser = |input: ParseStream<'_>| Punctuated::parse_terminated_with(input, part);
    parser.parse2(list.tokens.clone()).ok()
}

/// Returns the function where the condition holds, or does not.
fn decided(function: &ItemFn, condition: &TokenStream, holds: bool) -> ItemFn {
    let same = |attr: &Attribute| {
        self::condition(attr).is_some_and(|other| other.to_string() == condition.to_string())
    };
    let mut function = function.clone();
    let inputs = std::mem::take(&mut function.sig.inputs);
    for mut input in inputs {
        let own = std::mem::take(attrs_mut(&mut input));
        let is_cfg = |attr: &Attribute| attr.path().is_ident("cfg");
        if !holds && own.iter().any(|attr| is_cfg(attr) && same(attr)) {
            continue;
        }
        for attr in own {
            if !same(&attr) {
                attrs_mut(&mut input).push(attr);
            } else if let (false, true, Meta::List(list)) = (is_cfg(&attr), holds, &attr.meta) {
                let more = parts(list).into_iter().flatten().skip(1);
                for more in more {
                    let parsed = Attribute::parse_outer.parse2(quote!(#[#more]));
                    attrs_mut(&mut input).extend(parsed.into_iter().flatten());
                }
            }
        }
        function.sig.inputs.push(input);
    }
    function
}

fn attrs(input: &FnArg) -> &[Attribute] {
    match input {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    }
}

fn attrs_mut(input: &mut FnArg) -> &mut Vec<Attribute> {
    match input {
        FnArg::Receiver(receiver) => &mut receiver.attrs,
        FnArg::Typed(typed) => &mut typed.attrs,
    }
}
