//! The code of a scope: a function for each line, and the functions that select one of these by the
//! line's number.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    borrowed::Borrowed,
    child::child_call,
    enter_code::enter_body,
    introduced::Introduces,
    scope::{Origin, Scope, cx, local},
    slots::{callee, let_codec, named},
    table::handlers,
};
use crate::{
    flow::model::{Body, Call, Line, Within, in_parens},
    idents::Names,
};

/// Returns the functions of a scope whose frame has a type that can be written.
pub(super) fn items(scope: &Scope<'_>) -> TokenStream {
    let alias = scope.frame_alias();
    let frame = scope.frame();
    let (f, item, line, op, how, cx) = locals();
    let (call, enter, until) = names(scope);
    let mut functions = Vec::new();
    let mut calls = Vec::new();
    let mut enters = Vec::new();
    for index in 0..scope.lines.len() {
        let name = format_ident!("__line{}_{index}", scope.id);
        if let Some(body) = call_body(scope, index) {
            functions.push(quote! {
                fn #name<'b>(
                    #f: &'b #frame, #item: usize, #op: __p::Op<'b>, #cx: &'b __p::Cx,
                ) -> __p::BoxFuture<'b, __p::OpResult> { #body }
            });
            calls.push(quote!(#index => #name(#f, #item, #op, #cx),));
        } else {
            let body = enter_body(scope, index, &scope.below(index));
            functions.push(quote! {
                fn #name<'b>(
                    #f: &'b #frame, #item: usize, #how: __p::Enter<'b>, #cx: &'b __p::Cx,
                ) -> __p::EnterResult<'b> { #body }
            });
            enters.push(quote!(#index => #name(#f, #item, #how, #cx),));
        }
    }
    let until_fn = until_body(scope).map(|body| {
        quote! {
            fn #until<'b>(
                #f: &'b #frame, #cx: &'b __p::Cx,
            ) -> __p::Result<bool, __p::StepError> { #body }
        }
    });
    quote! {
        #alias
        #(#functions)*
        fn #call<'b>(
            #f: &'b #frame, #item: usize, #line: usize, #op: __p::Op<'b>, #cx: &'b __p::Cx,
        ) -> __p::BoxFuture<'b, __p::OpResult> {
            match #line { #(#calls)* _ => __p::no_call() }
        }
        fn #enter<'b>(
            #f: &'b #frame, #item: usize, #line: usize, #how: __p::Enter<'b>, #cx: &'b __p::Cx,
        ) -> __p::EnterResult<'b> {
            match #line { #(#enters)* _ => __p::no_scope() }
        }
        #until_fn
    }
}

fn locals() -> (Ident, Ident, Ident, Ident, Ident, Ident) {
    (
        local("f"),
        local("item"),
        local("line"),
        local("op"),
        local("how"),
        cx(),
    )
}

fn names(scope: &Scope<'_>) -> (Ident, Ident, Ident) {
    (
        format_ident!("__call{}", scope.id),
        format_ident!("__enter{}", scope.id),
        format_ident!("__until{}", scope.id),
    )
}

