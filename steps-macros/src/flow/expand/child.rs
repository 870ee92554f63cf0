//! The type and the call of a line about a child execution.

use proc_macro2::{Ident, Span, TokenStream, extra::DelimSpan};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    line_code::end,
    scope::{Scope, cx},
    slots::named,
};
use crate::flow::model::{Call, ChildCall, in_parens};

/// Returns the type of a line about a child execution of the flow that `path` names.
pub(super) fn child_type(
    child: &ChildCall,
    path: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    match child {
        ChildCall::Start { detached, .. } => {
            quote!(#private::start_child<#private::AsFlow<#path>, #detached>)
        }
        ChildCall::Join { .. } => quote!(#private::join_child<#private::AsFlow<#path>>),
    }
}

/// Returns the call of a line about a child execution.
pub(super) fn child_call(
    scope: &Scope<'_>,
    index: usize,
    call: &Call,
    child: &ChildCall,
    args: &TokenStream,
) -> TokenStream {
    let (named, cx) = (named(scope, index), cx());
    match child {
        ChildCall::Start { options, .. } => {
            let mut flow = named.clone();
            flow.set_span(end(call));
            let group = in_parens(args, &call.paren);
            let input = Ident::new("input", flow.span());
            let options = methods(options);
            quote! {
                __p::start_child::<__p::AsFlow<#named>, false>::call(#cx, {
                    use __p::NotStarted as _;
                    #flow::#input #group
                }) #options
            }
        }
        ChildCall::Join { .. } => {
            let span = Span::mixed_site().located_at(args.span());
            quote_spanned!(span=> __p::join_child::<__p::AsFlow<#named>>::call(&(#args)))
        }
    }
}

/// Returns the options of a `start` line, as the method calls that they are.
pub(super) fn methods(options: &[(Ident, DelimSpan, TokenStream)]) -> TokenStream {
    let calls = options.iter().map(|(name, span, given)| {
        let given = in_parens(given, span);
        quote!(.#name #given)
    });
    calls.collect()
}
