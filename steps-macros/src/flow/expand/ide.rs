//! Code for editors only: rust-analyzer sets `cfg(rust_analyzer)`, and the compiler does not.

use proc_macro2::TokenStream;
use quote::quote;

use crate::flow::model::{Body, Flow, Line};

/// Returns the paths that the user wrote, in value position. They are emitted before everything
/// that is derived from them, so that hovering over one shows the function, not the type of the
/// same name.
///
/// They are hidden from the compiler, which would report a wrong path twice: as a value and as a
/// type.
pub(super) fn values(flow: &Flow) -> TokenStream {
    let mut values = Vec::new();
    collect(&flow.lines, &mut values);
    quote! {
        #[cfg(rust_analyzer)]
        fn __values() { #({ #values };)* }
    }
}

fn collect(lines: &[Line], values: &mut Vec<TokenStream>) {
    for line in lines {
        match &line.body {
            Body::Step(call) | Body::Flow(call) => {
                let path = &call.path;
                values.push(quote!(#path));
            }
            Body::Broken(tokens) => values.push(tokens.clone()),
            _ => {}
        }
        for group in line.groups() {
            collect(group, values);
        }
    }
}
