//! Reads the function of a `#[plan]`: as that of a flow, whose lines are the steps that plans may have, with
//! their parameters in place of arguments: `attach(cloud, volume: &Volume);`.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    FnArg, ItemFn, Pat, ReturnType, Stmt, Token, Type,
    parse::{Parse, ParseStream, Parser},
};

use super::function;
use crate::{
    attr::args,
    errors::Errors,
    flow::{
        check::plain::{self, Name},
        model::{Body, Health, Line, Plan, PlanArg},
    },
    item::{
        function::{Param, is_method},
        return_type::{borrows, without_borrows},
    },
};

/// The names of functions that the plan's type has anyway.
const TAKEN: &[&str] = &["call", "input", "plan", "resume", "with"];
/// The names of what a plan's step may be besides.
const ARMS: &[&str] = &["group", "optional", "pivot"];

/// Reads the function. Where no plan can be made of it, `Err` holds the whole output.
pub(in crate::flow) fn read(
    attr: TokenStream,
    item: TokenStream,
    errors: &mut Errors,
) -> Result<Plan, TokenStream> {
    let mut lists = Vec::new();
    let before = errors.len();
    let item = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) if !is_method(&function) => {
            let mut options = args::parse_leniently(attr.clone());
            let krate = args::take_crate(&mut options, &mut Errors::default());
            whole(function, &krate, &mut lists, errors).into_token_stream()
        }
        // What is wrong with it is told of it as of a flow.
        _ => item,
    };
    let is_sound = errors.len() == before;
    let mut flow = function::read("plan", attr, item, errors)?;
    if !is_sound && flow.health == Health::Whole {
        flow.health = Health::BadSignature;
    }
    if !flow.tail.is_empty() {
        errors.on(
            &flow.tail,
            "no code comes after the list of a plan's steps: what a plan gives are their outputs",
        );
        flow.tail = TokenStream::new();
    }
    // The last one is the plan.
    let lent = flow.params.split_last().map_or(&[][..], |(_, lent)| lent);
    let args = lists
        .into_iter()
        .map(|list| arguments(list, lent, errors))
        .collect();
    flow.lines.retain(|line| is_step(line, errors));
    Ok(Plan { flow, args })
}

