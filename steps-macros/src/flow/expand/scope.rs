//! The scopes of a flow during expansion: the names of a scope's generated items, and how code in
//! the scope reaches the names that it uses.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{
    borrowed::Bound,
    introduced::Introduces,
    value::{Outcome, fold},
};
use crate::{
    case,
    flow::check::plain::Name,
    flow::model::{Body, Cond, Flow, Line},
    idents::Names,
    item::function::Param,
};

/// One group of lines, and its place in the flow.
pub(super) struct Scope<'m> {
    pub(super) flow: &'m Flow,
    /// A suffix for the names of its generated items: the numbers of the lines that lead to it.
    pub(super) id: String,
    /// The `id` of the other branch of an `if … else`.
    pub(super) other_branch: String,
    pub(super) lines: &'m [Line],
    /// The names of its lines, as text.
    pub(super) names: Vec<String>,
    /// The scope around it, and the number of the line there that this scope belongs to.
    pub(super) up: Option<(&'m Scope<'m>, usize)>,
    /// The names that it introduces besides those of its lines.
    pub(super) introduces: Introduces<'m>,
    /// Whether the type of its frame can't be written, because it depends on an expression of the
    /// user's. Its code is then closures, whose types are inferred from that expression.
    pub(super) inferred: bool,
}

