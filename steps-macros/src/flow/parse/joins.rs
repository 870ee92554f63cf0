//! Which flow each `join` line joins: that of the `start` line whose value it names. The type of a line's
//! slot has to name it, and a macro sees no types; so it follows names, fields, items of a `for`, and
//! what an `if let Some(…)` binds.

use syn::{Expr, Member, Pat, Path};

use crate::{
    errors::Errors,
    flow::model::{Body, ChildCall, Cond, Line},
    idents,
};

/// What is known of a value.
#[derive(Clone)]
enum Known {
    /// A child of this flow.
    Child(Path),
    /// The value of a group, with those of its lines.
    Group(Vec<(String, Known)>),
    /// A list of such values.
    Each(Box<Known>),
    /// Such a value, or none.
    Maybe(Box<Known>),
    Other,
}

type Names = Vec<(String, Known)>;

/// Finds the flow of each `join` line. Where it can't be found, that is reported.
pub(super) fn resolve(lines: &mut [Line], errors: &mut Errors) {
    if lines.iter().any(has_join) {
        group(lines, &mut Names::new(), errors);
    }
}

fn has_join(line: &Line) -> bool {
    match &line.body {
        Body::Step(call) => matches!(call.child, Some(ChildCall::Join { is_named: false })),
        _ => line.groups().into_iter().flatten().any(has_join),
    }
}

fn group(lines: &mut [Line], names: &mut Names, errors: &mut Errors) {
    let outer = names.len();
    for line in lines {
        within(line, names, errors);
        names.push((line.name.to_string(), value(line)));
    }
    names.truncate(outer);
}

fn within(line: &mut Line, names: &mut Names, errors: &mut Errors) {
    let outer = names.len();
    let mut tokens = None;
    match &mut line.body {
        Body::Step(call) => {
            if let Some(ChildCall::Join { is_named: false }) = call.child {
                let found = syn::parse2::<Expr>(call.args.clone());
                match found.ok().and_then(|expr| look(&expr, names)) {
                    Some(Known::Child(path)) => call.path = path,
                    found => {
                        let text = call.args.to_string().replace(' ', "");
                        let text = text.trim_start_matches('&');
                        errors.on(
                            &call.args,
                            match found {
                                Some(Known::Maybe(_)) => format!(
                                    "`{text}` may be missing: join it in a group, `if let \
                                     Some(child) = &{text} {{ … }}`"
                                ),
                                _ => format!(
                                    "`{text}` is none of this flow's children: `join` takes the \
                                     value of a line `name = start flow(…);` above it. Where it \
                                     comes from elsewhere, write its flow, too: `join::<flow> {text}`"
                                ),
                            },
                        );
                        tokens = Some(call.args.clone());
                    }
                }
            }
        }
        Body::For {
            pat, list, lines, ..
        } => {
            let list = syn::parse2::<Expr>(list.clone()).ok();
            let item = match list.and_then(|list| look(&list, names)) {
                Some(Known::Each(item)) => *item,
                _ => Known::Other,
            };
            bind(pat, item, names);
            group(lines, names, errors);
        }
        Body::If {
            cond,
            then,
            otherwise,
        } => {
            if let Cond::Let { pat, value } = cond {
                let value = syn::parse2::<Expr>(value.clone()).ok();
                let value = value.and_then(|value| look(&value, names));
                bind(pat, value.unwrap_or(Known::Other), names);
            }
            group(then, names, errors);
            names.truncate(outer);
            if let Some(lines) = otherwise {
                group(lines, names, errors);
            }
        }
        Body::Match { value, arms } => {
            let value = syn::parse2::<Expr>(value.clone()).ok();
            let value = value.and_then(|value| look(&value, names));
            let value = value.unwrap_or(Known::Other);
            for line in arms {
                if let Some(arm) = &line.arm {
                    bind(&arm.pat, value.clone(), names);
                }
                within(line, names, errors);
                names.truncate(outer);
            }
        }
        _ => {
            for lines in line.groups_mut() {
                group(lines, names, errors);
            }
        }
    }
    names.truncate(outer);
    if let Some(tokens) = tokens {
        line.body = Body::Broken(tokens);
    }
}

/// Adds what a pattern binds: a name, or the name in `Some(name)`.
fn bind(pat: &proc_macro2::TokenStream, value: Known, names: &mut Names) {
    let bound = idents::bound(pat);
    let parsed = syn::parse::Parser::parse2(Pat::parse_multi_with_leading_vert, pat.clone());
    let known = match (parsed, value) {
        (Ok(Pat::Ident(_)), value) => value,
        (Ok(Pat::TupleStruct(pat)), Known::Maybe(value))
            if pat
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Some")
                && matches!(pat.elems.first(), Some(Pat::Ident(_))) =>
        {
            *value
        }
        _ => Known::Other,
    };
    for name in bound {
        names.push((name.to_string(), known.clone()));
    }
}

/// Returns what is known of the value of an expression.
fn look(expr: &Expr, names: &Names) -> Option<Known> {
    match expr {
        Expr::Path(path) => {
            let name = path.path.get_ident()?.to_string();
            let found = names.iter().rev().find(|(known, _)| *known == name);
            found.map(|(_, known)| known.clone())
        }
        Expr::Reference(inner) => look(&inner.expr, names),
        Expr::Paren(inner) => look(&inner.expr, names),
        Expr::Group(inner) => look(&inner.expr, names),
        Expr::Field(field) => {
            let (Known::Group(lines), Member::Named(name)) =
                (look(&field.base, names)?, &field.member)
            else {
                return None;
            };
            let found = lines.into_iter().find(|(known, _)| name == known);
            found.map(|(_, known)| known)
        }
        Expr::Index(index) => match look(&index.expr, names)? {
            Known::Each(item) => Some(*item),
            _ => None,
        },
        Expr::MethodCall(call) if call.method == "iter" || call.method == "as_ref" => {
            look(&call.receiver, names)
        }
        _ => None,
    }
}

/// Returns what is known of the value of a line.
fn value(line: &Line) -> Known {
    let lines = |lines: &[Line]| {
        let lines = lines.iter();
        Known::Group(
            lines
                .map(|line| (line.name.to_string(), value(line)))
                .collect(),
        )
    };
    let known = match &line.body {
        Body::Step(call) if matches!(call.child, Some(ChildCall::Start { .. })) => {
            Known::Child(call.path.clone())
        }
        Body::Group(inner) | Body::Parallel(inner) | Body::Loop { lines: inner, .. } => {
            lines(inner)
        }
        Body::For { lines: inner, .. } => Known::Each(Box::new(lines(inner))),
        Body::If {
            then,
            otherwise: None,
            ..
        } => return Known::Maybe(Box::new(lines(then))),
        _ => Known::Other,
    };
    if line.optional {
        Known::Maybe(Box::new(known))
    } else {
        known
    }
}
