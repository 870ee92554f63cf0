//! The attributes about lints on the user's function: `allow`, `expect`, `warn`, `deny` and
//! `forbid`. What is generated from a path or an expression of the user's has them as well.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Ident, Meta, Path, Token, punctuated::Punctuated};

const LEVELS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];

/// Returns the attributes for generated items.
///
/// An expected lint is allowed there: it is expected of the function, and may not be met by each
/// item. That code is dead is told of the function alone. A forbidden one is denied, as generated
/// code allows some.
pub(crate) fn carried(attrs: &[Attribute]) -> TokenStream {
    attrs
        .iter()
        .filter_map(|attr| {
            let level = attr.path().get_ident()?.to_string();
            let level = match level.as_str() {
                "expect" => "allow",
                "forbid" => "deny",
                other => LEVELS.into_iter().find(|known| *known == other)?,
            };
            let expected = attr.path().is_ident("expect");
            let lints = lints(attr).into_iter().flatten();
            let lints = lints.filter(|lint| !(expected && is_about_dead_code(lint)));
            let level = Ident::new(level, Span::call_site());
            Some(quote!(#[#level(#(#lints),*)]))
        })
        .collect()
}

/// Replaces `expect` by `allow` for the lints that `moved` selects: those that generated code meets
/// in place of the function.
pub(crate) fn allow_expected(attrs: &mut [Attribute], moved: impl Fn(&Path) -> bool) {
    for attr in attrs {
        let lints = match lints(attr) {
            Some(lints) if attr.path().is_ident("expect") => lints,
            _ => continue,
        };
        if lints.iter().any(&moved) {
            *attr = syn::parse_quote!(#[allow(#(#lints),*)]);
        }
    }
}

fn is_about_dead_code(lint: &Path) -> bool {
    lint.is_ident("dead_code") || lint.is_ident("unused")
}

/// Returns the lints that an attribute names, without its reason.
fn lints(attr: &Attribute) -> Option<Vec<Path>> {
    let Meta::List(list) = &attr.meta else {
        return None;
    };
    let all = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    let paths = all.ok()?.into_iter().filter_map(|meta| match meta {
        Meta::Path(path) => Some(path),
        _ => None,
    });
    Some(paths.collect())
}
