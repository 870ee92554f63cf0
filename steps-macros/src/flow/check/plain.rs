//! Whether an argument is plain: made of what is bound, in a way that gives the same each time.
//!
//! The arguments of a line are made anew for each attempt, for the verify and for the undo. So they
//! may take values apart and put them together, but not call what may give another value the next
//! time: that belongs in a `let` line, which is evaluated once. A macro sees only the form of a
//! call. Plain are methods, constructors, and functions that by their name convert a value; any
//! other function is not, nor is a method that by its name tells the time or a random number.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{
    Expr, ExprCall, ExprMethodCall, Macro, Path, Token,
    parse::Parser,
    punctuated::Punctuated,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use super::{
    names::{FIXED, READS, changes, is_plain_function, makes},
    uses::Uses,
};
use crate::{
    errors::Errors,
    idents::{is_capital, is_snake, is_type},
};

/// What a name stands for in an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::flow) enum Name {
    /// A value, which is recorded.
    Value,
    /// What the flow is lent.
    Lent,
    /// Nothing that the flow binds: a function, a constant, a static.
    Other,
}

/// Reports the calls in a line's arguments that are not plain.
pub(in crate::flow) fn check(
    args: &TokenStream,
    names: &dyn Fn(&str) -> Name,
    errors: &mut Errors,
) {
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    // The compiler reports what can't be parsed.
    for mut arg in parser.parse2(args.clone()).into_iter().flatten() {
        let mut local = Uses::default();
        local.visit_expr_mut(&mut arg);
        let mut check = Check {
            names,
            local: local.bound,
            errors: &mut *errors,
        };
        check.visit_expr_mut(&mut arg);
    }
}

/// Returns whether an expression is plain.
pub(in crate::flow) fn is_plain(expr: &TokenStream, names: &dyn Fn(&str) -> Name) -> bool {
    let mut errors = Errors::default();
    check(expr, names, &mut errors);
    errors.is_empty()
}

struct Check<'c> {
    names: &'c dyn Fn(&str) -> Name,
    /// The names that the expression itself binds.
    local: Vec<String>,
    errors: &'c mut Errors,
}

impl Check<'_> {
    fn report(&mut self, span: Span, what: &str, given: &str) {
        self.errors.at(
            span,
            format!(
                "{what} may give another value each time, and arguments are made anew for each \
                 attempt and for the undo: evaluate it once, in a line of its own above, \
                 `let name: Type = {given};`"
            ),
        );
    }

    fn report_call(&mut self, function: &Path, args: usize) {
        let name = text(function);
        let given = if args == 0 {
            format!("{name}()")
        } else {
            format!("{name}(…)")
        };
        self.report(function.span(), &format!("`{name}()`"), &given);
    }

    fn is_local(&self, path: &Path) -> bool {
        path.get_ident()
            .is_some_and(|name| self.local.contains(&name.to_string()))
    }

    fn name(&self, path: &Path) -> Name {
        let name = path.get_ident().map(ToString::to_string);
        name.map_or(Name::Other, |name| (self.names)(&name))
    }

    /// Checks an argument of a method: if it is the path of a function, the method calls it.
    fn argument(&mut self, arg: &mut Expr) {
        if let Expr::Path(found) = arg
            && let Some(last) = found.path.segments.last()
            && is_snake(&last.ident.to_string())
            && !self.is_local(&found.path)
            && self.name(&found.path) == Name::Other
            && !(found.qself.is_none() && is_plain_function(&found.path, 1))
        {
            return self.report_call(&found.path.clone(), 1);
        }
        self.visit_expr_mut(arg);
    }

    /// Returns whether a method is one of a value. A `static` may change, and what the flow is lent may
    /// make something new.
    fn is_of_a_value(&self, call: &ExprMethodCall, method: &str) -> bool {
        let mut root = &*call.receiver;
        while let Expr::Field(_) | Expr::Paren(_) | Expr::Reference(_) | Expr::Index(_) = root {
            root = match root {
                Expr::Field(field) => &field.base,
                Expr::Paren(paren) => &paren.expr,
                Expr::Reference(reference) => &reference.expr,
                Expr::Index(index) => &index.expr,
                _ => break,
            };
        }
        let Expr::Path(found) = root else {
            return true;
        };
        if self.name(&found.path) == Name::Lent && makes(method) {
            return false;
        }
        let segments = &found.path.segments;
        let (Some(last), before) = (segments.last(), segments.iter().rev().nth(1)) else {
            return true;
        };
        let is_static = is_capital(&last.ident.to_string())
            && !before.is_some_and(|before| is_type(&before.ident.to_string()));
        !is_static || READS.contains(&method)
    }
}

impl VisitMut for Check<'_> {
    fn visit_expr_call_mut(&mut self, call: &mut ExprCall) {
        match &*call.func {
            Expr::Path(function) => {
                let is_plain = self.is_local(&function.path)
                    || (function.qself.is_none()
                        && is_plain_function(&function.path, call.args.len()));
                if !is_plain {
                    return self.report_call(&function.path.clone(), call.args.len());
                }
            }
            Expr::Closure(_) => {}
            other => {
                let text = other.to_token_stream().to_string().replace(' ', "");
                return self.report(other.span(), &format!("`{text}()`"), &format!("{text}(…)"));
            }
        }
        visit_mut::visit_expr_call_mut(self, call);
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        let name = call.method.to_string();
        if changes(&name) || !self.is_of_a_value(call, &name) {
            let receiver = call.receiver.to_token_stream().to_string().replace(' ', "");
            let given = format!("{receiver}.{name}(…)");
            return self.report(call.method.span(), &format!("`{name}()`"), &given);
        }
        self.visit_expr_mut(&mut call.receiver);
        for arg in &mut call.args {
            self.argument(arg);
        }
    }

    fn visit_macro_mut(&mut self, found: &mut Macro) {
        let name = match found.path.segments.last() {
            Some(last) => last.ident.to_string(),
            None => return,
        };
        if FIXED.contains(&name.as_str()) {
            return;
        }
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let parts = match name.as_str() {
            "format" | "format_args" | "vec" => {
                parser.parse2(found.tokens.clone()).ok().or_else(|| {
                    // `[value; times]`
                    let tokens = &found.tokens;
                    let array: Expr = syn::parse2(quote::quote!([#tokens])).ok()?;
                    Some(std::iter::once(array).collect())
                })
            }
            "matches" => {
                // The expression before the pattern.
                let first = |input: syn::parse::ParseStream<'_>| {
                    let expr: Expr = input.parse()?;
                    input.parse::<proc_macro2::TokenStream>()?;
                    Ok(std::iter::once(expr).collect())
                };
                first.parse2(found.tokens.clone()).ok()
            }
            _ => None,
        };
        match parts {
            Some(parts) => {
                for mut part in parts {
                    self.visit_expr_mut(&mut part);
                }
            }
            None => {
                let name = text(&found.path);
                self.report(
                    found.path.span(),
                    &format!("`{name}!`"),
                    &format!("{name}!(…)"),
                );
            }
        }
    }

    fn visit_expr_await_mut(&mut self, found: &mut syn::ExprAwait) {
        self.errors.on(
            found.await_token,
            "arguments are made anew for each attempt and for the undo, and this would be awaited \
             each time: make it a step, and use its output",
        );
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        if let Some(init) = &mut local.init {
            // A function by another name.
            self.argument(&mut init.expr);
        }
    }
}

fn text(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}
