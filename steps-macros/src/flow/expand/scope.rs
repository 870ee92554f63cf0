//! The scopes of a flow while it is expanded: what each is called, and how code in it reaches the
//! names it uses.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::value::{fold, getter};
use crate::{
    case,
    flow::model::{Body, Cond, Flow, Line},
    idents,
};

/// One group of lines, and where it stands.
pub(super) struct Scope<'m> {
    pub(super) flow: &'m Flow,
    /// Tells its generated items from those of others: the numbers of the lines down to it.
    pub(super) id: String,
    /// The same for the other group of an `if … else`.
    pub(super) partner: String,
    pub(super) lines: &'m [Line],
    /// Whether its lines run at once, so that none may name another.
    pub(super) parallel: bool,
    /// The scope around it, and which of its lines this one belongs to.
    pub(super) up: Option<(&'m Scope<'m>, usize)>,
    /// What the scope brings in besides its lines.
    pub(super) brings: Brings<'m>,
    /// Whether a type in it has no name: then its code is closures, beside the expression that
    /// has the type.
    pub(super) inferred: bool,
}

/// The names a scope brings in.
#[derive(Clone, Copy)]
pub(super) enum Brings<'m> {
    Nothing,
    /// The item of a `for`.
    Item(&'m TokenStream),
    /// What an `if let` matched.
    Match(&'m TokenStream),
    /// The round before.
    Prev,
}

/// Names of locals in generated code, which no name of the user's can meet.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// `cx`, which the user may name.
pub(super) fn cx() -> Ident {
    Ident::new("cx", Span::call_site())
}

impl<'m> Scope<'m> {
    /// The scope of a flow's own lines.
    pub(super) fn root(flow: &'m Flow) -> Self {
        Self {
            flow,
            id: "0".to_owned(),
            partner: String::new(),
            lines: &flow.lines,
            parallel: false,
            up: None,
            brings: Brings::Nothing,
            inferred: false,
        }
    }

    pub(super) fn slots(&self) -> Ident {
        format_ident!("__Slots{}", self.id)
    }

    /// The struct that the group gives, with a name that may stand in messages.
    pub(super) fn value(&self) -> Ident {
        format_ident!("{}", self.title())
    }

    /// The flow's name and those of the lines down to here.
    pub(super) fn title(&self) -> String {
        match self.up {
            None => case::pascal(&self.flow.function.sig.ident.to_string()),
            Some((up, line)) => {
                let line = &up.lines[line];
                let own = case::pascal(line.name.to_string().trim_start_matches("r#"));
                let is_else = matches!(&line.body, Body::If { otherwise: Some(lines), .. }
                    if std::ptr::eq(lines.as_slice(), self.lines));
                let branch = if is_else { "Else" } else { "" };
                format!("{}{own}{branch}", up.title())
            }
        }
    }

    /// The number of scopes around it.
    fn depth(&self) -> usize {
        self.up.map_or(0, |(up, _)| up.depth() + 1)
    }

    /// The type of its frame, with all lifetimes left open.
    pub(super) fn frame(&self) -> TokenStream {
        let name = format_ident!("__Frame{}", self.id);
        let open = (0..=self.depth()).map(|_| quote!('_));
        quote!(#name<#(#open),*>)
    }

    /// The type of its frame, under a name.
    pub(super) fn frame_alias(&self) -> TokenStream {
        let name = format_ident!("__Frame{}", self.id);
        let Some((up, _)) = self.up else {
            return quote!(type #name<'l0> = __p::Root<'l0, __Of>;);
        };
        let lifetime = |depth: usize| syn::Lifetime::new(&format!("'l{depth}"), Span::mixed_site());
        let all: Vec<_> = (0..=self.depth()).map(lifetime).collect();
        let (own, outer) = (&all[self.depth()], &all[..self.depth()]);
        let up = format_ident!("__Frame{}", up.id);
        let slots = self.slots();
        let home = self.home(own);
        quote!(type #name<#(#all),*> = __p::Frame<#own, #up<#(#outer),*>, (), #slots, #home>;)
    }

    /// The type of the frame's home.
    fn home(&self, lifetime: &syn::Lifetime) -> TokenStream {
        let Some((up, index)) = self.up else {
            return TokenStream::new();
        };
        let line = &up.lines[index];
        let slots = self.slots();
        match &line.body {
            Body::If {
                then,
                otherwise: Some(_),
                ..
            } => {
                // The scopes of the two groups are numbered one after the other.
                if std::ptr::eq(then.as_slice(), self.lines) {
                    let other = format_ident!("__Slots{}", self.partner);
                    quote!(__p::Then<#lifetime, #slots, #other>)
                } else {
                    let other = format_ident!("__Slots{}", self.partner);
                    quote!(__p::Else<#lifetime, #other, #slots>)
                }
            }
            Body::Loop { .. } => quote!(__p::Round<#lifetime, #slots>),
            _ => {
                let fold = fold(line);
                quote!(&#lifetime __p::Cell<#slots, #fold>)
            }
        }
    }

    /// The tokens that reach `up` scopes out from `f`.
    fn reach(up: usize) -> TokenStream {
        let f = local("f");
        let ups = (0..up).map(|_| quote!(.up));
        quote!(#f #(#ups)*)
    }

    /// The item in the scope that is `up` scopes out.
    fn item(up: usize) -> TokenStream {
        let item = local("item");
        match up.checked_sub(1) {
            None => quote!(#item),
            Some(below) => {
                let below = Self::reach(below);
                quote!(#below.at)
            }
        }
    }

    /// The slot of one of this scope's own lines.
    pub(super) fn slot(&self, line: usize) -> TokenStream {
        slot_at(0, &self.lines[line].name)
    }

    /// Binds the names that `used` uses, as seen from line `line`: at the end of a round, with
    /// `line` behind the last one, all of them.
    pub(super) fn bind(&self, line: usize, used: &[&TokenStream]) -> TokenStream {
        let mut bindings = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        let mut wants = |name: &Ident| {
            let text = name.to_string();
            let wanted = !seen.contains(&text) && used.iter().any(|used| idents::uses(used, &text));
            seen.push(text);
            wanted
        };
        let mut scope = self;
        let mut limit = if self.parallel { 0 } else { line };
        let mut up = 0;
        loop {
            for line in scope.lines[..limit].iter().rev() {
                if wants(&line.name) {
                    let name = &line.name;
                    let text = name.to_string();
                    let get = getter(line);
                    let slot = slot_at(up, name);
                    bindings.push(quote! {
                        let #name = #slot.#get().__done(#text).__bind().get();
                    });
                }
            }
            scope.bind_brought(up, &mut wants, &mut bindings);
            match scope.up {
                None => break,
                Some((outer, line)) => {
                    limit = if outer.parallel { 0 } else { line };
                    scope = outer;
                    up += 1;
                }
            }
        }
        for param in &self.flow.params {
            let name = &param.name;
            if wants(name) {
                let root = Self::reach(up);
                bindings.push(if param.lent().is_some() {
                    quote!(let #name = #root.lent.#name;)
                } else {
                    quote!(let #name = (&#root.input().#name).__bind().get();)
                });
            }
        }
        quote!(#(#bindings)*)
    }

    fn bind_brought(
        &self,
        up: usize,
        wants: &mut dyn FnMut(&Ident) -> bool,
        bindings: &mut Vec<TokenStream>,
    ) {
        let frame = Self::reach(up);
        match self.brings {
            Brings::Nothing => {}
            Brings::Prev => {
                let prev = Ident::new("prev", Span::call_site());
                if wants(&prev) {
                    bindings.push(quote!(let #prev = #frame.home().prev();));
                }
            }
            Brings::Item(pat) | Brings::Match(pat) => {
                let bound: Vec<Ident> = idents::bound(pat)
                    .into_iter()
                    .filter(|n| wants(n))
                    .collect();
                if bound.is_empty() {
                    return;
                }
                let item = Self::item(up);
                bindings.push(match self.brings {
                    Brings::Item(_) => quote!(let #pat = #frame.item.at(#item);),
                    _ => quote! {
                        let #pat = #frame.item.view() else {
                            return __p::no_match();
                        };
                    },
                });
                bindings.extend(
                    bound
                        .iter()
                        .map(|name| quote!(let #name = #name.__bind().get();)),
                );
            }
        }
    }

    /// The scopes of a line's groups.
    pub(super) fn below(&'m self, index: usize) -> Vec<Scope<'m>> {
        let line = &self.lines[index];
        let brings = match &line.body {
            Body::For { pat, .. } => Brings::Item(pat),
            Body::Loop { .. } => Brings::Prev,
            Body::If {
                cond: Cond::Let { pat, .. },
                ..
            } => Brings::Match(pat),
            _ => Brings::Nothing,
        };
        let ids = [
            format!("{}_{index}", self.id),
            format!("{}_{index}e", self.id),
        ];
        let scopes = line.groups().into_iter().enumerate().map(|(at, lines)| {
            let brings = if at == 0 { brings } else { Brings::Nothing };
            Scope {
                flow: self.flow,
                id: ids[at].clone(),
                partner: ids[1 - at].clone(),
                lines,
                parallel: matches!(line.body, Body::Parallel(_)),
                up: Some((self, index)),
                inferred: self.inferred || matches!(brings, Brings::Item(_) | Brings::Match(_)),
                brings,
            }
        });
        scopes.collect()
    }
}

fn slot_at(up: usize, name: &Ident) -> TokenStream {
    let frame = Scope::reach(up);
    let item = Scope::item(up);
    quote!(#frame.slots(#item).#name)
}
