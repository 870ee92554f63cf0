//! `let name: Type = expression;`. The value is a field of structs that the macro writes, so its
//! type must be one that can be written: the one after the name, or one that the form of the
//! expression tells (`form`).

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{
    Expr, Token, Type,
    ext::IdentExt,
    parse::{ParseStream, discouraged::Speculative},
};

use super::{
    form,
    lines::{begins_line, skip},
};
use crate::{errors::Errors, flow::model::Body};

/// Whether the next tokens can only be the beginning of a `let` line, and not a part of a condition.
pub(super) fn begins(input: ParseStream<'_>) -> bool {
    input.peek(Token![let])
        && input.peek2(Ident::peek_any)
        && (input.peek3(Token![=]) || input.peek3(Token![:]))
        && !input.peek3(Token![::])
}

/// Parses the line, without its attributes.
pub(super) fn parse(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<(Ident, Body)> {
    input.parse::<Token![let]>()?;
    if let Some(word) = input.parse::<Option<Token![mut]>>()? {
        errors.on(
            word,
            "the value of a `let` line never changes: leave `mut` out",
        );
    }
    let one_name = input.peek(syn::Ident)
        && (input.peek2(Token![=]) || input.peek2(Token![:]) && !input.peek2(Token![::]));
    if !one_name {
        return Err(input.error("a `let` line gives one value a name: `let name = …;`"));
    }
    let name: Ident = input.parse()?;
    let ty = match input.parse::<Option<Token![:]>>()? {
        Some(_) => Some(input.parse::<Type>()?),
        None => None,
    };
    let equals = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![;]) || begins_line(input) {
        input.parse::<Option<Token![;]>>()?;
        errors.on(
            equals,
            format!("`{name}` has no value: write `let {name} = …;`"),
        );
        return Ok((name, Body::Broken(proc_macro2::TokenStream::new())));
    }
    let expr = expression(input, errors)?;
    if input.parse::<Option<Token![;]>>()?.is_none() {
        errors.on(&expr, "a `;` is missing after this");
        if !input.is_empty() && !begins_line(input) && !input.peek(syn::Ident) {
            skip(input);
        }
    }
    let value = expr.to_token_stream();
    let body = match ty {
        Some(Type::Infer(_)) | None => match form::type_of(&expr) {
            Some(ty) => Body::Let {
                ty: Box::new(ty),
                by_form: true,
                value,
            },
            None => {
                let mut message = format!(
                    "write the type of `{name}`: `let {name}: Type = …;`. It is a field of the \
                     flow's saved state, and the type of a field can't be inferred"
                );
                if matches!(&expr, Expr::Call(_)) {
                    message.push_str("; and the line of a step has no `let`: `name = step(…);`");
                }
                errors.on(&name, message);
                Body::Broken(value)
            }
        },
        Some(ty) => Body::Let {
            ty: Box::new(ty),
            by_form: false,
            value,
        },
    };
    Ok((name, body))
}

/// Parses an expression, but not the beginning of the next line as a part of it.
fn expression(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Expr> {
    let ahead = input.fork();
    let expr: Expr = ahead.parse()?;
    let check = input.fork();
    while check.cursor() < ahead.cursor() {
        if begins_line(&check) {
            input.advance_to(&check);
            return Err(input
                .error("an expression is expected before this: the line above is not finished"));
        }
        check.parse::<proc_macro2::TokenTree>()?;
    }
    input.advance_to(&ahead);
    if let Expr::Let(found) = &expr {
        errors.on(found.let_token, "no second `let` here");
    }
    Ok(expr)
}
