//! The return type of a step or a flow. A macro sees only its tokens, not what an alias stands for:
//! it reports what is certainly wrong, and leaves the rest to the compiler.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    GenericArgument, ItemFn, PathArguments, ReturnType, Type,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use super::{function, type_text};
use crate::{attr::options::Options, errors::Errors};

/// A return type.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// The type in which the value stands: of a step that polls an `Option`, of an external one an
    /// `External`.
    inside: Option<&'static str>,
}

/// Reads the return type of a `role`, and reports what is certainly wrong with it.
pub(crate) fn read(
    function: &ItemFn,
    role: &str,
    options: &Options,
    errors: &mut Errors,
) -> Output {
    let ty = match &function.sig.output {
        ReturnType::Type(_, ty) => (**ty).clone(),
        ReturnType::Default => {
            errors.on(
                &function.sig.ident,
                format!("a {role} returns a `Result`: write `-> Result<(), Error>`"),
            );
            let ty = syn::parse_quote!(());
            return Output { ty, inside: None };
        }
    };
    let inside = match options.external {
        Some(_) => Some("External"),
        None => options.polls.then_some("Option"),
    };
    let output = Output { ty, inside };
    output.check(role, !options.volatile, errors);
    output
}

impl Output {
    fn check(&self, role: &str, saved: bool, errors: &mut Errors) {
        if function::has_impl(&self.ty) {
            return errors.on(
                &self.ty,
                format!("a {role} returns a type that has a name, not an `impl Trait`"),
            );
        }
        if certainly_not(&self.ty, "Result") {
            let shown = type_text::of(&self.ty);
            return errors.on(
                &self.ty,
                format!(
                    "a {role} returns a `Result`: write `Result<{shown}, Error>`; one that can't \
                     fail has the error `std::convert::Infallible`"
                ),
            );
        }
        // An alias for a whole `Result` would lead to an error at each line that calls the step.
        if self.inside == Some("External") && first(&self.ty).is_none() {
            let ty = &self.ty;
            return errors.on(
                ty,
                "the return type of an `external` step is written out: \
                 `Result<External<Output>, Error>`",
            );
        }
        if let Some(inside) = self.inside
            && let Some(value) = first(&self.ty).filter(|value| match inside {
                "External" => !is(value, inside),
                _ => certainly_not(value, inside),
            })
        {
            let shown = type_text::of(&without_borrows(value));
            return errors.on(
                value,
                if inside == "Option" {
                    format!(
                        "a step that polls returns an `Option`, where `None` means \"not yet\": \
                         write `Option<{shown}>`, or take `poll(…)` away"
                    )
                } else {
                    format!(
                        "an `external` step submits its task, and the output is reported later: \
                         write `External<{shown}>` and end with `Ok(External::submitted())`, or \
                         take `external` away"
                    )
                },
            );
        }
        if saved && let Some(span) = borrows(self.value()) {
            let instead = owned_instead(self.value());
            errors.at(
                span,
                format!(
                    "a {role}'s output is saved and read back, so it can't borrow: return {instead}"
                ),
            );
        }
    }

    /// Returns `Value` of a `Result<Value, Error>`, or `Value` of a `Result<Option<Value>, Error>`
    /// for a step that polls, or of a `Result<External<Value>, Error>` for an external one. If the type is an alias, returns the whole type.
    pub(crate) fn value(&self) -> &Type {
        if certainly_not(&self.ty, "Result") {
            return &self.ty;
        }
        let value = first(&self.ty).unwrap_or(&self.ty);
        match first(value) {
            Some(inner) if self.inside.is_some_and(|inside| is(value, inside)) => inner,
            _ => value,
        }
    }

    /// Returns the position of the error type.
    pub(crate) fn error_span(&self) -> Span {
        arguments(&self.ty)
            .nth(1)
            .map_or_else(|| self.ty.span(), Spanned::span)
    }

    /// Returns the value's type as a string.
    pub(crate) fn text(&self) -> String {
        type_text::of(self.value())
    }

