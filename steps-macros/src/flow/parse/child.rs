//! Lines about child executions: `start flow(…)` with its options, and `join name`.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, extra::DelimSpan};
use quote::ToTokens;
use syn::{
    Expr, Path, Token, ext::IdentExt, parse::ParseStream, punctuated::Punctuated, spanned::Spanned,
    token,
};

use super::{
    body::{end_of_call, expression, unfinished_path},
    lines::word,
};
use crate::{
    attr::values::span_of_time,
    errors::Errors,
    flow::model::{Call, ChildCall},
};

/// The options of a `start` line: its methods, each with how many arguments it takes.
const OPTIONS: [(&str, usize); 6] = [
    ("id", 1),
    ("label", 2),
    ("after", 1),
    ("at", 1),
    ("priority", 1),
    ("detached", 0),
];

/// Whether a `start` line begins here.
pub(super) fn starts(input: ParseStream<'_>) -> bool {
    input.peek(word::start) && (input.peek2(Ident::peek_any) || input.peek2(Token![::]))
}

/// Whether a `join` line begins here.
pub(super) fn joins(input: ParseStream<'_>) -> bool {
    if !input.peek(word::join) {
        return false;
    }
    let ahead = input.fork();
    let _ = ahead.parse::<word::join>();
    if ahead.peek(Token![::]) {
        return ahead.peek3(Token![<]);
    }
    ahead.peek(Ident::peek_any) || ahead.peek(Token![&])
}

/// Parses `start flow(args).option(…);`.
pub(super) fn start(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Call> {
    input.parse::<word::start>()?;
    unfinished_path(input)?;
    let path: Path = input.parse()?;
    if !input.peek(token::Paren) {
        let what = path.to_token_stream().to_string().replace(' ', "");
        return Err(syn::Error::new_spanned(
            path,
            format!(
                "`{what}` is not called: write `start {what}(…);`, with what the flow takes by value"
            ),
        ));
    }
    let inner;
    let paren = syn::parenthesized!(inner in input);
    if let Err(error) = Punctuated::<Expr, Token![,]>::parse_terminated(&inner.fork()) {
        errors.push(error);
    }
    let args: TokenStream = inner.parse()?;
    let mut options: Vec<(Ident, DelimSpan, TokenStream)> = Vec::new();
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        let name: Ident = input.call(Ident::parse_any)?;
        let given = if input.peek(token::Paren) {
            let inner;
            let paren = syn::parenthesized!(inner in input);
            let given = Punctuated::<Expr, Token![,]>::parse_terminated(&inner.fork());
            Some((paren.span, given, inner.parse::<TokenStream>()?))
        } else {
            None
        };
        option(&name, given.as_ref().map(|(_, given, _)| given), errors);
        if name == "detached" && options.iter().any(|(other, ..)| *other == name) {
            errors.on(&name, "`.detached()` is there already");
        }
        // A wrong one stays, too: an editor completes it.
        if let Some((span, _, tokens)) = given {
            options.push((name, span, tokens));
        }
    }
    let detached = options.iter().any(|(name, ..)| name == "detached");
    end_of_call(input, paren.span.close(), errors);
    Ok(Call {
        path,
        args,
        paren: paren.span,
        within: None,
        child: Some(ChildCall::Start { options, detached }),
    })
}

/// Checks an option of a `start` line, with what stands in its parentheses.
fn option(
    name: &Ident,
    given: Option<&syn::Result<Punctuated<Expr, Token![,]>>>,
    errors: &mut Errors,
) {
    let Some((option, count)) = OPTIONS.iter().find(|(option, _)| name == option) else {
        errors.on(
            name,
            format!(
                "a `start` line has no `.{name}`: its options are `.id(…)`, `.label(name, value)`, \
                 `.after(duration)`, `.at(time)`, `.priority(number)` and `.detached()`"
            ),
        );
        return;
    };
    let given = match given {
        Some(Err(error)) => return errors.push(error.clone()),
        Some(Ok(given)) if given.len() == *count => given,
        _ => {
            let like = match *count {
                0 => format!(".{option}()"),
                1 => format!(".{option}(…)"),
                _ => format!(".{option}(…, …)"),
            };
            return errors.on(name, format!("`{option}` is written `{like}`"));
        }
    };
    if *option == "after"
        && let Some(time) = given.first()
    {
        // The line is as it would be with a right one.
        span_of_time(time, "after", ".after(\"2d\")", errors);
    }
}

/// Parses `join name;`, or `join::<flow> expression;`. Which flow is joined otherwise, `joins` finds out.
pub(super) fn join(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Call> {
    let word = input.parse::<word::join>()?;
    let flow = if input.peek(Token![::]) {
        input.parse::<Token![::]>()?;
        input.parse::<Token![<]>()?;
        let path: Path = input.parse()?;
        input.parse::<Token![>]>()?;
        Some(path)
    } else {
        None
    };
    let child = expression(input)?;
    let mut group = Group::new(Delimiter::Parenthesis, TokenStream::new());
    group.set_span(child.span());
    let paren: DelimSpan = group.delim_span();
    if input.peek(Token![.]) || input.peek(token::Paren) {
        return Err(input.error("`join` takes a child, and has no options: `join name;`"));
    }
    end_of_call(input, paren.close(), errors);
    let path = flow.clone().unwrap_or_else(|| {
        let name = Ident::new("_", word.span());
        Path::from(name)
    });
    Ok(Call {
        path,
        args: child,
        paren,
        within: None,
        child: Some(ChildCall::Join {
            is_named: flow.is_some(),
        }),
    })
}
