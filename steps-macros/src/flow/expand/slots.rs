//! The structs that hold a scope's values: its slots while it runs, its value when it is done.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    child::child_type,
    choice,
    scope::Scope,
    value::{Outcome, fold},
};
use crate::flow::model::{Body, Call, Line, Within};

/// Returns the name of the alias for the type of the step or the flow that a line calls. Only the
/// alias contains the path, so that a wrong path is one error.
pub(super) fn callee(scope: &Scope<'_>, line: usize) -> proc_macro2::Ident {
    format_ident!("__T{}_{line}", scope.id)
}

/// Returns the name of the alias for what is written after `flow`, which may be a step, by mistake; and
/// for what is written before `.within`.
pub(super) fn named(scope: &Scope<'_>, line: usize) -> proc_macro2::Ident {
    format_ident!("__P{}_{line}", scope.id)
}

/// Returns the name of the constant that holds a nested flow's table. Where flows contain each
/// other, the compiler reports a cycle and names this constant: its name is the message.
pub(super) fn nested_table(scope: &Scope<'_>, line: usize, call: &Call) -> proc_macro2::Ident {
    let span = Span::mixed_site().located_at(call.path.span());
    format_ident!(
        "A_FLOW_MUST_NOT_CONTAIN_ITSELF_{}_{line}",
        scope.id,
        span = span
    )
}

