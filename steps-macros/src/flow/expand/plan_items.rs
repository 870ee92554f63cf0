//! What users name of a plan: the functions that put its steps into one, its typed state, its references.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::plan::given;
use crate::{
    case,
    flow::model::{Body, Plan},
    item::{function, lints},
    reader::Reader,
};

/// Returns the functions that make plans.
pub(super) fn own_items(plan: &Plan, reader: Reader) -> TokenStream {
    let krate = &plan.flow.krate;
    let private = quote!(#krate::__private);
    let name = &plan.flow.function.sig.ident;
    let lints = lints::carried(&plan.flow.function.attrs);
    let allow = function::allow_in_glue();
    let body = |tokens: TokenStream| match reader {
        Reader::Compiler => tokens,
        Reader::Editor => quote!(#private::unreachable!()),
    };
    let calls = plan.flow.lines.iter().enumerate().filter_map(|(index, line)| {
        if !matches!(line.body, Body::Step(_)) {
            return None;
        }
        let output = quote!(<Self as #private::Gives<#index>>::Output);
        let params: Vec<_> = given(plan.args_of(line)).collect();
        let (names, types) = (
            params.iter().map(|(_, name, ..)| name).collect::<Vec<_>>(),
            params.iter().map(|(.., owned)| owned).collect::<Vec<_>>(),
        );
        let docs: Vec<_> = line.docs.iter().collect();
        let about = format!("The step `{}`, to be put into a plan.", line.saved);
        let index = Literal::usize_unsuffixed(index);
        let made = body(quote!(#private::PlanCall::new(#index) #(.arg::<#types>(#names))*));
        let method = &line.name;
        Some(quote! {
            #(#docs)*
            #[doc = ""]
            #[doc = #about]
            pub fn #method(#(#names: impl #private::AsArg<#types>),*) -> #private::PlanCall<Self, #output> {
                #made
            }
        })
    });
    let begun = body(quote!(#private::PlanBuilder::new()));
    quote! {
        #lints
        #allow
        #[allow(deprecated, dead_code)]
        impl #name {
            /// An empty plan, to which steps are added.
            pub fn plan() -> #private::PlanBuilder<Self> { #begun }
            #(#calls)*
        }
    }
}

/// Returns the names of the typed state and of the references, which are the same for all plans.
pub(super) fn typed_state(plan: &Plan) -> TokenStream {
    let krate = &plan.flow.krate;
    let name = &plan.flow.function.sig.ident;
    let title = case::pascal(&name.to_string());
    let vis = function::type_visibility(&plan.flow.function.vis);
    let (state, fields, steps) = (
        format_ident!("{title}State"),
        format_ident!("{title}Fields"),
        format_ident!("{title}Steps"),
    );
    let about = format!(
        "The saved state of [`{name}()`], in which its steps are found by their paths in the plan."
    );
    let of_fields = format!("The steps in the saved state of [`{name}()`].");
    let of_steps = format!("References to the steps of [`{name}()`].");
    quote! {
        #[doc = #of_fields]
        #vis type #fields = #krate::plan::PlanFields;
        #[doc = #of_steps]
        #vis type #steps<P = #krate::__private::AtRoot> = #krate::plan::PlanSteps<P>;
        #[doc = #about]
        #vis type #state = #krate::FlowState<#fields>;
    }
}

/// Returns the lines as an editor reads them: the path of each step, as it stands there.
pub(super) fn editor_lines(plan: &Plan) -> TokenStream {
    let paths = plan.flow.lines.iter().filter_map(|line| match &line.body {
        Body::Step(call) => Some(&call.path),
        _ => None,
    });
    quote!(const _: () = { #(let _ = #paths;)* };)
}
