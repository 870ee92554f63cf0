//! The entry point: the flow's function, and the type of the same name.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{format_ident, quote};

use super::scope::local;
use crate::{
    case,
    flow::model::{Flow, Health},
    item::{function, lints},
    reader::{Reader, hidden},
};

/// Returns the function and its type. `tree` is what its documentation says of its steps.
pub(super) fn entry(flow: &Flow, reader: Reader, tree: &str) -> TokenStream {
    let krate = &flow.krate;
    let private = quote!(#krate::__private);
    let name = &flow.function.sig.ident;
    let vis = &flow.function.vis;
    let attrs = &flow.function.attrs;
    let docs = function::docs(attrs);
    // A lint about the function is told if the function begins and ends with tokens of the user's.
    let fn_token = &flow.function.sig.fn_token;
    let end = syn::Token![>](flow.function.sig.paren_token.span.close());
    let type_vis = function::type_visibility(vis);
    let type_name = function::type_name(name);
    let lints = lints::carried(attrs);
    let mut own: Vec<_> = attrs
        .iter()
        .filter(|attr| !attr.path().is_ident("doc"))
        .cloned()
        .collect();
    // What is expected of the body is met in other items, if anywhere.
    lints::allow_expected(&mut own, |_| true);
    let user_docs = attrs.iter().filter(|attr| attr.path().is_ident("doc"));
    let params = params(flow);
    // An editor reads the parameters where the lines are.
    let seen = |tokens: TokenStream| match reader {
        Reader::Compiler => tokens,
        Reader::Editor => hidden(tokens),
    };
    let signature = seen(quote!(#(#params,)*));
    let any = any(flow);
    let args: Vec<_> = flow.params.iter().map(|param| &param.name).collect();
    let begun = match (flow.health, reader) {
        (Health::Generic(_), _) | (_, Reader::Editor) => quote!(#private::unreachable!()),
        _ => quote!(#name::call(#(#args),*)),
    };
    let mut block = Group::new(Delimiter::Brace, seen(begun));
    block.set_span(flow.function.block.brace_token.span.join());
    let about = format!(
        "The flow [`{name}()`]: references to its steps, and what an engine needs to run it."
    );
    let run = seen(quote!(#krate::Run));
    let of = seen(quote!(#name));
    let items = seen(items(flow, reader));
    quote! {
        #(#user_docs)*
        #[doc = ""]
        #[doc = #tree]
        #(#own)*
        #[allow(clippy::too_many_arguments, clippy::needless_pass_by_value, deprecated)]
        #vis #fn_token #name<'a>(#signature #any) -> #run<'a, #of #end #block

        #(#docs)*
        #[doc = ""]
        #[doc = #about]
        #[allow(non_camel_case_types)]
        #lints
        #type_vis struct #type_name {}

        #items
    }
}

/// Returns the functions of the type.
fn items(flow: &Flow, reader: Reader) -> TokenStream {
    let krate = &flow.krate;
    let private = quote!(#krate::__private);
    let name = &flow.function.sig.ident;
    let (params, any) = (params(flow), any(flow));
    let lints = lints::carried(&flow.function.attrs);
    let allow = function::allow_in_glue();
    let lent_params = flow.lent();
    let lent: Vec<_> = lent_params.iter().map(|param| &param.name).collect();
    let lent_types: Vec<_> = lent_params.iter().map(|p| p.with_lifetime()).collect();
    let owned_types: Vec<_> = lent_params
        .iter()
        .map(|param| param.owned_type(&private))
        .collect();
    let inputs = flow.inputs();
    let input_names: Vec<_> = inputs.iter().map(|param| &param.name).collect();
    let input_types: Vec<_> = inputs.iter().map(|param| &param.ty).collect();
    let saved = local("saved");
    let steps = format_ident!("{}Steps", case::pascal(&name.to_string()));
    // An editor reads no body, and so offers none of the functions that they call.
    let body = |tokens: TokenStream| match reader {
        Reader::Compiler => tokens,
        Reader::Editor => quote!(#private::unreachable!()),
    };
    let call = (reader == Reader::Compiler).then(|| {
        quote! {
            #[doc(hidden)]
            pub fn call<'a>(#(#params,)* #any) -> #krate::Run<'a, Self> {
                #krate::Run::new(
                    Self::__lent(#(#lent),*),
                    Self::__input(#(#input_names),*),
                )
            }
        }
    });
    let resumed = body(quote! {
        let #saved = #private::Into::into(#saved);
        let lent = Self::__lent(#(#lent),*);
        #krate::Run::from_saved(lent, #saved)
    });
    let with = body(quote!(#krate::With::new(Self::__owned(#(#private::Into::into(#lent)),*))));
    let input = body(quote!(#krate::Input::new(Self::__input(#(#input_names),*))));
    quote! {
        #lints
        #allow
        #[allow(deprecated)]
        impl #name {
            /// References to the steps, checked by the compiler.
            pub const STEPS: #steps = <#steps>::REFS;

            #call

            /// Resumes the flow from a saved state, with the input saved in it.
            ///
            /// # Errors
            ///
            /// Returns an error if the state is another flow's, or if its input can't be read.
            pub fn resume<'a>(
                #(#lent: #lent_types,)*
                #saved: impl #private::Into<#krate::State>,
            ) -> #private::Result<#krate::Run<'a, Self>, #krate::Failure> {
                #resumed
            }

            /// The flow with the resources that it is lent, for registration with an engine.
            pub fn with(
                #(#lent: impl #private::Into<#owned_types>,)* #any
            ) -> #krate::With<Self> {
                #with
            }

            /// The flow's input, for starting it on an engine.
            pub fn input(#(#input_names: #input_types,)* #any) -> #krate::Input<Self> {
                #input
            }
        }
    }
}

/// Returns the parameters of the functions that take what the flow takes.
fn params(flow: &Flow) -> Vec<TokenStream> {
    let params = flow.params.iter().map(|param| {
        let (name, ty) = (&param.name, param.with_lifetime());
        quote!(#name: #ty)
    });
    params.collect()
}

/// Returns parameters that accept any type, for a flow whose parameter types can't be written.
fn any(flow: &Flow) -> TokenStream {
    let count = match flow.health {
        Health::Generic(count) => count,
        _ => 0,
    };
    let any = (0..count).map(|_| quote!(_: impl Sized));
    quote!(#(#any),*)
}
