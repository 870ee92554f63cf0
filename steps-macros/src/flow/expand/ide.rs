//! What only an editor sees: rust-analyzer sets `cfg(rust_analyzer)`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::flow::model::{Body, Flow, Line};

/// The paths the user wrote, in value position and before anything that is derived from them: so
/// hovering over one shows the function and not the type of the same name.
///
/// The compiler must not see them there as well: it would report a wrong path twice, once for each
/// namespace.
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
