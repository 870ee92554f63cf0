//! From the model to tokens. One file for each thing that is emitted.
//!
//! A path that the user wrote is emitted in type position only: once in an alias inside the block,
//! and again, with the same span, in the types outside of it. The compiler reports equal errors
//! once, so a wrong path is one error with the compiler's own suggestion. In value position as
//! well, it would be a second error.
//!
//! Of a flow with errors, there is what the rest of the file needs (`flow_impl::broken`), so that the
//! compiler reports nothing but the errors. An editor reads the same of every flow, and in place of
//! its code what shows the names in it (`editor`).

mod borrowed;
mod child;
pub(super) mod choice;
mod docs;
mod editor;
mod editor_value;
mod enter_code;
mod entry;
mod flow_impl;
mod introduced;
mod line_code;
mod params;
pub(super) mod plan;
mod plan_items;
mod recorded;
mod scope;
mod slots;
mod table;
mod typed_state;
mod uses;
mod value;

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    flow::model::{Flow, Health},
    item::{function, lints},
    reader::{Reader, hidden},
};
use scope::Scope;

/// Returns everything that is generated for a flow.
pub(super) fn expand(flow: &mut Flow, reader: Reader) -> TokenStream {
    if reader == Reader::Editor {
        editor::place_names(&mut flow.lines);
    }
    let flow = &*flow;
    let glue = if flow.health == Health::Whole && reader == Reader::Compiler {
        all_items(flow)
    } else {
        flow_impl::broken(flow, reader, &quote!(__p::Nothing))
    };
    let block = block_of(flow, &glue);
    let entry = entry::entry(flow, reader, &docs::tree(flow));
    let typed = typed_state::typed_state(flow, reader);
    match reader {
        Reader::Compiler => quote!(#entry #block #typed),
        Reader::Editor => {
            let (body, block) = (editor::body(flow), hidden(block));
            quote!(#body #entry #block #typed)
        }
    }
}

/// Returns the items of a flow without errors.
fn all_items(flow: &Flow) -> TokenStream {
    let scopes = each_scope(&Scope::root(flow));
    let implementation = flow_impl::whole(flow);
    quote!(#scopes #implementation)
}

/// Returns the block around generated items, in which their names can't collide with the user's.
fn block_of(flow: &Flow, glue: &TokenStream) -> TokenStream {
    let krate = &flow.krate;
    let name = &flow.function.sig.ident;
    let lints = lints::carried(&flow.function.attrs);
    let allow = function::allow_in_glue();
    quote! {
        #lints
        #allow
        #[allow(
            irrefutable_let_patterns, non_camel_case_types, unreachable_pub, missing_docs,
        )]
        const _: () = {
            use #krate::__private as __p;
            use __p::{
                BindRef as _, Done as _, GotOther as _, GotRecorded as _, ListOwned as _, ListRef as _, LookOption as _,
                LookOwned as _, LookRef as _, NoFlowHandler as _, NoHandler as _, NoSchema as _, OnceAny as _,
                Scope as _, ToBind as _,
            };
            #[allow(deprecated)]
            type __Of = #name;
            #glue
        };
    }
}

/// Returns what is emitted for a scope and for the scopes in it.
fn each_scope(scope: &Scope<'_>) -> TokenStream {
    let below: Vec<Vec<Scope<'_>>> = (0..scope.lines.len())
        .map(|line| scope.below(line))
        .collect();
    let inner: TokenStream = below.iter().flatten().map(each_scope).collect();
    let slots = slots::slots(scope, &below);
    let nodes = table::nodes(scope, &below);
    let ops = if scope.inferred {
        TokenStream::new()
    } else {
        line_code::items(scope)
    };
    quote!(#inner #slots #nodes #ops)
}
