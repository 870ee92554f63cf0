//! The types of what a `for`, an `if let` and a `match` record, for the table.
//!
//! They are types of the user's expressions, which only the compiler knows. So each expression is
//! written a second time, in a function that has its type and is never called.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use super::{
    enter_code::anew,
    introduced::at,
    scope::{Scope, cx, local},
};
use crate::{
    flow::model::{Body, Cond},
    idents::Names,
};

/// Returns what a line records when it is entered, as an expression for the table; `None` if it
/// records no value.
pub(super) fn recorded(scope: &Scope<'_>, index: usize) -> Option<TokenStream> {
    let (f, item, got, cx) = (local("f"), local("item"), local("got"), cx());
    let evaluated = evaluated(scope, index)?;
    let held = local("held");
    let matches = match &scope.lines[index].body {
        Body::If {
            cond: Cond::Let { pat, value },
            ..
        } => {
            let viewed = at(value, quote!(#held.view()));
            quote!(match #viewed { #pat => true, _ => false })
        }
        Body::Match { value, arms } => {
            let viewed = at(value, quote!(#held.view()));
            let arms = arms.iter().enumerate();
            let arms = arms.filter_map(|(index, line)| {
                let pat = &line.arm.as_ref()?.pat;
                Some(quote!(#index => match #viewed { #pat => true, _ => false },))
            });
            quote!(match arm { #(#arms)* _ => false })
        }
        _ => quote!(true),
    };
    let (frame, enter) = enter(scope);
    Some(quote! {
        &__p::recording(
            |#f: &#frame, #item: usize, #cx: &__p::Cx| {
                #enter
                let (#got, _) = #evaluated;
                __p::Result::Ok(__p::Got(&#got).of())
            },
            |#held, arm| #matches,
        )
    })
}

/// Returns the expression that evaluates what a line records, as entering the line does.
fn evaluated(scope: &Scope<'_>, index: usize) -> Option<TokenStream> {
    let (source, expr, method) = match &scope.lines[index].body {
        Body::For { list, .. } => (quote!(each(|| __p::Once(#list).get())), list, "list"),
        Body::If {
            cond: Cond::Let { value, .. },
            ..
        }
        | Body::Match { value, .. } => (quote!(one(|| #value)), value, "look"),
        _ => return None,
    };
    let bindings = scope.bind(index, &Names::of(expr));
    let anew = anew(scope, index, expr);
    let method = Ident::new(method, Span::mixed_site().located_at(expr.span()));
    Some(quote!({
        #bindings
        __p::Source::#source #anew.#method(__p::Option::None)?
    }))
}

/// Returns the type of the innermost frame around a scope that can be written, and the statements
/// that lead from it to the frame of the scope.
fn enter(scope: &Scope<'_>) -> (TokenStream, TokenStream) {
    let (true, Some((up, index))) = (scope.inferred, scope.up) else {
        return (scope.frame(), TokenStream::new());
    };
    let (frame, outer) = enter(up);
    let line = &up.lines[index];
    let slot = up.slot(index);
    let (f, item, got) = (local("f"), local("item"), local("got"));
    let (slab, home) = (local("slab"), local("home"));
    let is_else = matches!(&line.body, Body::If { otherwise: Some(lines), .. }
        if std::ptr::eq(lines.as_slice(), scope.lines));
    let evaluated = evaluated(up, index).filter(|_| !is_else);
    let held = match &evaluated {
        Some(_) => quote!(#got),
        None => quote!(()),
    };
    let evaluate = evaluated.map(|evaluated| quote!(let (#got, _) = #evaluated;));
    let slots = match &line.body {
        Body::For { .. } => quote!((#slot.take_each(#got.len(), false), &#slot)),
        Body::Loop { .. } => quote!(#slot.take(__p::Enter::default())),
        Body::If {
            otherwise: Some(_), ..
        } if is_else => quote!(#slot.take_else(false)),
        Body::If {
            otherwise: Some(_), ..
        } => quote!(#slot.take_then(false)),
        _ => quote!((#slot.take(false), &#slot)),
    };
    let enter = quote! {
        #outer
        #evaluate
        let (#slab, #home) = #slots;
        let #f = &__p::typed_frame(#f, #item, #held, #slab, #home);
        let #item = 0_usize;
    };
    (frame, enter)
}
