//! `match`: the value, and the arms, each of which is a line with a pattern before it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, Pat, Token, parse::ParseStream, token};

use super::{
    body::{expression, head, unborrowed},
    let_line,
    lines::{Of, begins_line, between, line},
};
use crate::{
    errors::Errors,
    flow::model::{Arm, Body, Line},
    idents,
};

/// Parses `match value { name = PATTERN => { … } … }`.
pub(super) fn choice(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let keyword = input.parse::<Token![match]>()?;
    let value = unborrowed(head(input, errors)?);
    let inner;
    syn::braced!(inner in input);
    let before = errors.len();
    let arms = arms(&inner, errors);
    if arms.is_empty() && errors.len() == before {
        errors.on(
            keyword,
            "a `match` without arms: write one for each case, `name = PATTERN => { … }`",
        );
    }
    Ok(Body::Match { value, arms })
}

/// Parses the arms.
fn arms(input: ParseStream<'_>, errors: &mut Errors) -> Vec<Line> {
    let mut arms = Vec::new();
    // Of arms without names, as in a `match` of plain Rust, the first is reported.
    let mut is_told = false;
    loop {
        while input.peek(Token![;]) || input.peek(Token![,]) {
            if let Ok(comma) = input.parse::<Token![,]>() {
                if !is_told {
                    errors.on(
                        comma,
                        "no `,` here: an arm is a line, and ends with `}` or `;`",
                    );
                }
            } else {
                let _ = input.parse::<Token![;]>();
            }
        }
        if input.is_empty() {
            return arms;
        }
        let start = input.fork();
        let ahead = input.fork();
        let _ = ahead.call(Attribute::parse_outer);
        if ahead.is_empty() || (begins_line(&ahead) && !let_line::begins(&ahead)) {
            match line(input, errors, Of::Match) {
                Ok(arm) => arms.push(arm),
                Err(error) => {
                    errors.push(error);
                    if input.cursor() == start.cursor() || !begins_line(input) {
                        skip_arm(input);
                    }
                    arms.push(Line::lost(between(&start, input)));
                }
            }
            continue;
        }
        if let_line::begins(&ahead) {
            errors.push(
                ahead.error("no `let` line here: it stands before the `match`, or in an arm"),
            );
            while !input.is_empty() && !input.peek(Token![;]) {
                let _ = input.parse::<TokenTree>();
            }
            arms.push(Line::lost(between(&start, input)));
            continue;
        }
        if !is_told {
            is_told = true;
            errors.push(
                ahead.error(
                    "each arm has a name, by which it is recorded: `name = PATTERN => { … }`",
                ),
            );
        }
        skip_arm(input);
        arms.push(Line::lost(between(&start, input)));
    }
}

/// Skips past what is left of an arm: a pattern may have braces, too.
fn skip_arm(input: ParseStream<'_>) {
    let ahead = input.fork();
    while !ahead.is_empty() && !begins_line(&ahead) && !ahead.peek(Token![;]) {
        if ahead.peek(Token![=>]) {
            while !input.peek(Token![=>]) {
                let _ = input.parse::<TokenTree>();
            }
            let _ = input.parse::<Token![=>]>();
            break;
        }
        let _ = ahead.parse::<TokenTree>();
    }
    if input.peek(token::Brace) {
        let _ = input.parse::<TokenTree>();
        return;
    }
    let mut first = true;
    while !input.is_empty() && (first || !begins_line(input)) {
        if input.peek(Token![,]) || input.peek(Token![;]) {
            return;
        }
        first = false;
        let _ = input.parse::<TokenTree>();
    }
}

/// Parses `PATTERN if guard =>`, which stands behind `name =`.
pub(super) fn when(input: ParseStream<'_>, name: &Ident, errors: &mut Errors) -> syn::Result<Arm> {
    let like = format!("`{name} = PATTERN => {{ … }}`");
    let pat = Pat::parse_multi_with_leading_vert(input)
        .map_err(|error| syn::Error::new(error.span(), format!("an arm is {like}")))?;
    let guard = if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        if input.peek(Token![let]) {
            return Err(input.error(
                "a guard is a condition: match this in a group `if let … { … }` inside of the arm",
            ));
        }
        Some(expression(input)?)
    } else {
        None
    };
    if !input.peek(Token![=>]) {
        return Err(input.error(format!("`=>` is expected here: an arm is {like}")));
    }
    input.parse::<Token![=>]>()?;
    let tokens = pat.to_token_stream();
    if guard.is_some()
        && let Some(bar) = bar(tokens.clone())
        && !idents::bound(&tokens).is_empty()
    {
        errors.at(
            bar,
            "an arm with a guard has one pattern, as its guard may hold for any of these and only the \
             arm is recorded: write an arm for each",
        );
    }
    if input.peek(token::Paren) {
        return Err(input.error(format!(
            "`{name}` is a group, `{{ … }}`, or a call, `step(…);`: an arm that does nothing is `{{}}`"
        )));
    }
    let pat = match pat {
        Pat::Or(_) => quote!((#pat)),
        _ => tokens,
    };
    Ok(Arm { pat, guard })
}

/// Returns the first `|` between the alternatives of a pattern.
fn bar(pat: TokenStream) -> Option<Span> {
    pat.into_iter().find_map(|token| match token {
        TokenTree::Punct(punct) if punct.as_char() == '|' => Some(punct.span()),
        TokenTree::Group(group) => bar(group.stream()),
        _ => None,
    })
}
