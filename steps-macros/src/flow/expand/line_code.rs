//! The code of a scope: a function for each line, and the functions that select one of these by the
//! line's number.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    borrowed::Borrowed,
    child::child_call,
    scope::{Introduces, Origin, Scope, cx, local},
    slots::{callee, let_codec, named},
    table::handlers,
};
use crate::{
    flow::check::plain,
    flow::model::{Body, Call, Cond, Line, Within, in_parens},
    idents::{self, Names},
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
fn ops(scope: &Scope<'_>) -> TokenStream {
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
fn call_tokens(of: &Ident, call: &Call, args: &TokenStream) -> TokenStream {
    let mut of = of.clone();
    of.set_span(end(call));
    let group = in_parens(args, &call.paren);
    let method = Ident::new("call", of.span());
    quote!(#of::#method #group)
}

/// Returns the code of a line that is entered: a group or a flow.
fn enter_body(scope: &Scope<'_>, index: usize, below: &[Scope<'_>]) -> TokenStream {
    let line = &scope.lines[index];
    let slot = scope.slot(index);
    let (f, item, how) = (local("f"), local("item"), local("how"));
    match &line.body {
        Body::Step(_) | Body::Let { .. } => TokenStream::new(),
        Body::Broken(_) => quote!(__p::no_scope()),
        Body::Flow(call) => {
            let of = callee(scope, index);
            let bindings = scope.bind(index, &Names::of(&call.args));
            let called = call_tokens(&named(scope, index), call, &call.args);
            let called = quote_spanned!(end(call)=> __p::flow_call::<#of, _>(#called));
            quote! {
                #bindings
                let (lent, input) = #called;
                __p::Root::<#of>::enter(lent, __p::Option::Some(input), &#slot, #how)
            }
        }
        Body::Group(_) | Body::Parallel(_) | Body::Race(_) => {
            let ops = ops(&below[0]);
            quote!(__p::entered(__p::frame(#f, #item, (), #slot.take(#how.fresh), &#slot, #ops)))
        }
        Body::Loop { .. } => {
            let ops = ops(&below[0]);
            quote! {
                let (slab, home) = #slot.take(#how);
                __p::entered(__p::frame(#f, #item, (), slab, home, #ops))
            }
        }
        Body::For { pat, list, key, .. } => {
            let bindings = scope.bind(index, &Names::of(list));
            let bound = idents::bound(pat);
            let in_key = Names::of(key);
            let own: Vec<TokenStream> = bound
                .iter()
                .filter(|name| in_key.contains(&name.to_string()))
                .map(|name| quote!(let #name = #name.__bind().get();))
                .collect();
            let key_bindings = scope.bind(index, &in_key.without(&bound));
            let ops = ops(&below[0]);
            let anew = anew(scope, index, list);
            let method = Ident::new("list", Span::mixed_site().located_at(list.span()));
            quote! {
                let (list, input) = {
                    #bindings
                    __p::Source::each(|| __p::Once(#list).get())#anew.#method(#how.input)?
                };
                let keys = if #how.input.is_some() {
                    __p::Option::None
                } else {
                    #key_bindings
                    __p::Option::Some(list.keys(|keys, #pat| {
                        #(#own)*
                        keys.push(&#key)
                    })?)
                };
                let slab = #slot.take_each(list.len(), #how.fresh);
                __p::listed(__p::frame(#f, #item, list, slab, &#slot, #ops), input, keys)
            }
        }
        Body::If {
            cond, otherwise, ..
        } => branch(scope, index, cond, otherwise.is_some(), below),
    }
}

/// Returns the method that marks an expression which may give something else the next time, so that
/// its value has to be recorded.
pub(super) fn anew(scope: &Scope<'_>, index: usize, expr: &TokenStream) -> TokenStream {
    if plain::is_plain(expr, &|name| scope.name(index, name)) {
        TokenStream::new()
    } else {
        quote!(.anew())
    }
}

fn branch(
    scope: &Scope<'_>,
    index: usize,
    cond: &Cond,
    has_else: bool,
    below: &[Scope<'_>],
) -> TokenStream {
    let slot = scope.slot(index);
    let (f, item, how) = (local("f"), local("item"), local("how"));
    let (decide, held) = match cond {
        Cond::Is(cond) => {
            let bindings = scope.bind(index, &Names::of(cond));
            let decide = quote! {
                let input = __p::Option::None;
                let holds: bool = match #how.decision {
                    __p::Option::Some(holds) => holds,
                    __p::Option::None => { #bindings #cond }
                };
            };
            (decide, quote!(()))
        }
        Cond::Let { pat, value } => {
            let bindings = scope.bind(index, &Names::of(value));
            let anew = anew(scope, index, value);
            let method = Ident::new("look", Span::mixed_site().located_at(value.span()));
            let decide = quote! {
                let (held, input) = {
                    #bindings
                    __p::Source::one(|| #value)#anew.#method(#how.input)?
                };
                let holds: bool = match held.view() { #pat => true, _ => false };
            };
            (decide, quote!(held))
        }
    };
    let then_ops = ops(&below[0]);
    let (take_then, otherwise) = if has_else {
        let else_ops = ops(&below[1]);
        (
            quote!(#slot.take_then(#how.fresh)),
            quote! {
                let (slab, home) = #slot.take_else(#how.fresh);
                __p::decided(
                    __p::Option::Some(__p::frame(#f, #item, (), slab, home, #else_ops)),
                    input,
                    false,
                )
            },
        )
    } else {
        (
            quote!((#slot.take(#how.fresh), &#slot)),
            quote!(__p::decided(__p::Option::None, input, false)),
        )
    };
    quote! {
        #decide
        if holds {
            let (slab, home) = #take_then;
            __p::decided(
                __p::Option::Some(__p::frame(#f, #item, #held, slab, home, #then_ops)),
                input,
                true,
            )
        } else {
            #otherwise
        }
    }
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
