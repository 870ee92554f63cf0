//! The values of options: durations, counts and factors. What is no literal is left to the compiler.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{args::Arg, duration};
use crate::errors::Errors;

/// Returns a value as the expression of an `Option`.
pub(crate) fn optional(value: Option<TokenStream>) -> TokenStream {
    match value {
        None => quote!(__p::Option::None),
        Some(value) => quote!(__p::Option::Some(#value)),
    }
}

/// Returns a duration as an expression.
pub(super) fn duration_tokens(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(__p::Duration::new(#seconds, #nanos))
}

/// Whether a list lacks the option `name`. An unknown option may be this one, misspelled: it is
/// reported anyway, so a list with an unknown option lacks nothing.
pub(super) fn lacks(list: &[Arg], name: &str, known: &[&str]) -> bool {
    list.iter()
        .all(|arg| arg.name != name && known.iter().any(|known| arg.name == known))
}

/// Reads `name = duration`.
pub(crate) fn time(arg: Arg, errors: &mut Errors) -> Option<TokenStream> {
    let name = arg.name.to_string();
    let expr = arg.expr(errors)?;
    span_of_time(&expr, &name, &format!("{name} = \"5s\""), errors)
}

/// Reads a duration: text, or an expression, which the compiler checks. `like` is an example.
pub(crate) fn span_of_time(
    expr: &syn::Expr,
    name: &str,
    like: &str,
    errors: &mut Errors,
) -> Option<TokenStream> {
    match expr {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => match duration::parse(&text.value()) {
            Ok(duration) => Some(duration_tokens(duration)),
            Err(why) => {
                errors.on(text, why);
                None
            }
        },
        syn::Expr::Lit(_) | syn::Expr::Unary(_) => {
            errors.on(
                expr,
                format!("`{name}` takes a duration, with its unit: `{like}`, or a `Duration`"),
            );
            None
        }
        _ => Some(quote_spanned!(expr.span()=> #expr)),
    }
}

/// Reads a number of at least 1. Only a literal can be checked.
pub(super) fn count(arg: Arg, of: &str, errors: &mut Errors) -> Option<TokenStream> {
    let name = arg.name.to_string();
    let option = if name == "times" { of } else { &name };
    let expr = arg.expr(errors)?;
    if let syn::Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Int(number),
        ..
    }) = &expr
    {
        match number.base10_parse::<u32>() {
            Ok(0) => {
                errors.on(
                    number,
                    format!(
                        "`{name} = 0` would never {of}: give 1 or more, or leave `{option}` out"
                    ),
                );
                return None;
            }
            Ok(_) => {}
            Err(error) => {
                errors.push(error);
                return None;
            }
        }
    }
    Some(quote!(#expr))
}

/// Reads a number from `least` to `most`. Only a literal can be checked.
pub(super) fn factor(arg: Arg, least: f64, most: f64, errors: &mut Errors) -> Option<TokenStream> {
    let name = arg.name.to_string();
    let expr = arg.expr(errors)?;
    if let syn::Expr::Lit(syn::ExprLit { lit, .. }) = &expr {
        let number = match lit {
            syn::Lit::Float(number) => number.base10_parse::<f64>().ok(),
            syn::Lit::Int(number) => number.base10_parse::<f64>().ok(),
            _ => None,
        };
        return match number {
            Some(number) if (least..=most).contains(&number) => Some(quote!(#number)),
            _ if most > 1.0 => {
                errors.on(
                    &expr,
                    format!("`{name}` is a number of at least {least}: `{name} = 2.0`"),
                );
                None
            }
            _ => {
                errors.on(
                    &expr,
                    format!("`{name}` is a share from {least} to {most}: `{name} = 0.2`"),
                );
                None
            }
        };
    }
    Some(quote!(#expr))
}