/// Where a name in an expression comes from.
pub(super) enum Origin<'m> {
    Line(&'m Line),
    /// The scope around it: an item, what a pattern binds, or `prev`.
    Introduced,
    Param(&'m Param),
    Other,
}

/// Returns the name of a local in generated code, which can't collide with a name of the user's.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns `cx`, which the user's expressions can use.
pub(super) fn cx() -> Ident {
    Ident::new("cx", Span::call_site())
}

impl<'m> Scope<'m> {
    /// Returns the scope of a flow's outermost lines.
    pub(super) fn root(flow: &'m Flow) -> Self {
        Self {
            flow,
            id: "0".to_owned(),
            other_branch: String::new(),
            lines: &flow.lines,
            names: names(&flow.lines),
            up: None,
            introduces: Introduces::Nothing,
            inferred: false,
        }
    }

    /// Returns the name of the struct that holds its slots.
    pub(super) fn slots(&self) -> Ident {
        format_ident!("__Slots{}", self.id)
    }

    /// Returns the name of the type that is its value: a struct, which the compiler's messages show,
    /// or an alias of an enum.
    pub(super) fn value(&self) -> Ident {
        match self.choice() {
            Some(choice) => format_ident!("__{choice}"),
            None => format_ident!("{}", self.title()),
        }
    }

    /// Returns the name of the enum that is its value, if it is that of one of its lines.
    pub(super) fn choice(&self) -> Option<Ident> {
        let (up, line) = self.up?;
        match &up.lines[line].body {
            Body::Race(_) | Body::Match { .. } => Some(format_ident!("{}", self.title())),
            _ => None,
        }
    }

    /// Returns the flow's name and those of the lines that lead to this scope, as one name.
    pub(super) fn title(&self) -> String {
        match self.up {
            None => case::pascal(&self.flow.function.sig.ident.to_string()),
            Some((up, line)) => {
                let line = &up.lines[line];
                let own = case::pascal(line.name.to_string().trim_start_matches("r#"));
                let branch = match &line.body {
                    Body::If {
                        then,
                        otherwise: Some(_),
                        ..
                    } if std::ptr::eq(then.as_slice(), self.lines) => "Then",
                    Body::If {
                        otherwise: Some(_), ..
                    } => "Else",
                    _ => "",
                };
                format!("{}{own}{branch}", up.title())
            }
        }
    }

    /// Returns how many of its lines are visible from this one: those before it, or none, if only one of
    /// them will have a value.
    fn visible(&self, line: usize) -> usize {
        if self.choice().is_some() { 0 } else { line }
    }

    /// Returns the number of scopes around it.
    fn depth(&self) -> usize {
        self.up.map_or(0, |(up, _)| up.depth() + 1)
    }

    /// Returns the type of its frame, with all lifetimes elided.
    pub(super) fn frame(&self) -> TokenStream {
        let name = format_ident!("__Frame{}", self.id);
        let open = (0..=self.depth()).map(|_| quote!('_));
        quote!(#name<#(#open),*>)
    }

    /// Returns the alias for the type of its frame.
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

    /// Returns the type of the frame's home: where the slots go when the scope is left.
    fn home(&self, lifetime: &syn::Lifetime) -> TokenStream {
        let Some((up, index)) = self.up else {
            return TokenStream::new();
        };
        let line = &up.lines[index];
        let slots = self.slots();
        let outcome = Outcome::of(line).argument();
        match &line.body {
            Body::If {
                then,
                otherwise: Some(_),
                ..
            } => {
                if std::ptr::eq(then.as_slice(), self.lines) {
                    let other = format_ident!("__Slots{}", self.other_branch);
                    quote!(__p::Then<#lifetime, #slots, #other #outcome>)
                } else {
                    let other = format_ident!("__Slots{}", self.other_branch);
                    quote!(__p::Else<#lifetime, #other, #slots #outcome>)
                }
            }
            Body::Loop { .. } => quote!(__p::Round<#lifetime, #slots #outcome>),
            _ => {
                let fold = fold(line);
                quote!(&#lifetime __p::Cell<#slots, #fold #outcome>)
            }
        }
    }

    /// Returns the expression for the frame that is `up` scopes out from the frame `f`.
    pub(super) fn reach(up: usize) -> TokenStream {
        let f = local("f");
        let ups = (0..up).map(|_| quote!(.up));
        quote!(#f #(#ups)*)
    }

    /// Returns the expression for the number of the item in the scope that is `up` scopes out.
    pub(super) fn item(up: usize) -> TokenStream {
        let item = local("item");
        match up.checked_sub(1) {
            None => quote!(#item),
            Some(below) => {
                let below = Self::reach(below);
                quote!(#below.at)
            }
        }
    }

    /// Returns the expression for the slot of a line of this scope.
    pub(super) fn slot(&self, line: usize) -> TokenStream {
        slot_at(0, &self.lines[line].name)
    }

    /// Returns `let` statements for the names in `used` that are visible from line `line`. For the
    /// end of a round, pass the number of lines: all of them are visible.
    pub(super) fn bind(&self, line: usize, used: &Names) -> TokenStream {
        self.bind_as(line, used, &|_| Bound::Usual)
    }

    /// Returns such statements, with names bound as `bound` says.
    pub(super) fn bind_as(
        &self,
        line: usize,
        used: &Names,
        bound: &dyn Fn(&str) -> Bound,
    ) -> TokenStream {
        let mut bindings = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        // Of several with the same name, the nearest is bound.
        let mut wants = |name: &str| {
            let wanted = used.contains(name) && !seen.iter().any(|seen| seen == name);
            if wanted {
                seen.push(name.to_owned());
            }
            wanted
        };
        let (mut scope, mut at) = (self, line);
        let mut up = 0;
        loop {
            let lines = scope.lines[..scope.visible(at)].iter().zip(&scope.names);
            for (line, text) in lines.rev() {
                if wants(text) {
                    let name = &line.name;
                    let slot = slot_at(up, name);
                    let bind = bind_method(bound(text));
                    bindings.push(quote! {
                        let #name = #slot.get().__done(#text) #bind;
                    });
                }
            }
            scope.bind_introduced(up, at, &mut wants, &mut bindings);
            match scope.up {
                None => break,
                Some(outer) => {
                    (scope, at) = outer;
                    up += 1;
                }
            }
        }
        for param in &self.flow.params {
            let name = &param.name;
            if wants(&name.to_string()) {
                let root = Self::reach(up);
                bindings.push(if param.lent().is_some() {
                    quote!(let #name = #root.lent.#name;)
                } else {
                    let bind = bind_method(bound(&name.to_string()));
                    quote!(let #name = (&#root.input().#name) #bind;)
                });
            }
        }
        quote!(#(#bindings)*)
    }

    /// Returns what a name stands for in the expressions of line `line`.
    pub(super) fn name(&self, line: usize, name: &str) -> Name {
        match self.origin(line, name) {
            Origin::Param(param) if param.lent().is_some() => Name::Lent,
            Origin::Param(_) | Origin::Introduced | Origin::Line(_) => Name::Value,
            Origin::Other if name == "cx" => Name::Value,
            Origin::Other => Name::Other,
        }
    }

    /// Returns where a name in the expressions of line `line` comes from.
    pub(super) fn origin(&self, line: usize, name: &str) -> Origin<'m> {
        let (mut scope, mut at) = (self, line);
        loop {
            if let Some(line) = scope.names[..scope.visible(at)]
                .iter()
                .rposition(|line| line == name)
            {
                return Origin::Line(&scope.lines[line]);
            }
            if scope.has_introduced(at, name) {
                return Origin::Introduced;
            }
            match scope.up {
                Some(outer) => (scope, at) = outer,
                None => break,
            }
        }
        let param = self.flow.params.iter().find(|param| param.name == name);
        param.map_or(Origin::Other, Origin::Param)
    }

    /// Returns the scopes of a line's groups.
    pub(super) fn below(&'m self, index: usize) -> Vec<Scope<'m>> {
        let line = &self.lines[index];
        let introduces = match &line.body {
            Body::For { pat, .. } => Introduces::Item(pat),
            Body::Loop { .. } => Introduces::Prev,
            Body::Match { .. } => Introduces::Arms,
            Body::If {
                cond: Cond::Let { pat, .. },
                ..
            } => Introduces::Match(pat),
            _ => Introduces::Nothing,
        };
        let ids = [
            format!("{}_{index}", self.id),
            format!("{}_{index}e", self.id),
        ];
        let scopes = line.groups().into_iter().enumerate().map(|(at, lines)| {
            let introduces = if at == 0 {
                introduces
            } else {
                Introduces::Nothing
            };
            Scope {
                flow: self.flow,
                id: ids[at].clone(),
                other_branch: ids[1 - at].clone(),
                lines,
                names: names(lines),
                up: Some((self, index)),
                inferred: self.inferred
                    || matches!(
                        introduces,
                        Introduces::Item(_) | Introduces::Match(_) | Introduces::Arms
                    ),
                introduces,
            }
        });
        scopes.collect()
    }
}

/// Returns the names of lines, as text.
fn names(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.name.to_string()).collect()
}

/// Returns the method calls that bind a reference so.
fn bind_method(bound: Bound) -> TokenStream {
    match bound {
        Bound::Usual => quote!(.__bind().get()),
        Bound::Lent => TokenStream::new(),
    }
}

/// Returns the expression for a line's slot in the scope that is `up` scopes out.
fn slot_at(up: usize, name: &Ident) -> TokenStream {
    let frame = Scope::reach(up);
    let item = Scope::item(up);
    quote!(#frame.slots(#item).#name)
}
