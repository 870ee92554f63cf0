//! What all annotated functions have in common: their parameters, and lifetimes made explicit.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{FnArg, ItemFn, Pat, Type, spanned::Spanned, visit_mut::VisitMut};

use crate::{attr::args, errors::Errors};

/// One parameter.
pub(crate) struct Param {
    /// The user's name, or one made up for a pattern.
    pub(crate) name: Ident,
    /// The pattern as written, without attributes.
    pub(crate) pat: TokenStream,
    /// The type as written.
    pub(crate) ty: Type,
}

impl Param {
    /// The type behind a `&`, where the parameter is taken by reference.
    pub(crate) fn lent(&self) -> Option<&Type> {
        match &self.ty {
            Type::Reference(reference) if reference.mutability.is_none() => Some(&reference.elem),
            _ => None,
        }
    }

    /// The type with its lifetimes written as `'a`.
    pub(crate) fn with_lifetime(&self) -> Type {
        let mut ty = self.ty.clone();
        Lifetimes.visit_type_mut(&mut ty);
        ty
    }

    pub(crate) fn span(&self) -> Span {
        self.ty.span()
    }
}

struct Lifetimes;

impl VisitMut for Lifetimes {
    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        reference.lifetime = Some(syn::Lifetime::new("'a", Span::call_site()));
        syn::visit_mut::visit_type_reference_mut(self, reference);
    }
    fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
        if lifetime.ident != "static" {
            *lifetime = syn::Lifetime::new("'a", Span::call_site());
        }
    }
    // A function type has lifetimes of its own.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
}

/// What a function is for, in messages.
#[derive(Clone, Copy)]
pub(crate) struct Role(pub(crate) &'static str);

/// Checks what no annotated function may be, and lists its parameters.
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
            format!("a {role} can't be `unsafe`: nobody calls it by hand"),
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
                });
            }
        }
    }
    params
}

fn unsafety(signature: &syn::Signature) -> Option<TokenStream> {
    let tokens = quote!(#signature);
    tokens
        .into_iter()
        .take_while(|token| token.to_string() != "fn")
        .find(|token| token.to_string() == "unsafe")
        .map(|token| quote!(#token))
}

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

/// The tokens of the user's function, for output when it could not be parsed or has errors.
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

/// The attributes that carry over to generated items: documentation and conditions.
pub(crate) fn docs(attrs: &[syn::Attribute]) -> Vec<&syn::Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("doc") || attr.path().is_ident("deprecated"))
        .collect()
}

/// Whether it takes `self`, so that nothing can stand beside it.
pub(crate) fn is_method(function: &ItemFn) -> bool {
    matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_)))
}

/// Whether it has type parameters, written or implied.
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

/// A type with its lifetimes as `'static`, to be owned.
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

/// What stands under a condition, `#[cfg(…)]`, has all its generated items under it: the condition
/// is put before our attribute, which is then expanded only where it holds.
pub(crate) fn conditions_first(
    role: &str,
    attr: &TokenStream,
    item: &TokenStream,
) -> Option<TokenStream> {
    let mut function: ItemFn = syn::parse2(item.clone()).ok()?;
    let is_condition =
        |attr: &syn::Attribute| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr");
    if !function.attrs.iter().any(is_condition) {
        return None;
    }
    let (conditions, rest) = function
        .attrs
        .into_iter()
        .partition::<Vec<_>, _>(is_condition);
    function.attrs = rest;
    let mut options = args::quietly(attr.clone());
    let krate = args::take_crate(&mut options, &mut Errors::default());
    let role = Ident::new(role, Span::call_site());
    let list = if attr.is_empty() {
        quote!()
    } else {
        quote!((#attr))
    };
    Some(quote!(#(#conditions)* #[#krate::#role #list] #function))
}

/// What keeps pedantic Clippy from asking an async function why it is one: as a step or a handler
/// it is async, whether it awaits or not.
pub(crate) fn quiet(item: &TokenStream) -> Option<TokenStream> {
    item.clone()
        .into_iter()
        .any(|token| matches!(token, proc_macro2::TokenTree::Ident(word) if word == "async"))
        .then(|| quote!(#[allow(clippy::unused_async)]))
}
