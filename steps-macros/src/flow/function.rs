//! Reads a flow's function: its options, its parameters, its `steps!` and the code after it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{ItemFn, ReturnType, Stmt, Type};

use super::{block, model::Flow};
use crate::{
    args,
    diag::Errors,
    function::{self, Role},
    names,
};

const OPTIONS: &[&str] = &[
    "name",
    "alias",
    "rename_all",
    "on_failure",
    "reversible",
    "crate",
];

/// Reads the function. `None` if it is none, or can't be a flow in any way.
pub(crate) fn read(attr: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Flow> {
    let mut args = args::parse(attr, errors);
    let krate = function::take_crate(&mut args, errors);
    let function = function::parse(item, "flow", errors)?;
    let before = errors.is_empty();
    let params = function::params(&function, Role("flow"), errors);
    for param in &params {
        if let Type::Reference(reference) = &param.ty
            && let Some(mutability) = &reference.mutability
        {
            errors.on(
                mutability,
                "a flow is lent its resources by `&`: steps may run at once, and after a resume",
            );
        }
    }
    if function.sig.asyncness.is_none() {
        errors.on(function.sig.fn_token, "a flow is an `async fn`");
    }
    if matches!(function.sig.output, ReturnType::Default) {
        errors.on(
            &function.sig.ident,
            "a flow returns a `Result`: write `-> Result<(), Error>`",
        );
    }
    if before && !errors.is_empty() && unfit(&function) {
        return None;
    }
    let mut flow = Flow {
        krate,
        name: function.sig.ident.to_string(),
        params,
        aliases: Vec::new(),
        hold: false,
        reversible: false,
        lines: Vec::new(),
        tail: TokenStream::new(),
        function,
    };
    let mut case = None;
    for arg in args {
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
            _ => arg.unknown(OPTIONS, errors),
        }
    }
    let case = case.and_then(|case| {
        let value = case.value();
        if names::CASES.contains(&value.as_str()) {
            return Some(value);
        }
        let known = names::CASES.join("\", \"");
        errors.on(&case, format!("unknown case; there are \"{known}\""));
        None
    });
    body(&mut flow, errors);
    rename(&mut flow.lines, case.as_deref().unwrap_or("snake_case"));
    Some(flow)
}

/// Whether nothing sensible can be generated for the function.
fn unfit(function: &ItemFn) -> bool {
    let generic = function
        .sig
        .generics
        .params
        .iter()
        .any(|param| !matches!(param, syn::GenericParam::Lifetime(_)));
    let receiver = matches!(function.sig.inputs.first(), Some(syn::FnArg::Receiver(_)));
    generic || receiver || matches!(function.sig.output, ReturnType::Default)
}

/// Splits the body into the `steps!` and the code after it.
fn body(flow: &mut Flow, errors: &mut Errors) {
    let mut found = false;
    for stmt in &flow.function.block.stmts {
        match as_steps(stmt) {
            Some(_) if found => errors.on(
                stmt,
                "a second `steps!`: a flow has one tree; put these lines in the first, or in a \
                 flow of their own",
            ),
            Some(tokens) => {
                found = true;
                flow.lines = block::parse(tokens, errors);
            }
            None if found => stmt.to_tokens(&mut flow.tail),
            None => {
                let name = &flow.function.sig.ident;
                if flow
                    .function
                    .block
                    .stmts
                    .iter()
                    .any(|stmt| as_steps(stmt).is_some())
                {
                    errors.on(
                        stmt,
                        "this code stands before `steps!`, so it would run again at every resume: \
                         put it in a step, whose output is saved",
                    );
                } else {
                    errors.on(
                        name,
                        "a flow has a `steps! { … }` at the beginning of its body",
                    );
                }
                return;
            }
        }
    }
    if !found {
        errors.on(
            &flow.function.sig.ident,
            "a flow has a `steps! { … }` at the beginning of its body",
        );
    }
}

fn as_steps(stmt: &Stmt) -> Option<TokenStream> {
    let mac = match stmt {
        Stmt::Macro(stmt) => &stmt.mac,
        Stmt::Expr(syn::Expr::Macro(expr), _) => &expr.mac,
        _ => return None,
    };
    let last = mac.path.segments.last()?;
    (last.ident == "steps").then(|| mac.tokens.clone())
}

/// Gives each line its name in the saved tree.
fn rename(lines: &mut [super::model::Line], case: &str) {
    use super::model::Body;
    for line in lines {
        let own = line.name.to_string();
        let own = own.strip_prefix("r#").unwrap_or(&own);
        line.saved = match &line.options.name {
            Some(name) => name.value(),
            None => names::recase(own, case),
        };
        match &mut line.body {
            Body::Step(_) | Body::Flow(_) => {}
            Body::Group(lines)
            | Body::Parallel(lines)
            | Body::For { lines, .. }
            | Body::Loop { lines, .. } => rename(lines, case),
            Body::If {
                then, otherwise, ..
            } => {
                rename(then, case);
                if let Some(lines) = otherwise {
                    rename(lines, case);
                }
            }
        }
    }
}
