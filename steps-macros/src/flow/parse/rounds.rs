//! `loop`: its bounds, its lines, and its end.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Token, parse::ParseStream, token};

use super::{
    body::{expression, group, is_zero},
    lines::word,
};
use crate::{errors::Errors, flow::model::Body};

/// Parses `loop max n keep n { … } until cond`. With `keep`, the end may be missing.
pub(super) fn rounds(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let keyword = input.parse::<Token![loop]>()?;
    let (mut max, mut keep) = (None, None);
    loop {
        if input.peek(word::max) {
            let word = input.parse::<word::max>()?;
            let why = "`max 0` would run nothing: give 1 or more";
            bound(input, &mut max, &word, why, errors)?;
        } else if input.peek(word::keep) {
            let word = input.parse::<word::keep>()?;
            let why = "`keep 0` would keep nothing, and the next round may use the one before: give 1 \
                       or more";
            bound(input, &mut keep, &word, why, errors)?;
        } else {
            break;
        }
    }
    let lines = group(input, errors)?;
    let until = if input.peek(word::until) {
        input.parse::<word::until>()?;
        expression(input)?
    } else if keep.is_some() && max.is_none() {
        quote!(false)
    } else {
        errors.on(
            keyword,
            if keep.is_some() {
                "with `max`, `loop` needs its end: `loop max n keep n { … } until condition;`; \
                 without `max`, `loop keep n { … }` has none"
            } else {
                "`loop` needs its end: `loop { … } until condition;`; one without end is `loop keep n { … }`, \
                 which keeps the records of its newest rounds"
            },
        );
        quote!(true)
    };
    Ok(Body::Loop {
        max: max.flatten(),
        keep: keep.flatten(),
        lines,
        until,
    })
}

/// Parses the number after `max` or `keep`; one that is 0 is reported, and left out.
fn bound(
    input: ParseStream<'_>,
    bound: &mut Option<Option<TokenStream>>,
    word: &impl ToTokens,
    why: &str,
    errors: &mut Errors,
) -> syn::Result<()> {
    if input.peek(token::Brace) {
        let word = word.to_token_stream();
        let message = format!("`{word}` takes a number of rounds: `loop {word} 100 {{ … }}`");
        return Err(syn::Error::new_spanned(word, message));
    }
    let number = expression(input)?;
    let is_wrong = is_zero(&number);
    if is_wrong {
        errors.on(&number, why);
    }
    if bound.is_some() {
        let word = word.to_token_stream();
        errors.on(&word, format!("`{word}` stands here twice"));
    }
    *bound = Some(Some(number).filter(|_| !is_wrong));
    Ok(())
}