/// Returns the functions of a scope as an `Ops`. They are closures where the frame's type can't be
/// written.
pub(super) fn ops(scope: &Scope<'_>) -> TokenStream {
    if !scope.inferred {
        let (call, enter, until) = names(scope);
        let until = match scope.introduces {
            Introduces::Prev => quote!(#until),
            _ => quote!(__p::no_until),
        };
        return quote!(__p::Ops { call: #call, enter: #enter, until: #until });
    }
    let (f, item, line, op, how, cx) = locals();
    let mut calls = Vec::new();
    let mut enters = Vec::new();
    for index in 0..scope.lines.len() {
        match call_body(scope, index) {
            Some(body) => calls.push(quote!(#index => { #body })),
            None => {
                let body = enter_body(scope, index, &scope.below(index));
                enters.push(quote!(#index => { #body }));
            }
        }
    }
    let until = match until_body(scope) {
        Some(body) => quote!(|#f, #cx| { #body }),
        None => quote!(__p::no_until),
    };
    quote! {
        __p::Ops {
            call: |#f, #item, #line, #op, #cx| match #line { #(#calls)* _ => __p::no_call() },
            enter: |#f, #item, #line, #how, #cx| match #line { #(#enters)* _ => __p::no_scope() },
            until: #until,
        }
    }
}

/// Returns the code of a line that calls a step, or evaluates a value; `None` for other lines.
fn call_body(scope: &Scope<'_>, index: usize) -> Option<TokenStream> {
    let line: &Line = &scope.lines[index];
    let op = local("op");
    let call = match &line.body {
        Body::Step(call) => call,
        Body::Let { ty, by_form, value } => {
            let (bindings, slot) = (scope.bind(index, &Names::of(value)), scope.slot(index));
            let codec = let_codec(scope, index);
            let value = if *by_form {
                let span = Span::mixed_site().located_at(value.span());
                quote_spanned!(span=> __p::looks_like::<#ty, _>(#value))
            } else {
                value.clone()
            };
            let evaluated = local("value");
            return Some(quote! {
                __p::boxed(async move {
                    __p::let_line(#op, &#slot, #codec, || {
                        #bindings
                        let #evaluated: #ty = #value;
                        __p::Result::<#ty, __p::LetError>::Ok(#evaluated)
                    })
                })
            });
        }
        _ => return None,
    };
    let cx = cx();
    let of = callee(scope, index);
    let handlers = handlers(scope, index);
    let slot = scope.slot(index);
    let when = line.options.when();
    let drive = |args: &TokenStream| {
        let called = match (&call.within, &call.child) {
            (_, Some(child)) => child_call(scope, index, call, child, args),
            (None, None) => call_tokens(&of, call, args),
            (Some(Within { word, limit, .. }), None) => {
                let called = call_tokens(&named(scope, index), call, args);
                quote!(#called.#word(#limit))
            }
        };
        let called = quote_spanned!(end(call)=> __p::step_call::<#of, _>(#called));
        quote!(__p::drive(#op, #cx, #called, &#slot, &#handlers, #when))
    };
    let used = call.names();
    if let Some(borrowed) = borrowed(scope, index, call) {
        let bindings = scope.bind_as(index, &used, &|name| borrowed.bound(name));
        let driven = drive(&borrowed.args);
        return Some(quote!(#bindings #driven));
    }
    let bindings = scope.bind(index, &used);
    let driven = drive(&call.args);
    Some(quote!(__p::boxed(async move { #bindings #driven.await })))
}

/// Returns a line's arguments, if they hold nothing of their own.
fn borrowed(scope: &Scope<'_>, index: usize, call: &Call) -> Option<Borrowed> {
    if call.within.is_some() || call.child.is_some() {
        return None;
    }
    let lendable = |name: &str| match scope.origin(index, name) {
        Origin::Param(_) => true,
        Origin::Line(line) => matches!(line.body, Body::Step(_) | Body::Let { .. }),
        Origin::Introduced | Origin::Other => false,
    };
    let values = |name: &str| !matches!(scope.origin(index, name), Origin::Other);
    Borrowed::read(&call.args, &lendable, &values)
}

/// Returns the position of a callee's name, for spans of generated code.
pub(super) fn end(call: &Call) -> Span {
    let last = call.path.segments.last();
    let span = last.map_or_else(Span::mixed_site, |last| last.ident.span());
    Span::mixed_site().located_at(span)
}

/// Returns the call itself, with the user's spans.
pub(super) fn call_tokens(of: &Ident, call: &Call, args: &TokenStream) -> TokenStream {
    let mut of = of.clone();
    of.set_span(end(call));
    let group = in_parens(args, &call.paren);
    let method = Ident::new("call", of.span());
    quote!(#of::#method #group)
}

/// Returns the code of the condition after `until`, evaluated in the scope of the round.
fn until_body(scope: &Scope<'_>) -> Option<TokenStream> {
    let (up, index) = scope.up?;
    let Body::Loop { until, .. } = &up.lines[index].body else {
        return None;
    };
    let bindings = scope.bind(scope.lines.len(), &Names::of(until));
    let item = local("item");
    Some(quote! {
        let #item = 0;
        #bindings
        __p::Result::Ok(#until)
    })
}
