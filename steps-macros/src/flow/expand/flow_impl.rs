//! `impl Flow`: that of a flow without errors, and that of one with errors.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{
    Scope, params,
    slots::{self, callee},
    table,
};
use crate::{
    flow::model::{Flow, Health},
    idents::Names,
    reader::Reader,
};

/// What `impl Flow` says of what is in the flow: its lines, and the code that runs them.
pub(super) struct Inside {
    /// The name of the table of its lines.
    pub(super) nodes: TokenStream,
    /// What the table says of the type of its input, if that is more than what is written there.
    pub(super) input: Option<String>,
    /// The type of its slots.
    pub(super) slots: TokenStream,
    /// The body of `call`.
    pub(super) call: TokenStream,
    /// The body of `enter`.
    pub(super) enter: TokenStream,
    /// The function `finish`.
    pub(super) finish: TokenStream,
}

/// Returns `impl Flow` for a flow without errors.
pub(super) fn whole(flow: &Flow) -> TokenStream {
    of(
        flow,
        &Inside {
            nodes: quote!(__NODES0),
            input: None,
            slots: quote!(__Slots0),
            call: quote!(__call0(frame, 0, line, op, cx)),
            enter: quote!(__enter0(frame, 0, line, how, cx)),
            finish: finish(flow),
        },
    )
}

/// Returns `impl Flow` for a flow without errors in which there is this.
pub(super) fn of(flow: &Flow, inside: &Inside) -> TokenStream {
    let parts = params::parts(flow, Reader::Compiler);
    let (header, common) = (params::header(flow), params::common(flow));
    let codecs = params::input_codecs(flow);
    let table = table::flow_table(flow, &inside.nodes, inside.input.as_deref());
    let reversible = reversible(flow);
    let Inside {
        slots,
        call,
        enter,
        finish,
        ..
    } = inside;
    quote! {
        #parts
        #codecs
        #reversible
        impl __p::HasTable for __Of {
            const TABLE: &'static __p::Table = #table;
        }
        const __TABLE: &'static __p::Table = <__Of as __p::HasTable>::TABLE;
        const __DEPTH: () = __p::check_depth(__TABLE);
        #header {
            #common
            type Slots = #slots;
            const TABLE: &'static __p::Table = __TABLE;
            const FINGERPRINT: u64 = __p::fingerprint(__TABLE);
            fn call<'b>(
                frame: &'b __p::Root<'_, Self>, line: usize, op: __p::Op<'b>, cx: &'b __p::Cx,
            ) -> __p::BoxFuture<'b, __p::OpResult> {
                #call
            }
            fn enter<'b>(
                frame: &'b __p::Root<'_, Self>, line: usize, how: __p::Enter<'b>, cx: &'b __p::Cx,
            ) -> __p::EnterResult<'b> {
                #enter
            }
            #finish
            fn on_done<'b>(
                lent: __Lent<'b>, input: &'b __Input, output: &'b Self::Output,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::FlowProbe::<__Of>::ON_DONE.map(|call| call(lent, input, output))
            }
            fn on_stopped<'b>(
                lent: __Lent<'b>, input: &'b __Input, failure: &'b __p::Failure,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::FlowProbe::<__Of>::ON_STOPPED.map(|call| call(lent, input, failure))
            }
            fn on_failed<'b>(
                lent: __Lent<'b>, input: &'b __Input, failure: &'b __p::Failure,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::FlowProbe::<__Of>::ON_FAILED.map(|call| call(lent, input, failure))
            }
        }
    }
}

