//! Which names an expression uses, which names a pattern binds, and what a name is by the way it is
//! written.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};

/// Whether the tokens may use the name: as an identifier, or in a format string, as in `"{name}"`.
pub(crate) fn uses(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => uses(&group.stream(), name),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            text.match_indices('{').any(|(at, _)| {
                let after = &text[at + 1..];
                after.strip_prefix(name).is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            })
        }
        TokenTree::Punct(_) => false,
    })
}

/// Returns the first use of one of these values: a name that is no part of a longer path, no field
/// and no method.
pub(crate) fn first_of(tokens: &TokenStream, values: &BTreeSet<String>) -> Option<Ident> {
    let mut before = ' ';
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let after = match tokens.peek() {
            Some(TokenTree::Punct(punct)) => punct.as_char(),
            _ => ' ',
        };
        match token {
            TokenTree::Ident(ident) => {
                if before != '.'
                    && before != ':'
                    && after != ':'
                    && values.contains(&ident.to_string())
                {
                    return Some(ident);
                }
                before = ' ';
            }
            TokenTree::Group(group) => {
                if let Some(found) = first_of(&group.stream(), values) {
                    return Some(found);
                }
                before = ' ';
            }
            TokenTree::Punct(punct) => before = punct.as_char(),
            TokenTree::Literal(_) => before = ' ',
        }
    }
    None
}

/// Returns the names that a pattern binds.
pub(crate) fn bound(pat: &TokenStream) -> Vec<Ident> {
    fn collect(tokens: &TokenStream, names: &mut Vec<Ident>) {
        let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => collect(&group.stream(), names),
                TokenTree::Ident(ident) => {
                    let text = ident.to_string();
                    let next = match tokens.get(index + 1) {
                        Some(TokenTree::Punct(punct)) => punct.as_char(),
                        Some(TokenTree::Group(_)) => '(',
                        _ => ' ',
                    };
                    let lower = text.starts_with(|c: char| c.is_lowercase() || c == '_');
                    let word = matches!(
                        text.as_str(),
                        "ref" | "mut" | "box" | "_" | "true" | "false" | "if" | "in"
                    );
                    // No binding: a path, `Some(…)`, the field in `field: pattern`, a constant.
                    if lower && !word && !matches!(next, ':' | '(' | '!') {
                        names.push(ident.clone());
                    }
                }
                _ => {}
            }
        }
    }
    let mut names = Vec::new();
    collect(pat, &mut names);
    names
}

/// Whether a name is written as those of types are: `Uuid`, and not `LIMIT` or `now`.
pub(crate) fn is_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && !is_capital(name)
}

/// Whether a name is written as those of constants and statics are.
pub(crate) fn is_capital(name: &str) -> bool {
    name.len() > 1 && name.starts_with(char::is_uppercase) && !name.contains(char::is_lowercase)
}

/// Whether a name is written as those of functions are.
pub(crate) fn is_snake(name: &str) -> bool {
    !name.starts_with(char::is_uppercase)
}

/// The primitive types that a value can have by itself.
pub(crate) const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];
