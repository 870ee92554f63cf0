//! Which names an expression uses, which names a pattern binds, and what a name is by the way it is
//! written.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};

/// The names of values that tokens use: as identifiers, or in a format string, as in `"{name}"`.
///
/// A field (`x.name`, `Spec { name: 1 }`), a method and a part of a longer path are no values.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    pub(crate) fn of(tokens: &TokenStream) -> Self {
        let mut names = Self::default();
        names.collect(tokens);
        names
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Returns which of those are among these.
    pub(crate) fn of_these(&self, those: &[Ident]) -> Vec<Ident> {
        let those = those.iter();
        let found = those.filter(|name| self.contains(&name.to_string()));
        found.cloned().collect()
    }

    /// Returns these names and others.
    pub(crate) fn and(mut self, mut others: Self) -> Self {
        self.0.append(&mut others.0);
        self
    }

    /// Returns these names but those.
    pub(crate) fn without<'i>(mut self, those: impl IntoIterator<Item = &'i Ident>) -> Self {
        if !self.0.is_empty() {
            for name in those {
                self.0.remove(&name.to_string());
            }
        }
        self
    }

    fn collect(&mut self, tokens: &TokenStream) {
        // What stands before an identifier: `.` of a field, `:` of a path.
        let mut before = Before::Other;
        let mut tokens = tokens.clone().into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(ident) => {
                    let is_value = match tokens.peek() {
                        _ if matches!(before, Before::Dot | Before::Path) => false,
                        Some(TokenTree::Punct(punct)) => punct.as_char() != ':',
                        _ => true,
                    };
                    if is_value {
                        self.0.insert(ident.to_string());
                    }
                    before = Before::Other;
                }
                TokenTree::Group(group) => {
                    self.collect(&group.stream());
                    before = Before::Other;
                }
                TokenTree::Punct(punct) => before = before.then(punct.as_char()),
                TokenTree::Literal(literal) => {
                    self.collect_format(&literal.to_string());
                    before = Before::Other;
                }
            }
        }
    }

    /// Collects the names after each `{` in a literal.
    fn collect_format(&mut self, text: &str) {
        for (at, _) in text.match_indices('{') {
            let name: String = text[at + 1..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !name.is_empty() {
                self.0.insert(name);
            }
        }
    }
}

/// What stands before a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// One `.`: a field follows. Two are a range.
    Dot,
    /// `:`, which may be the first of two.
    Colon,
    /// `::`.
    Path,
    Other,
}

impl Before {
    const fn then(self, punct: char) -> Self {
        match (self, punct) {
            (Self::Dot, '.') => Self::Other,
            (_, '.') => Self::Dot,
            (Self::Colon, ':') => Self::Path,
            (_, ':') => Self::Colon,
            _ => Self::Other,
        }
    }
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