/// Returns the structs for the slots and the value of a scope, and the aliases of its callees.
pub(super) fn slots(scope: &Scope<'_>, below: &[Vec<Scope<'_>>]) -> TokenStream {
    let slots = scope.slots();
    let mut aliases = Vec::new();
    let mut fields = Vec::new();
    let mut loads = Vec::new();
    let mut takes = Vec::new();
    let mut values = Vec::new();
    let mut value_types = Vec::new();
    for (index, line) in scope.lines.iter().enumerate() {
        let name = &line.name;
        let of = callee(scope, index);
        aliases.push(aliases_of(scope, index, &of));
        let (slot, load) = slot(scope, index, &of, &below[index]);
        let ty = value_type(line, &of, &below[index]);
        fields.push(quote!(#[allow(dead_code)] #name: #slot,));
        loads.push(quote!(#index => #load,));
        takes.push(quote!(#name: self.#name.into_inner()?,));
        values.push(quote!(#[allow(dead_code)] pub #name: #ty,));
        value_types.push(ty);
    }
    if let Some(choice) = scope.choice() {
        let slots = choice_slots(scope, &choice, &fields, &loads, &value_types);
        return quote! {
            #(#aliases)*
            #slots
        };
    }
    let (value, close) = if scope.up.is_none() {
        (quote!(()), quote!(__p::Option::Some(())))
    } else {
        let value = scope.value();
        (
            quote!(#value),
            quote!(__p::Option::Some(#value { #(#takes)* })),
        )
    };
    let value_struct = scope.up.map(|_| {
        quote! {
            pub struct #value { #(#values)* }
            impl __p::FlowValue for #value {}
        }
    });
    quote! {
        #(#aliases)*
        #[derive(Default)]
        pub struct #slots { #(#fields)* }
        #value_struct
        impl __p::Slots for #slots {
            type Value = #value;
            fn load(
                &self,
                line: usize,
                saved: __p::Saved<'_>,
            ) -> __p::Result<(), __p::LoadError> {
                match line {
                    #(#loads)*
                    _ => __p::Result::Ok(()),
                }
            }
            fn close(self) -> __p::Option<Self::Value> { #close }
        }
    }
}

/// Returns the alias of a line's callee, and what else is named for it.
pub(super) fn aliases_of(scope: &Scope<'_>, index: usize, of: &proc_macro2::Ident) -> TokenStream {
    match &scope.lines[index].body {
        Body::Step(call) => {
            let path = &call.path;
            if let Some(child) = &call.child {
                let named = named(scope, index);
                let child = child_type(child, &quote!(#named), &quote!(__p));
                return quote! {
                    type #named = #path;
                    type #of = #child;
                };
            }
            match &call.within {
                None => quote!(type #of = #path;),
                Some(Within { types, .. }) => {
                    let named = named(scope, index);
                    quote! {
                        type #named = #path;
                        type #of = __p::signal_within<#types>;
                    }
                }
            }
        }
        Body::Let { ty, .. } => let_alias(scope, index, of, ty),
        Body::Flow(call) => {
            let (path, named) = (&call.path, named(scope, index));
            let table = nested_table(scope, index, call);
            let constant = quote_spanned! {table.span()=>
                const #table: &'static __p::Table = <#of as __p::HasTable>::TABLE;
            };
            quote! {
                type #named = #path;
                type #of = __p::AsFlow<#named>;
                #constant
            }
        }
        _ => TokenStream::new(),
    }
}

/// Returns the struct for the slots of a `race` or a `match`, and the alias of its value.
fn choice_slots(
    scope: &Scope<'_>,
    choice: &proc_macro2::Ident,
    fields: &[TokenStream],
    loads: &[TokenStream],
    types: &[TokenStream],
) -> TokenStream {
    let slots = scope.slots();
    let variants = choice::variants(scope.lines);
    let value = scope.value();
    let chosen = scope.lines.iter().zip(&variants).enumerate();
    let chosen = chosen.map(|(index, (line, variant))| {
        let name = &line.name;
        quote!(#index => #choice::#variant(self.#name.into_inner()?),)
    });
    quote! {
        // Not `pub`, as the types in the enum may be private.
        #[derive(Default)]
        struct #slots { #(#fields)* __chosen: __p::OnceLock<usize> }
        type #value = #choice<#(#types),*>;
        impl __p::FlowValue for #value {}
        impl __p::Slots for #slots {
            type Value = #value;
            fn load(
                &self,
                line: usize,
                saved: __p::Saved<'_>,
            ) -> __p::Result<(), __p::LoadError> {
                if let __p::Saved::Chosen = saved {
                    let _ = self.__chosen.set(line);
                    return __p::Result::Ok(());
                }
                match line {
                    #(#loads)*
                    _ => __p::Result::Ok(()),
                }
            }
            fn close(self) -> __p::Option<Self::Value> {
                __p::Option::Some(match self.__chosen.into_inner()? {
                    #(#chosen)*
                    _ => return __p::Option::None,
                })
            }
        }
    }
}

/// Returns the name of the constant with the codec of a `let` line.
pub(super) fn let_codec(scope: &Scope<'_>, line: usize) -> proc_macro2::Ident {
    format_ident!("__LET{}_{line}", scope.id)
}

/// Returns the alias for the type of a `let` line, and its codec.
fn let_alias(
    scope: &Scope<'_>,
    line: usize,
    of: &proc_macro2::Ident,
    ty: &syn::Type,
) -> TokenStream {
    let codec = let_codec(scope, line);
    let found = quote_spanned!(ty.span()=> __p::let_codec::<#ty>());
    quote! {
        type #of = #ty;
        const #codec: __p::Codec<#of> = #found;
    }
}

/// Returns the type of a line's slot, and the expression that puts a saved value there.
fn slot(
    scope: &Scope<'_>,
    index: usize,
    of: &proc_macro2::Ident,
    below: &[Scope<'_>],
) -> (TokenStream, TokenStream) {
    let line = &scope.lines[index];
    let name = &line.name;
    let cell = quote!({ self.#name.load(saved); __p::Result::Ok(()) });
    let outcome = Outcome::of(line);
    let argument = outcome.argument();
    match &line.body {
        Body::Step(_) | Body::Let { .. } => {
            let (ty, codec) = match &line.body {
                Body::Let { .. } => {
                    let codec = let_codec(scope, index);
                    (quote!(#of), quote!(#codec))
                }
                _ => (quote!(__p::Output<#of>), quote!(__p::codec_of::<#of>())),
            };
            match outcome {
                Outcome::Required => (
                    quote!(__p::OnceLock<#ty>),
                    quote!(__p::load(&self.#name, #codec, saved)),
                ),
                Outcome::Optional | Outcome::Caught => (
                    quote!(__p::EndSlot<#ty #argument>),
                    quote!(__p::load_end(&self.#name, #codec, saved)),
                ),
            }
        }
        Body::Broken(_) => (quote!(__p::OnceLock<()>), quote!(__p::Result::Ok(()))),
        Body::Flow(_) => (
            quote!(__p::FlowCell<#of #argument>),
            quote!(self.#name.load(saved)),
        ),
        Body::If {
            otherwise: Some(_), ..
        } => {
            let (then, otherwise) = (below[0].slots(), below[1].slots());
            (quote!(__p::BranchCell<#then, #otherwise #argument>), cell)
        }
        Body::Loop { .. } => {
            let slots = below[0].slots();
            (quote!(__p::LoopCell<#slots #argument>), cell)
        }
        _ => {
            let (slots, fold) = (below[0].slots(), fold(line));
            (quote!(__p::Cell<#slots, #fold #argument>), cell)
        }
    }
}

/// Returns the type of a line's value.
pub(super) fn value_type(line: &Line, of: &proc_macro2::Ident, below: &[Scope<'_>]) -> TokenStream {
    let plain = match &line.body {
        Body::Step(_) => quote!(__p::Output<#of>),
        Body::Let { .. } => quote!(#of),
        Body::Broken(_) => quote!(()),
        Body::Flow(_) => quote!(<#of as __p::Flow>::Output),
        Body::Group(_)
        | Body::Parallel(_)
        | Body::Race(_)
        | Body::Match { .. }
        | Body::Loop { .. } => {
            let value = below[0].value();
            quote!(#value)
        }
        Body::For { .. } => {
            let value = below[0].value();
            quote!(__p::Vec<#value>)
        }
        Body::If {
            otherwise: Some(_), ..
        } => {
            let (then, otherwise) = (below[0].value(), below[1].value());
            quote!(__p::Branch<#then, #otherwise>)
        }
        Body::If { .. } => {
            let value = below[0].value();
            quote!(__p::Option<#value>)
        }
    };
    Outcome::of(line).value(&quote!(__p), &plain)
}
