//! What all annotated functions have in common: parsing them, their parameters, and types with
//! explicit lifetimes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{FnArg, ItemFn, Pat, Type, Visibility, spanned::Spanned, visit_mut::VisitMut};

use crate::errors::Errors;

/// One parameter.
pub(crate) struct Param {
    /// The user's name; a generated one if the parameter is a pattern.
    pub(crate) name: Ident,
    /// The pattern as written.
    pub(crate) pat: TokenStream,
    /// The type as written.
    pub(crate) ty: Type,
    /// The names in its `#[alias = "…"]`, which only a flow's parameter has.
    pub(crate) aliases: Vec<syn::LitStr>,
}

impl Param {
    /// Returns `T` for a parameter of type `&T`.
    pub(crate) fn lent(&self) -> Option<&Type> {
        match &self.ty {
            Type::Reference(reference) if reference.mutability.is_none() => Some(&reference.elem),
            _ => None,
        }
    }

    /// Whether the type is `&'static T`: such a reference is passed and kept as it is.
    pub(crate) fn is_static(&self) -> bool {
        matches!(&self.ty, Type::Reference(reference)
            if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static"))
    }

    /// Returns the type with all its lifetimes but `'static` written as `'a`.
    pub(crate) fn with_lifetime(&self) -> Type {
        let mut ty = self.ty.clone();
        Lifetimes.visit_type_mut(&mut ty);
        ty
    }

    /// Returns the type as which a service keeps what it lends.
    pub(crate) fn owned_type(&self, private: &TokenStream) -> TokenStream {
        match self.lent() {
            Some(lent) if !self.is_static() => {
                let ty = owned(lent);
                quote!(#private::Arc<#ty>)
            }
            _ => {
                let ty = owned(&self.ty);
                quote!(#ty)
            }
        }
    }

    /// Returns the position of the type.
    pub(crate) fn span(&self) -> Span {
        self.ty.span()
    }
}

/// Writes all lifetimes but `'static` as `'a`.
struct Lifetimes;

impl VisitMut for Lifetimes {
    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference
            .lifetime
            .get_or_insert_with(|| syn::Lifetime::new("'a", Span::call_site()));
        syn::visit_mut::visit_type_reference_mut(self, reference);
    }
    fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = syn::Lifetime::new("'a", Span::call_site());
        }
    }
    // The lifetimes in a function type are its own.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
}

/// What a function is called in messages: "step", "flow" or "handler".
#[derive(Clone, Copy)]
pub(crate) struct Role(pub(crate) &'static str);

/// Returns the parameters, and reports what no annotated function can have.
pub(crate) fn params(function: &ItemFn, role: Role, errors: &mut Errors) -> Vec<Param> {
    let Role(role) = role;
    let signature = &function.sig;
    if let Some(constness) = &signature.constness {
        errors.on(
            constness,
            format!("a {role} can't be `const`: it does something at run time"),
        );
    }
    if let Some(unsafety) = unsafety(signature) {
        errors.on(
            unsafety,
            format!("a {role} can't be `unsafe`: generated code calls it"),
        );
    }
    for generic in &signature.generics.params {
        if !matches!(generic, syn::GenericParam::Lifetime(_)) {
            errors.on(
                generic,
                format!(
                    "a {role} can't be generic: its state is saved and read back as one type; \
                     lend it a `&dyn Trait`, or write one {role} for each type"
                ),
            );
        }
    }
    if let Some(variadic) = &signature.variadic {
        errors.on(variadic, format!("a {role} can't be variadic"));
    }
    let mut params = Vec::new();
    for (index, input) in signature.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(receiver) => errors.on(
                receiver,
                format!("a {role} can't take `self`: write a function, and lend it the value as a `&` parameter"),
            ),
            FnArg::Typed(typed) => {
                if has_impl(&typed.ty) {
                    errors.on(
                        &typed.ty,
                        format!("a {role} can't be generic: write the type, or lend it a `&dyn Trait`"),
                    );
                }
                let name = match &*typed.pat {
                    Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                        pat.ident.clone()
                    }
                    _ => format_ident!("arg{index}", span = Span::mixed_site()),
                };
                params.push(Param {
                    name,
                    pat: typed.pat.to_token_stream(),
                    ty: (*typed.ty).clone(),
                    aliases: Vec::new(),
                });
            }
        }
    }
    params
}