/// Returns `Flow::finish`, which runs the code after `steps!`. That code becomes a function whose
/// parameters are the names that it uses, taken by value. The names around that function are none
/// that a line or a function of the user's could have.
fn finish(flow: &Flow) -> TokenStream {
    let tail = &flow.tail;
    let use_of_it = use_of(flow);
    let output = &flow.function.sig.output;
    let root = Scope::root(flow);
    let names = Names::of(tail);
    let used = |name: &Ident| names.contains(&name.to_string());
    let mut params = Vec::new();
    let mut takes = Vec::new();
    let mut args = Vec::new();
    for param in &flow.params {
        let (name, pat) = (&param.name, &param.pat);
        let shadowed = flow.lines.iter().any(|line| line.name == *name);
        if shadowed || !used(name) {
            continue;
        }
        let ty = param.with_lifetime();
        params.push(quote!(#pat: #ty));
        let from = if param.lent().is_some() {
            quote!(lent)
        } else {
            quote!(input)
        };
        args.push(quote!(#from.#name));
    }
    for (index, line) in flow.lines.iter().enumerate() {
        let name = &line.name;
        if !used(name) {
            continue;
        }
        let of = callee(&root, index);
        let below = root.below(index);
        let ty = slots::value_type(line, &of, &below);
        params.push(quote!(#name: #ty));
        let text = name.to_string();
        let value = format_ident!("__value{index}");
        takes.push(quote!(let #value = slots.#name.into_inner().__done(#text);));
        args.push(quote!(#value));
    }
    quote! {
        fn finish<'b>(
            lent: Self::Lent<'b>, input: __Input, slots: __Slots0,
        ) -> __p::BoxFuture<'b, __p::Result<Self::Output, __p::StepError>> {
            #use_of_it
            async fn __tail<'a>(#(#params),*) #output { #tail }
            __p::boxed(async move {
                #(#takes)*
                __p::ended(__tail(#(#args),*).await).map(<__Out as __p::FlowOutput>::same)
            })
        }
    }
}

/// Returns the mark of a flow that is `reversible`, which lets another such flow contain it.
fn reversible(flow: &Flow) -> TokenStream {
    if !flow.reversible {
        return TokenStream::new();
    }
    quote!(impl __p::ReversibleFlow for __Of {})
}

/// Returns the statement by which whoever uses the flow's type uses its function.
pub(super) fn use_of(flow: &Flow) -> TokenStream {
    if matches!(flow.health, Health::Generic(_)) {
        return TokenStream::new();
    }
    let mut name = flow.function.sig.ident.clone();
    name.set_span(Span::call_site());
    quote!(let _ = #name;)
}

/// Returns `impl Flow` for a flow with errors and these slots: enough for other code that names the flow
/// to compile.
pub(super) fn broken(flow: &Flow, reader: Reader, slots: &TokenStream) -> TokenStream {
    let parts = params::parts(flow, reader);
    let (header, common) = (params::header(flow), params::common(flow));
    let codecs = params::input_codecs(flow);
    let (use_of_it, reversible) = (use_of(flow), reversible(flow));
    quote! {
        #parts
        #codecs
        #reversible
        impl __p::HasTable for __Of {
            const TABLE: &'static __p::Table = __p::BROKEN;
        }
        #header {
            #common
            type Slots = #slots;
            const TABLE: &'static __p::Table = <Self as __p::HasTable>::TABLE;
            const FINGERPRINT: u64 = 0;
            fn call<'b>(
                _: &'b __p::Root<'_, Self>, _: usize, _: __p::Op<'b>, _: &'b __p::Cx,
            ) -> __p::BoxFuture<'b, __p::OpResult> { __p::no_call() }
            fn enter<'b>(
                _: &'b __p::Root<'_, Self>, _: usize, _: __p::Enter<'b>, _: &'b __p::Cx,
            ) -> __p::EnterResult<'b> { __p::no_scope() }
            fn finish<'b>(
                _: Self::Lent<'b>, _: __Input, _: #slots,
            ) -> __p::BoxFuture<'b, __p::Result<Self::Output, __p::StepError>> {
                #use_of_it
                __p::unreachable!()
            }
            fn on_done<'b>(
                _: __Lent<'b>, _: &'b __Input, _: &'b Self::Output,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::Option::None
            }
            fn on_stopped<'b>(
                _: __Lent<'b>, _: &'b __Input, _: &'b __p::Failure,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::Option::None
            }
            fn on_failed<'b>(
                _: __Lent<'b>, _: &'b __Input, _: &'b __p::Failure,
            ) -> __p::Option<__p::BoxFuture<'b, __p::Result<(), __p::StepError>>> {
                __p::Option::None
            }
        }
    }
}
