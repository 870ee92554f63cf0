//! Reads a flow's function: its options, its parameters, its `steps!` and the code after it.

use proc_macro2::{Punct, Spacing, TokenStream};
use quote::{ToTokens, quote};
use syn::{ItemFn, LitStr, Stmt, Type};

use super::{joins, lines};
use crate::{
    attr::{args, options::Options, values},
    case,
    errors::Errors,
    flow::model::{Flow, Health, Line},
    item::{
        function::{self, Param, Role},
        return_type,
    },
};

const OPTIONS: &[&str] = &[
    "name",
    "alias",
    "rename_all",
    "on_failure",
    "reversible",
    "deadline",
    "crate",
];

/// Reads the function, which is a `role`: a flow or a plan. Where no flow can be made of it, `Err` holds the
/// whole output.
pub(in crate::flow) fn read(
    role: &'static str,
    attr: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Result<Flow, TokenStream> {
    let mut args = args::parse(attr, errors);
    let krate = args::take_crate(&mut args, errors);
    let Some(mut function) = function::parse(item.clone(), role, errors) else {
        return Err(item);
    };
    let aliases = param_aliases(&mut function, errors);
    let before = errors.len();
    let mut params = function::params(&function, Role(role), errors);
    with_aliases(&mut params, aliases, errors);
    for param in &mut params {
        if let Type::Reference(reference) = &mut param.ty
            && let Some(mutability) = reference.mutability.take()
        {
            errors.on(
                mutability,
                format!(
                    "a {role} is lent its resources by `&`: steps may run in parallel, and after a resume"
                ),
            );
        }
    }
    for param in params.iter_mut().filter(|param| param.lent().is_none()) {
        owned_input(&mut param.ty, errors);
    }
    if function.sig.asyncness.is_none() && function.sig.constness.is_none() {
        errors.on(function.sig.fn_token, format!("a {role} is an `async fn`"));
    }
    let output = return_type::read(&function, role, &Options::default(), errors);
    if function::is_method(&function) {
        // `steps!` is an error outside of a flow.
        return Err(function::without_body(function));
    }
    let health = if function::is_generic(&function) {
        let count = params.len();
        params.clear();
        Health::Generic(count)
    } else if errors.len() > before {
        Health::BadSignature
    } else {
        Health::Whole
    };
    let mut flow = Flow {
        krate,
        name: function.sig.ident.to_string(),
        params,
        output,
        health,
        aliases: Vec::new(),
        hold: false,
        reversible: false,
        deadline: None,
        lines: Vec::new(),
        tail: TokenStream::new(),
        function,
    };
    let mut case = None;
    for arg in args::once_each(args, errors) {
        match arg.name.to_string().as_str() {
            "name" => flow.name = arg.text(errors).map_or(flow.name, |name| name.value()),
            "alias" => flow.aliases.extend(arg.text(errors)),
            "rename_all" => case = arg.text(errors),
            "on_failure" => {
                if let Some(text) = arg.text(errors) {
                    match text.value().as_str() {
                        "undo" => flow.hold = false,
                        "hold" => flow.hold = true,
                        other => errors.on(
                            &text,
                            format!("unknown `{other}`; `on_failure` is \"undo\" or \"hold\""),
                        ),
                    }
                }
            }
            "reversible" => flow.reversible = arg.flag(errors),
            "deadline" => flow.deadline = values::time(arg, errors),
            _ => arg.unknown(OPTIONS, errors),
        }
    }
    let case = case.and_then(|case| {
        let value = case.value();
        if case::CASES.contains(&value.as_str()) {
            return Some(value);
        }
        let known = case::CASES.join("\", \"");
        errors.on(&case, format!("unknown case; there are \"{known}\""));
        None
    });
    body(role, &mut flow, errors);
    rename(&mut flow.lines, case.as_deref().unwrap_or("snake_case"));
    Ok(flow)
}

/// Takes the `#[alias = "…"]` off the parameters, in their order.
fn param_aliases(function: &mut ItemFn, errors: &mut Errors) -> Vec<Vec<LitStr>> {
    let mut all = Vec::new();
    for input in &mut function.sig.inputs {
        let syn::FnArg::Typed(param) = input else {
            continue;
        };
        let mut aliases = Vec::new();
        param.attrs.retain(|attr| {
            if !attr.path().is_ident("alias") {
                return true;
            }
            match &attr.meta {
                syn::Meta::NameValue(syn::MetaNameValue {
                    value:
                        syn::Expr::Lit(syn::ExprLit {
                            lit: syn::Lit::Str(text),
                            ..
                        }),
                    ..
                }) => aliases.push(text.clone()),
                _ => errors.on(attr, "write `#[alias = \"old_name\"]`"),
            }
            false
        });
        all.push(aliases);
    }
    all
}

/// Gives the parameters their aliases, and reports those that mean nothing or two things.
fn with_aliases(params: &mut [Param], aliases: Vec<Vec<LitStr>>, errors: &mut Errors) {
    let mut taken: Vec<String> = params.iter().map(|param| param.name.to_string()).collect();
    for (param, aliases) in params.iter_mut().zip(aliases) {
        for alias in aliases {
            if param.lent().is_some() {
                errors.on(
                    &alias,
                    "what is taken by reference is not saved, so it has no alias",
                );
            } else if taken.contains(&alias.value()) {
                errors.on(
                    &alias,
                    format!("another parameter is saved as \"{}\"", alias.value()),
                );
            } else {
                taken.push(alias.value());
                param.aliases.push(alias);
            }
        }
    }
}

/// Reports the type of an input that borrows, and replaces it by one that does not.
fn owned_input(ty: &mut Type, errors: &mut Errors) {
    let Some(span) = return_type::borrows(ty) else {
        return;
    };
    let instead = return_type::owned_instead(ty);
    errors.at(
        span,
        format!("a flow's input is saved and read back, so it can't borrow: take {instead}"),
    );
    *ty = function::owned(&return_type::without_borrows(ty));
}

/// Splits the body into the `steps!` and the code after it.
fn body(role: &str, flow: &mut Flow, errors: &mut Errors) {
    let stmts = &flow.function.block.stmts;
    let Some(at) = stmts.iter().position(|stmt| as_steps(stmt).is_some()) else {
        return errors.on(
            &flow.function.sig.ident,
            format!("a {role} has a `steps! {{ … }}` at the beginning of its body"),
        );
    };
    if let Some(first) = stmts[..at].first() {
        errors.on(
            first,
            "this code stands before `steps!`, so it would run again at every resume: put it in a \
             step, whose output is saved",
        );
    }
    let mut found = false;
    for stmt in &stmts[at..] {
        match as_steps(stmt) {
            Some(tokens) if !found => {
                found = true;
                flow.lines = lines::parse(tokens, errors);
                joins::resolve(&mut flow.lines, errors);
            }
            Some(_) => errors.on(
                as_path(stmt),
                "a second `steps!`: a flow has one tree; put these lines in the first, or in a \
                 flow of their own",
            ),
            None => stmt.to_tokens(&mut flow.tail),
        }
    }
}

fn as_macro(stmt: &Stmt) -> Option<&syn::Macro> {
    match stmt {
        Stmt::Macro(stmt) => Some(&stmt.mac),
        Stmt::Expr(syn::Expr::Macro(expr), _) => Some(&expr.mac),
        _ => None,
    }
}

fn as_path(stmt: &Stmt) -> Option<&syn::Path> {
    as_macro(stmt).map(|mac| &mac.path)
}

/// Returns the tokens in a `steps!`; `None` for another statement.
pub(super) fn as_steps(stmt: &Stmt) -> Option<TokenStream> {
    let mac = as_macro(stmt)?;
    let last = mac.path.segments.last()?;
    (last.ident == "steps").then(|| {
        // An error about a missing token is reported at the next one: after the last line, that is
        // this `;`, which has the span of the closing brace.
        let mut end = Punct::new(';', Spacing::Alone);
        end.set_span(mac.delimiter.span().close());
        let tokens = &mac.tokens;
        quote!(#tokens #end)
    })
}

/// Sets the name of each line in the saved tree.
fn rename(lines: &mut [Line], case: &str) {
    for line in lines {
        let own = line.name.to_string();
        let own = own.strip_prefix("r#").unwrap_or(&own);
        line.saved = match &line.options.name {
            Some(name) => name.value(),
            None => case::recase(own, case),
        };
        for lines in line.groups_mut() {
            rename(lines, case);
        }
    }
}
