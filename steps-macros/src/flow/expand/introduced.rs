//! The names that a scope introduces besides those of its lines: what a pattern binds, and `prev`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;

use super::scope::Scope;
use crate::{
    flow::model::{Body, Cond},
    idents,
};

/// The names that a scope introduces besides those of its lines.
#[derive(Clone, Copy)]
pub(super) enum Introduces<'m> {
    Nothing,
    /// The pattern of a `for`.
    Item(&'m TokenStream),
    /// The pattern of an `if let`.
    Match(&'m TokenStream),
    /// For each line, the pattern of this arm of a `match`.
    Arms,
    /// `prev`, the value of a loop's previous round.
    Prev,
}

impl Scope<'_> {
    /// Returns the pattern whose names line `line` and what is in it can use.
    fn pattern(&self, line: usize) -> Option<&TokenStream> {
        match self.introduces {
            Introduces::Nothing | Introduces::Prev => None,
            Introduces::Item(pat) | Introduces::Match(pat) => Some(pat),
            Introduces::Arms => self.lines.get(line)?.arm.as_ref().map(|arm| &arm.pat),
        }
    }

    /// Returns the expression that the patterns are matched with.
    fn matched(&self) -> Option<&TokenStream> {
        let (up, line) = self.up?;
        match &up.lines[line].body {
            Body::Match { value, .. }
            | Body::If {
                cond: Cond::Let { value, .. },
                ..
            } => Some(value),
            _ => None,
        }
    }

    /// Returns whether the scope itself introduces a name for line `line`.
    pub(super) fn has_introduced(&self, line: usize, name: &str) -> bool {
        match self.introduces {
            Introduces::Prev => name == "prev",
            _ => self
                .pattern(line)
                .is_some_and(|pat| idents::bound(pat).iter().any(|bound| bound == name)),
        }
    }

    /// Adds `let` statements for the names that the scope itself introduces for line `line`.
    pub(super) fn bind_introduced(
        &self,
        up: usize,
        line: usize,
        wants: &mut dyn FnMut(&str) -> bool,
        bindings: &mut Vec<TokenStream>,
    ) {
        let frame = Self::reach(up);
        if let Introduces::Prev = self.introduces {
            let prev = Ident::new("prev", Span::call_site());
            if wants("prev") {
                bindings.push(quote!(let #prev = #frame.home().prev();));
            }
            return;
        }
        let Some(pat) = self.pattern(line) else {
            return;
        };
        let bound: Vec<Ident> = idents::bound(pat)
            .into_iter()
            .filter(|name| wants(&name.to_string()))
            .collect();
        if bound.is_empty() {
            return;
        }
        let item = Self::item(up);
        bindings.push(match self.introduces {
            Introduces::Item(_) => quote!(let #pat = #frame.item.at(#item);),
            _ => {
                let viewed = quote!(#frame.item.view());
                let viewed = match self.matched() {
                    Some(value) => at(value, viewed),
                    None => viewed,
                };
                quote! {
                    let #pat = #viewed else {
                        return __p::no_match();
                    };
                }
            }
        });
        bindings.push(by_value(&bound));
    }
}

/// Returns statements that bind these names as those of lines are: a `Copy` value by value.
pub(super) fn by_value(names: &[Ident]) -> TokenStream {
    quote!(#(let #names = #names.__bind().get();)*)
}

/// Returns tokens of ours such that they stand where the user's do: what the compiler says of both is said
/// once, at the latter, however often they are emitted.
pub(super) fn at(users: &TokenStream, ours: TokenStream) -> TokenStream {
    let place = users.span();
    let moved = ours.into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &token {
            let inner = at(users, group.stream());
            token = TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inner));
        }
        let span = token.span().located_at(place);
        token.set_span(span);
        token
    });
    moved.collect()
}