/// Gives the function what the user does not write: the parameter for the plan, and the output.
fn whole(
    mut function: ItemFn,
    krate: &TokenStream,
    lists: &mut Vec<TokenStream>,
    errors: &mut Errors,
) -> ItemFn {
    if let ReturnType::Type(_, ty) = &function.sig.output {
        errors.on(
            ty,
            "a plan has no return type: it gives the outputs of its steps, as `PlanOutputs`",
        );
    }
    function.sig.output = syn::parse_quote!(
        -> ::core::result::Result<#krate::plan::PlanOutputs, ::core::convert::Infallible>
    );
    let mut inputs = syn::punctuated::Punctuated::new();
    for input in std::mem::take(&mut function.sig.inputs) {
        if let FnArg::Typed(param) = &input {
            if !matches!(&*param.ty, Type::Reference(_)) {
                errors.on(
                    &param.ty,
                    "a plan takes nothing by value but the plan itself: what a step needs, it gives. Take \
                     resources by reference, `&Cloud`",
                );
            }
            if matches!(&*param.pat, Pat::Ident(pat) if pat.ident == "plan") {
                errors.on(
                    &param.pat,
                    "`plan` is the plan itself, which is taken anyway: give this another name",
                );
                continue;
            }
        }
        inputs.push(input);
    }
    let (name, plan) = (&function.sig.ident, Ident::new("plan", Span::call_site()));
    inputs.push(syn::parse_quote!(#plan: #krate::Plan<#name>));
    function.sig.inputs = inputs;
    for stmt in &mut function.block.stmts {
        if function::as_steps(stmt).is_none() {
            continue;
        }
        if let Stmt::Macro(syn::StmtMacro { mac, .. })
        | Stmt::Expr(syn::Expr::Macro(syn::ExprMacro { mac, .. }), _) = stmt
        {
            mac.tokens = without_arguments(mac.tokens.clone(), lists);
        }
    }
    function
}

/// Takes what is in the parentheses of each line out, as it is no expression.
fn without_arguments(tokens: TokenStream, lists: &mut Vec<TokenStream>) -> TokenStream {
    let mut before: [Option<TokenTree>; 2] = [None, None];
    let is = |token: &Option<TokenTree>, text: &str| {
        token
            .as_ref()
            .is_some_and(|token| token.to_string() == text)
    };
    let mut rest = TokenStream::new();
    for token in tokens {
        let called = match &before[1] {
            Some(TokenTree::Ident(word)) => !(word == "within" && is(&before[0], ".")),
            other => is(other, ">"),
        };
        let token = match token {
            TokenTree::Group(group)
                if group.delimiter() == Delimiter::Parenthesis
                    && called
                    && !group.stream().is_empty() =>
            {
                let place = format_ident!("{}{}", Plan::PLACE, lists.len());
                let mut own = Group::new(Delimiter::Parenthesis, quote!(#place));
                own.set_span(group.span());
                lists.push(group.stream());
                TokenTree::Group(own)
            }
            other => other,
        };
        before = [before[1].take(), Some(token.clone())];
        rest.extend([token]);
    }
    rest
}

/// One argument as it is written.
enum Written {
    Given(Ident, Box<Type>),
    Other(TokenStream),
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(syn::Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            let name = input.parse()?;
            input.parse::<Token![:]>()?;
            return Ok(Self::Given(name, input.parse()?));
        }
        Ok(Self::Other(input.parse::<syn::Expr>()?.into_token_stream()))
    }
}

/// Reads what is in the parentheses of a line.
fn arguments(list: TokenStream, lent: &[Param], errors: &mut Errors) -> Vec<PlanArg> {
    let parser = syn::punctuated::Punctuated::<Written, Token![,]>::parse_terminated;
    let Some(list) = errors.ok(parser.parse2(list)) else {
        return Vec::new();
    };
    let mut args: Vec<PlanArg> = Vec::new();
    for arg in list {
        match arg {
            Written::Given(name, ty) => {
                if lent.iter().any(|param| param.name == name) {
                    errors.on(
                        &name,
                        format!("`{name}` is what the plan is lent: give this another name"),
                    );
                    continue;
                }
                let again = args
                    .iter()
                    .any(|arg| matches!(arg, PlanArg::Given { name: other, .. } if *other == name));
                if again {
                    errors.on(
                        &name,
                        format!("a second `{name}`: give it a name of its own"),
                    );
                    continue;
                }
                let owned = Box::new(owned(&ty, errors));
                args.push(PlanArg::Given { name, ty, owned });
            }
            Written::Other(tokens) => {
                other(&tokens, lent, errors);
                args.push(PlanArg::Lent(tokens));
            }
        }
    }
    args
}

/// Returns the type that is read from the plan for a parameter of this type.
fn owned(ty: &Type, errors: &mut Errors) -> Type {
    if let Type::Reference(reference) = ty
        && let Type::Path(path) = &*reference.elem
        && path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Path")
    {
        return syn::parse_quote!(::std::path::PathBuf);
    }
    let owned = without_borrows(ty);
    if !matches!(ty, Type::Reference(_))
        && let Some(span) = borrows(ty)
    {
        let shown = crate::item::type_text::of(&owned);
        errors.at(
            span,
            format!("what a plan gives is read from JSON, so it can't borrow: let the step take `{shown}`"),
        );
    }
    owned
}

/// Reports an argument that is neither given by the plan nor made of what it is lent.
fn other(tokens: &TokenStream, lent: &[Param], errors: &mut Errors) {
    let is_lent = |name: &str| lent.iter().any(|param| param.name == name);
    if let Ok(name) = syn::parse2::<Ident>(tokens.clone())
        && !is_lent(&name.to_string())
        && name != "cx"
    {
        let known = match lent {
            [] => "a plan is lent nothing here".to_owned(),
            lent => {
                let names: Vec<String> = lent
                    .iter()
                    .map(|param| format!("`{}`", param.name))
                    .collect();
                format!("the plan is lent {}", names.join(", "))
            }
        };
        return errors.on(
            &name,
            format!("write `{name}: Type`, as the step takes it, for what a plan gives; {known}"),
        );
    }
    let name = |name: &str| match name {
        "cx" => Name::Value,
        name if is_lent(name) => Name::Lent,
        _ => Name::Other,
    };
    plain::check(tokens, &name, errors);
}

/// Reports a line that is no step, and what can't stand on one.
fn is_step(line: &Line, errors: &mut Errors) -> bool {
    if line.is_lost() {
        return false;
    }
    let Body::Step(call) = &line.body else {
        if !matches!(line.body, Body::Broken(_)) {
            errors.on(
                &line.name,
                "this is a list of the steps that a plan may have: `name = step(…);` or `step(…);`. In what \
                 order they run, which at once and which not at all, each plan says",
            );
        }
        return false;
    };
    if call.child.is_some() {
        errors.on(
            &line.name,
            "a plan has no `start` and no `join`: let a step start the execution, with the engine of its `cx`",
        );
        return false;
    }
    let marks = [
        (
            "optional",
            line.optional,
            "whether a step is optional, each plan says",
        ),
        ("pivot", line.pivot, "which step is a pivot, each plan says"),
        ("caught", line.caught, "a plan can make a step optional"),
        ("atomic", line.atomic, "a step of a plan is not `atomic`"),
    ];
    for (mark, set, why) in marks {
        if set {
            errors.on(&line.name, format!("`#[{mark}]` can't stand here: {why}"));
        }
    }
    let saved = line.saved.as_str();
    if TAKEN.contains(&line.name.to_string().as_str()) {
        errors.on(
            &line.name,
            format!(
                "`{}` is a function that the plan's type has anyway: give the line another name, `other = …`",
                line.name
            ),
        );
        return false;
    }
    if ARMS.contains(&saved) {
        errors.on(
            &line.name,
            format!("what is saved as \"{saved}\" is something else in a plan: give the line another name"),
        );
        return false;
    }
    true
}