    /// Returns a type for the value of a function that has errors: its own where that can be
    /// written outside of the function, else `()`.
    pub(crate) fn fallback_value(&self, function: &ItemFn) -> Type {
        let visible = certainly_not(&self.ty, "Result") || first(&self.ty).is_some();
        let value = function::owned(self.value());
        let generics = &function.sig.generics;
        let generic = generics
            .type_params()
            .any(|param| mentions(value.to_token_stream(), &param.ident));
        if !visible || generic || function::has_impl(&value) {
            return syn::parse_quote!(());
        }
        value
    }
}

/// Returns whether a name is anywhere in these tokens.
fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Returns the generic arguments of a type.
fn arguments(ty: &Type) -> impl Iterator<Item = &Type> {
    let last = match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    let args = last.and_then(|last| match &last.arguments {
        PathArguments::AngleBracketed(args) => Some(&args.args),
        _ => None,
    });
    args.into_iter().flatten().filter_map(|arg| match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn first(ty: &Type) -> Option<&Type> {
    arguments(ty).next()
}

/// Whether the type is called `name`.
fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Whether the type is certainly not `name`. A name that is not well known may be an alias for it.
fn certainly_not(ty: &Type, name: &str) -> bool {
    const KNOWN: [&str; 25] = [
        "Arc", "Box", "Option", "Result", "String", "Vec", "bool", "char", "f32", "f64", "i8",
        "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32", "u64", "u128", "usize",
        "HashMap", "BTreeMap",
    ];
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident != name && KNOWN.iter().any(|known| last.ident == known)
        }),
        Type::Reference(_) | Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        _ => false,
    }
}

/// Returns what to write instead of a type that borrows: `` `Vec<String>` `` for `Vec<&str>`.
pub(crate) fn owned_instead(ty: &Type) -> String {
    let owned = without_borrows(ty);
    match borrows(&owned) {
        None => format!("`{}`", type_text::of(&owned)),
        Some(_) => "an owned value, such as a `String`".to_owned(),
    }
}

/// Returns the type that owns what this one borrows, as far as that can be told: `String` for `&str`.
pub(crate) fn without_borrows(ty: &Type) -> Type {
    struct Owned;
    impl VisitMut for Owned {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            while let Type::Reference(reference) = ty {
                let inner = (*reference.elem).clone();
                *ty = match inner {
                    Type::Slice(slice) => {
                        let item = slice.elem;
                        syn::parse_quote!(Vec<#item>)
                    }
                    Type::Path(path) if path.path.is_ident("str") => syn::parse_quote!(String),
                    other => other,
                };
            }
            visit_mut::visit_type_mut(self, ty);
        }
    }
    let mut ty = ty.clone();
    Owned.visit_type_mut(&mut ty);
    ty
}

/// Whether a value has a `&` without a lifetime, and the parameters have none or several to take for
/// it: the compiler then misses one.
pub(crate) fn misses_lifetime(value: &Type, signature: &syn::Signature) -> bool {
    #[derive(Default)]
    struct Count {
        elided: usize,
        all: usize,
    }
    impl VisitMut for Count {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            if reference.lifetime.is_none() {
                self.elided += 1;
                self.all += 1;
            }
            visit_mut::visit_type_reference_mut(self, reference);
        }
        fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
            self.elided += usize::from(lifetime.ident == "_");
            self.all += 1;
        }
        // The lifetimes in a function type are its own.
        fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
    }
    let (mut output, mut inputs) = (Count::default(), Count::default());
    output.visit_type_mut(&mut value.clone());
    for mut input in signature.inputs.clone() {
        inputs.visit_fn_arg_mut(&mut input);
    }
    output.elided > 0 && inputs.all != 1
}

/// Returns the position of a `&` or a lifetime in a type. A `'static` one is none: whether that can
/// be saved is known by its trait.
pub(crate) fn borrows(ty: &Type) -> Option<Span> {
    fn search(tokens: TokenStream) -> Option<Span> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        tokens
            .iter()
            .enumerate()
            .find_map(|(index, token)| match token {
                TokenTree::Punct(punct) if punct.as_char() == '&' => Some(punct.span()),
                TokenTree::Punct(punct) if punct.as_char() == '\'' => match tokens.get(index + 1) {
                    Some(TokenTree::Ident(name)) if name != "static" => Some(name.span()),
                    _ => None,
                },
                TokenTree::Group(group) => search(group.stream()),
                _ => None,
            })
    }
    search(ty.to_token_stream())
}
