//! Reports the use of a line's name where that line is not visible. The compiler would only say
//! that there is no such name; this says where the line is, and what to do.
//!
//! A name that may mean something else is left to the compiler: one that the expression itself
//! binds, one in a macro's arguments, and that of a function that a line calls.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Expr, Token, parse::Parser, punctuated::Punctuated, visit_mut::VisitMut};

use super::{
    places::{Among, Known, Place, collect, explain, shared},
    plain::{self, Name},
    uses::Uses,
};
use crate::{
    errors::Errors,
    flow::model::{Body, Cond, Flow, Line},
    idents,
};

/// Checks the expressions in all lines, and the code after `steps!`.
pub(super) fn check(flow: &Flow, errors: &mut Errors) {
    let mut known = Vec::new();
    collect(
        &flow.lines,
        (0, Among::Lines),
        &mut Vec::new(),
        "",
        &mut known,
    );
    let params = flow.params.iter().map(|param| Bound {
        what: if param.lent().is_some() {
            Name::Lent
        } else {
            Name::Value
        },
        ..Bound::plain(param.name.to_string())
    });
    let mut check = Check {
        known,
        scope: params.chain([Bound::plain("cx".to_owned())]).collect(),
        errors,
    };
    check.lines(&flow.lines, &Vec::new(), 0);
    check.scope.extend(flow.lines.iter().map(Bound::line));
    let tail = syn::Block::parse_within.parse2(flow.tail.clone());
    if let Ok(mut statements) = tail {
        let mut uses = Uses::default();
        for statement in &mut statements {
            uses.visit_stmt_mut(statement);
        }
        check.report(uses, &[]);
    }
}

/// A name in scope.
struct Bound {
    name: String,
    what: Name,
    /// If its value has to be looked into: the reason.
    wrapped: Option<Wrapped>,
}

/// Why a value is an `Option`, a `Result` or an enum.
#[derive(Clone, Copy)]
enum Wrapped {
    Option(&'static str),
    Caught,
    /// One of its lines: which it is, an arm or a line.
    One(&'static str),
}

impl Bound {
    fn plain(name: String) -> Self {
        Self {
            name,
            what: Name::Value,
            wrapped: None,
        }
    }

    fn line(line: &Line) -> Self {
        let wrapped = match &line.body {
            _ if line.caught => Some(Wrapped::Caught),
            _ if line.optional => Some(Wrapped::Option("this line is `#[optional]`")),
            Body::If {
                otherwise: None, ..
            } => Some(Wrapped::Option(
                "its group runs only if the condition holds",
            )),
            Body::Race(_) => Some(Wrapped::One("line")),
            Body::Match { .. } => Some(Wrapped::One("arm")),
            _ => None,
        };
        Self {
            name: line.name.to_string(),
            what: Name::Value,
            wrapped,
        }
    }
}

struct Check<'e> {
    known: Vec<Known>,
    scope: Vec<Bound>,
    errors: &'e mut Errors,
}

impl Check<'_> {
    fn lines(&mut self, lines: &[Line], above: &Place, group: usize) {
        let outer = self.scope.len();
        for (index, line) in lines.iter().enumerate() {
            let mut place = above.clone();
            place.push((group, index));
            self.line(line, &place);
            self.scope.push(Bound::line(line));
        }
        self.scope.truncate(outer);
    }

    /// Checks lines that never see each other.
    fn branches(&mut self, lines: &[Line], above: &Place) {
        for (index, line) in lines.iter().enumerate() {
            let outer = self.scope.len();
            let mut place = above.clone();
            // Each is like a branch of its own.
            place.push((index, index));
            if let Some(arm) = &line.arm {
                self.bind(&arm.pat);
                if let Some(guard) = &arm.guard {
                    self.decides(guard, &place);
                }
            }
            self.line(line, &place);
            self.scope.truncate(outer);
        }
    }

