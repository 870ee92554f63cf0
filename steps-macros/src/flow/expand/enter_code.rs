//! The code that enters the scope of a line: it evaluates what decides about the lines in it, unless that
//! is recorded, and makes the scope's frame.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    introduced::{at, by_value},
    line_code::{call_tokens, end, ops},
    scope::{Scope, local},
    slots::{callee, named},
};
use crate::{
    flow::check::plain,
    flow::model::{Arm, Body, Cond, Line},
    idents::{self, Names},
};

/// Returns the code of a line that is entered: a group or a flow.
pub(super) fn enter_body(scope: &Scope<'_>, index: usize, below: &[Scope<'_>]) -> TokenStream {
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
            let own = by_value(&in_key.of_these(&bound));
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
                        #own
                        keys.push(&#key)
                    })?)
                };
                let slab = #slot.take_each(list.len(), #how.fresh);
                __p::listed(__p::frame(#f, #item, list, slab, &#slot, #ops), input, keys)
            }
        }
        Body::Match { value, arms } => arm(scope, index, value, arms, &below[0]),
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
                let holds: bool = match #how.way.branch {
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
            let held = local("held");
            let viewed = at(value, quote!(#held.view()));
            let decide = quote! {
                let (#held, input) = {
                    #bindings
                    __p::Source::one(|| #value)#anew.#method(#how.input)?
                };
                let holds: bool = match #viewed { #pat => true, _ => false };
            };
            (decide, quote!(#held))
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

/// Returns the code that enters a `match`: it finds the arm to take, if none is recorded.
fn arm(
    scope: &Scope<'_>,
    index: usize,
    value: &TokenStream,
    arms: &[Line],
    below: &Scope<'_>,
) -> TokenStream {
    let slot = scope.slot(index);
    let (f, item, how) = (local("f"), local("item"), local("how"));
    let (held, input, arm) = (local("held"), local("input"), local("arm"));
    let mut cases = Vec::new();
    for (number, line) in arms.iter().enumerate() {
        let Some(Arm { pat, guard }) = &line.arm else {
            continue;
        };
        let guard = guard.as_ref().map(|guard| {
            let (names, bound) = (Names::of(guard), idents::bound(pat));
            let own = by_value(&names.of_these(&bound));
            let outer = scope.bind(index, &names.without(&bound));
            let holds = quote_spanned!(guard.span()=> { let holds: bool = #guard; holds });
            quote!(if { #outer #own #holds })
        });
        cases.push(quote!(#pat #guard => #number,));
    }
    let bindings = scope.bind(index, &Names::of(value));
    let anew = anew(scope, index, value);
    let at_value = Span::mixed_site().located_at(value.span());
    let method = Ident::new("look", at_value);
    let viewed = at(value, quote!(#held.view()));
    let ops = ops(below);
    quote! {
        let (#held, #input) = {
            #bindings
            __p::Source::one(|| #value)#anew.#method(#how.input)?
        };
        let #arm: usize = match #how.way.arm {
            __p::Option::Some(arm) => arm,
            __p::Option::None => match #viewed { #(#cases)* },
        };
        __p::matched(
            __p::frame(#f, #item, #held, #slot.take(#how.fresh), &#slot, #ops),
            #input,
            #arm,
        )
    }
}