/// Returns the `unsafe` of a signature.
fn unsafety(signature: &syn::Signature) -> Option<TokenStream> {
    let tokens = quote!(#signature);
    tokens
        .into_iter()
        .take_while(|token| token.to_string() != "fn")
        .find(|token| token.to_string() == "unsafe")
        .map(|token| quote!(#token))
}

/// Whether there is an `impl Trait` in a type.
pub(crate) fn has_impl(ty: &Type) -> bool {
    fn search(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == "impl",
            proc_macro2::TokenTree::Group(group) => search(group.stream()),
            _ => false,
        })
    }
    search(ty.to_token_stream())
}

/// Parses the user's function, or reports that it is none.
pub(crate) fn parse(item: TokenStream, role: &str, errors: &mut Errors) -> Option<ItemFn> {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => Some(function),
        Err(error) => {
            let first = item.into_iter().find(|token| {
                !matches!(
                    token,
                    proc_macro2::TokenTree::Punct(_) | proc_macro2::TokenTree::Group(_)
                ) && !matches!(token.to_string().as_str(), "pub" | "async" | "const")
            });
            match first {
                Some(token) if token.to_string() != "fn" => errors.on(
                    &token,
                    format!("`#[{role}]` goes on a function: `async fn …(…) -> Result<…, …>`"),
                ),
                _ => errors.push(error),
            }
            None
        }
    }
}

/// Returns the attributes that generated items have as well: documentation and deprecation.
pub(crate) fn docs(attrs: &[syn::Attribute]) -> Vec<&syn::Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc") || attr.path().is_ident("deprecated"))
        .collect()
}

/// Returns the name of the type that is emitted for a function. It has the function's place, but is
/// no name of the user's to a lint: that it is never used is told of the function.
pub(crate) fn type_name(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(Span::mixed_site().located_at(name.span()));
    name
}

/// Returns the visibility for what is emitted beside a function: as [`type_name`], no token of the
/// user's to a lint.
pub(crate) fn type_visibility(vis: &Visibility) -> Visibility {
    let mut vis = vis.clone();
    let token = match &mut vis {
        Visibility::Public(token) => token,
        Visibility::Restricted(restricted) => &mut restricted.pub_token,
        Visibility::Inherited => return vis,
    };
    token.span = Span::mixed_site().located_at(token.span);
    vis
}

/// Returns the attribute that allows in generated code what is no fault of the user's. It does not
/// allow dead code: what is only used there would never be dead. Nothing is said of names that
/// the macro made, as they come from another crate.
pub(crate) fn allow_in_glue() -> TokenStream {
    quote! {
        #[allow(
            clippy::all, clippy::pedantic, unused_assignments, unused_attributes, unused_braces,
            unused_doc_comments, unused_imports, unused_labels, unused_must_use, unused_mut,
            unused_parens, unused_variables, unreachable_code, unreachable_patterns,
            path_statements, redundant_semicolons, elided_lifetimes_in_paths, private_interfaces,
            trivial_bounds,
        )]
    }
}

/// Whether the function takes `self`. It then stands in an `impl`, where no type can be emitted.
pub(crate) fn is_method(function: &ItemFn) -> bool {
    matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_)))
}

/// Whether the function has type or constant parameters, including an `impl Trait`.
pub(crate) fn is_generic(function: &ItemFn) -> bool {
    let signature = &function.sig;
    let params = &signature.generics.params;
    params
        .iter()
        .any(|param| !matches!(param, syn::GenericParam::Lifetime(_)))
        || signature.inputs.iter().any(|input| match input {
            FnArg::Typed(typed) => has_impl(&typed.ty),
            FnArg::Receiver(_) => false,
        })
}

/// Returns the type with all its lifetimes written as `'static`.
pub(crate) fn owned(ty: &Type) -> Type {
    struct Static;
    impl VisitMut for Static {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = Some(syn::parse_quote!('static));
            syn::visit_mut::visit_type_reference_mut(self, reference);
        }
        fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
            *lifetime = syn::parse_quote!('static);
        }
    }
    let mut ty = ty.clone();
    Static.visit_type_mut(&mut ty);
    ty
}

/// Returns the function without its body.
pub(crate) fn without_body(mut function: ItemFn) -> TokenStream {
    *function.block = syn::parse_quote!({ ::core::unreachable!() });
    quote!(#[allow(unused)] #function)
}

/// Returns an attribute that allows an `async` function without an `await`: a step or a handler is
/// `async` anyway.
pub(crate) fn allow_unused_async(item: &TokenStream) -> Option<TokenStream> {
    item.clone()
        .into_iter()
        .any(|token| matches!(token, proc_macro2::TokenTree::Ident(word) if word == "async"))
        .then(|| quote!(#[allow(clippy::unused_async)]))
}
