//! What a flow is turned into. One file for each thing that is emitted.

mod ops;
mod scope;
mod shell;
mod slots;
mod table;
mod typed;

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Flow;
use scope::{Brings, Scope};

/// Generates everything. Of a flow with errors, what the rest of the file needs.
pub(super) fn expand(flow: &Flow, broken: bool) -> TokenStream {
    let shell = shell::shell(flow);
    let typed = typed::typed(flow);
    let krate = &flow.krate;
    let name = &flow.function.sig.ident;
    let glue = if broken {
        shell::broken(flow)
    } else {
        let root = Scope {
            flow,
            id: "0".to_owned(),
            partner: String::new(),
            lines: &flow.lines,
            parallel: false,
            up: None,
            brings: Brings::Nothing,
            inferred: false,
        };
        let scopes = each_scope(&root);
        let implementation = shell::implementation(flow);
        quote!(#scopes #implementation)
    };
    quote! {
        #shell
        #typed
        #[allow(
            clippy::all, clippy::pedantic, unused, irrefutable_let_patterns, non_camel_case_types,
            elided_lifetimes_in_paths, unreachable_pub, missing_docs, private_interfaces,
        )]
        const _: () = {
            use #krate::__private as __p;
            use __p::{
                BindRef as _, ListOwned as _, ListRef as _, OnceAny as _, LookOption as _, LookOwned as _,
                LookRef as _, NoFlowHandler as _, NoHandler as _, Scope as _,
            };
            type __Of = #name;
            #glue
        };
    }
}

/// What is emitted for a scope, and for those in it.
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
        ops::items(scope)
    };
    quote!(#inner #slots #nodes #ops)
}