    fn line(&mut self, line: &Line, place: &Place) {
        let outer = self.scope.len();
        match &line.body {
            Body::Step(call) | Body::Flow(call) => {
                for expr in call.expressions() {
                    self.tokens(expr, place);
                    self.plain(expr);
                }
            }
            Body::Let { value, .. } => self.tokens(value, place),
            Body::Broken(_) => {}
            Body::Group(lines) | Body::Parallel(lines) => self.lines(lines, place, 0),
            Body::Race(lines) => self.branches(lines, place),
            Body::Match { value, arms } => {
                self.decides(value, place);
                self.branches(arms, place);
            }
            Body::If {
                cond,
                then,
                otherwise,
            } => {
                match cond {
                    Cond::Is(value) => self.decides(value, place),
                    Cond::Let { pat, value } => {
                        self.decides(value, place);
                        self.bind(pat);
                    }
                }
                self.lines(then, place, 0);
                self.scope.truncate(outer);
                if let Some(lines) = otherwise {
                    self.lines(lines, place, 1);
                }
            }
            Body::For {
                pat,
                list,
                key,
                lines,
                ..
            } => {
                self.decides(list, place);
                self.bind(pat);
                self.decides(key, place);
                self.lines(lines, place, 0);
            }
            Body::Loop { lines, until, .. } => {
                self.scope.push(Bound {
                    name: "prev".to_owned(),
                    what: Name::Value,
                    wrapped: Some(Wrapped::Option("the first round has none before it")),
                });
                self.lines(lines, place, 0);
                self.scope.extend(lines.iter().map(Bound::line));
                self.decides(until, place);
            }
        }
        self.scope.truncate(outer);
    }

    /// Checks that arguments give the same value each time they are made.
    fn plain(&mut self, args: &TokenStream) {
        let scope = &self.scope;
        let names = |name: &str| {
            let bound = scope.iter().rev().find(|bound| bound.name == name);
            bound.map_or(Name::Other, |bound| bound.what)
        };
        plain::check(args, &names, self.errors);
    }

    fn bind(&mut self, pat: &TokenStream) {
        let names = idents::bound(pat);
        self.scope
            .extend(names.iter().map(|name| Bound::plain(name.to_string())));
    }

    /// Checks an expression that decides which lines run.
    fn decides(&mut self, tokens: &TokenStream, place: &Place) {
        if let Some(word) = awaits(tokens) {
            self.errors.on(
                word,
                "no `.await` here: what is async is a step, so call it in a line above, and use its value",
            );
        }
        self.tokens(tokens, place);
    }

    fn tokens(&mut self, tokens: &TokenStream, place: &Place) {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        // The compiler reports what can't be parsed.
        let Ok(list) = parser.parse2(tokens.clone()) else {
            return;
        };
        let mut uses = Uses::default();
        for mut expr in list {
            uses.visit_expr_mut(&mut expr);
        }
        self.report(uses, place);
    }

    fn report(&mut self, uses: Uses, place: &[(usize, usize)]) {
        for (base, field) in &uses.fields {
            let name = base.to_string();
            let bound = self.scope.iter().rev().find(|bound| bound.name == name);
            if let Some(wrapped) = bound.and_then(|bound| bound.wrapped)
                && !uses.bound.contains(&name)
            {
                let (what, why, some) = match wrapped {
                    Wrapped::One(which) => {
                        let value = format!(
                            "`{name}` is an enum with a variant for each {which}: look into it with a group, \
                             `other = match {name} {{ … }}`"
                        );
                        self.errors.on(field, value);
                        continue;
                    }
                    Wrapped::Option(why) => ("an `Option`", why, "Some"),
                    Wrapped::Caught => ("a `Result`", "this line is `#[caught]`", "Ok"),
                };
                self.errors.on(
                    field,
                    format!(
                        "`{name}` is {what}, as {why}: look into it with a group \
                         `if let {some}({name}) = {name} {{ … }}`, or with `{name}.as_ref().map(…)`"
                    ),
                );
            }
        }
        for ident in uses.names {
            let name = ident.to_string();
            if uses.bound.contains(&name) || self.scope.iter().any(|bound| bound.name == name) {
                continue;
            }
            let candidates = self.known.iter().filter(|known| known.name == name);
            let nearest = candidates.max_by_key(|known| shared(&known.place, place));
            if let Some(known) = nearest {
                let message = explain(known, place);
                self.errors.on(&ident, message);
            }
        }
    }
}

/// Returns the first `await` in an expression.
fn awaits(tokens: &TokenStream) -> Option<Ident> {
    let mut after_dot = false;
    for token in tokens.clone() {
        let is_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        match token {
            TokenTree::Ident(word) if after_dot && word == "await" => return Some(word),
            TokenTree::Group(group) => {
                if let Some(word) = awaits(&group.stream()) {
                    return Some(word);
                }
            }
            _ => {}
        }
        after_dot = is_dot;
    }
    None
}
