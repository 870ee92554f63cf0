//! What follows a line's name and `=`: a call or a group.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Expr, Pat, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, discouraged::Speculative},
    punctuated::Punctuated,
    token,
};

use super::{
    arms, child,
    lines::{begins_line, lines, skip, word},
    rounds, slips,
};
use crate::{
    attr::values::span_of_time,
    errors::Errors,
    flow::model::{AtOnce, Body, Call, Cond, Line, Within},
};

/// Parses a call or a group, with the `;` after it.
pub(super) fn body(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    slips::no_such_line(input)?;
    let body = if input.peek(token::Brace) {
        Body::Group(group(input, errors)?)
    } else if input.peek(word::parallel) && !input.peek2(token::Paren) {
        let parallel = input.parse::<word::parallel>()?;
        if !input.peek(token::Brace) {
            return Err(syn::Error::new_spanned(
                parallel,
                "`parallel` is for a group: `parallel { … }`; a single step is written without it",
            ));
        }
        Body::Parallel(group(input, errors)?)
    } else if input.peek(word::race) && input.peek2(token::Brace) {
        let race = input.parse::<word::race>()?;
        let lines = group(input, errors)?;
        if lines.is_empty() {
            errors.on(
                race,
                "a `race` without lines has no winner: write at least one in it, or leave it out",
            );
        }
        if let [line] = &lines[..]
            && !line.is_lost()
        {
            let name = &line.name;
            errors.on(
                race,
                format!(
                    "a `race` of one line has no other to win against: write `{name}` without it"
                ),
            );
        }
        Body::Race(lines)
    } else if input.peek(Token![if]) {
        branch(input, errors)?
    } else if input.peek(Token![match]) {
        arms::choice(input, errors)?
    } else if input.peek(Token![for]) {
        each(input, errors)?
    } else if input.peek(Token![loop]) {
        rounds::rounds(input, errors)?
    } else if input.peek(word::flow) && input.peek2(Ident::peek_any) {
        input.parse::<word::flow>()?;
        return Ok(Body::Flow(flow_call(input, errors)?));
    } else if child::starts(input) {
        return Ok(Body::Step(child::start(input, errors)?));
    } else if child::joins(input) {
        return Ok(Body::Step(child::join(input, errors)?));
    } else {
        return Ok(Body::Step(call(input, errors)?));
    };
    input.parse::<Option<Token![;]>>()?;
    Ok(body)
}

/// Parses the call of a nested flow.
pub(super) fn flow_call(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Call> {
    let mut call = call(input, errors)?;
    // A flow has no types of its own to be given.
    if let Some(within) = call.within.take() {
        errors.on(
            within.word,
            "`.within` is for a signal: a time limit of a flow is `#[deadline(\"10m\")]` before the line",
        );
    }
    Ok(call)
}

/// Parses `path(args);`.
pub(super) fn call(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Call> {
    unfinished_path(input)?;
    let path: Path = input.parse().map_err(|error| {
        syn::Error::new(
            error.span(),
            "a call of a step is expected here: `step(…);`",
        )
    })?;
    if input.peek(Token![!]) {
        return Err(input.error("a macro can't be a step: put its work in a `#[step]` function"));
    }
    if !input.peek(token::Paren) {
        return Err(slips::not_called(input, &path));
    }
    let inner;
    let paren = syn::parenthesized!(inner in input);
    if let Err(error) = Punctuated::<Expr, Token![,]>::parse_terminated(&inner.fork()) {
        errors.push(error);
    }
    let args: TokenStream = inner.parse()?;
    let within = within(input, &path, errors)?;
    end_of_call(input, paren.span.close(), errors);
    Ok(Call {
        path,
        args,
        paren: paren.span,
        within,
        child: None,
    })
}

/// Parses `.within(limit)`.
fn within(input: ParseStream<'_>, path: &Path, errors: &mut Errors) -> syn::Result<Option<Within>> {
    let ahead = input.fork();
    if ahead.parse::<Option<Token![.]>>()?.is_none() || !ahead.peek(word::within) {
        return Ok(None);
    }
    input.advance_to(&ahead);
    let word: Ident = input.parse()?;
    if !input.peek(token::Paren) {
        return Err(syn::Error::new_spanned(
            word,
            "`within` takes a duration: `.within(\"2d\")`",
        ));
    }
    let inner;
    let paren = syn::parenthesized!(inner in input);
    let limits = Punctuated::<Expr, Token![,]>::parse_terminated(&inner)?;
    let mut limits = limits.into_iter();
    let (Some(limit), None) = (limits.next(), limits.next()) else {
        return Err(syn::Error::new(
            paren.span.join(),
            "`within` takes one duration: `.within(\"2d\")`",
        ));
    };
    // The line is as it would be with a right one.
    span_of_time(&limit, "within", ".within(\"2d\")", errors);
    let limit = limit.to_token_stream();
    let last = path.segments.last().map(|last| &last.arguments);
    let Some(syn::PathArguments::AngleBracketed(types)) = last else {
        errors.on(
            word,
            "`.within` is for a signal, `steps::signal::<T>()`: a time limit of any line is \
             `#[deadline(\"10m\")]` before it",
        );
        return Ok(None);
    };
    let types = types.args.to_token_stream();
    Ok(Some(Within { word, types, limit }))
}

/// Reports a path that ends in `::`. The name of the next line is not taken for its last segment.
pub(super) fn unfinished_path(input: ParseStream<'_>) -> syn::Result<()> {
    let ahead = input.fork();
    let mut colons = None;
    while ahead.peek(Ident::peek_any) && ahead.peek2(Token![::]) {
        ahead.call(Ident::parse_any)?;
        colons = Some(ahead.parse::<Token![::]>()?);
    }
    match colons {
        Some(colons) if ahead.is_empty() || ahead.peek(Token![;]) || begins_line(&ahead) => {
            input.advance_to(&ahead);
            input.parse::<Option<Token![;]>>()?;
            Err(syn::Error::new_spanned(
                colons,
                "this path is not finished: write the step's name, and call it",
            ))
        }
        _ => Ok(()),
    }
}

/// Parses the `;` after a call. If it is missing, that is reported, and the next line is parsed.
pub(super) fn end_of_call(input: ParseStream<'_>, end: Span, errors: &mut Errors) {
    if input.peek(Token![;]) {
        skip(input);
    } else if input.is_empty() || begins_line(input) || input.peek(syn::Ident) {
        errors.at(end, "a `;` is missing after this");
    } else {
        let error = input.error(
            "a step's call ends here, with `;`: it is awaited and its errors are handled by the flow",
        );
        errors.push(error);
        skip(input);
    }
}

/// Parses `{ lines }`.
pub(super) fn group(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Line>> {
    let inner;
    syn::braced!(inner in input);
    Ok(lines(&inner, errors))
}

/// Parses an expression that ends before a `{`, a keyword or a `;`, and returns its tokens.
pub(super) fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let unfinished = |input: ParseStream<'_>| {
        Err(input.error("an expression is expected before this: the line above is not finished"))
    };
    if input.is_empty() || begins_line(input) {
        return unfinished(input);
    }
    let ahead = input.fork();
    ahead.call(Expr::parse_without_eager_brace)?;
    // An unfinished `n >` and the next line, `name = …`, together parse as an assignment.
    let mut tokens = TokenStream::new();
    while input.cursor() < ahead.cursor() {
        if begins_line(input) {
            return unfinished(input);
        }
        tokens.extend(input.parse::<TokenTree>());
    }
    input.advance_to(&ahead);
    Ok(tokens)
}

/// Parses the expression between a keyword and the `{` of its lines. One that is not finished is
/// reported, and the lines after it are read as they will be once it is: an editor completes it.
pub(super) fn head(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    let error = match expression(&ahead) {
        Ok(tokens) => {
            input.advance_to(&ahead);
            return Ok(tokens);
        }
        Err(error) => error,
    };
    let ahead = input.fork();
    let mut tokens = TokenStream::new();
    while !ahead.peek(token::Brace) {
        if ahead.is_empty() || ahead.peek(Token![;]) || begins_line(&ahead) {
            return Err(error);
        }
        tokens.extend(ahead.parse::<TokenTree>());
    }
    if tokens.is_empty() {
        return Err(error);
    }
    errors.push(error);
    input.advance_to(&ahead);
    Ok(tokens)
}

/// Returns `name` for `&name`. Lines are bound by reference already; users write the `&` all the
/// same, as they would for a value.
pub(super) fn unborrowed(tokens: TokenStream) -> TokenStream {
    let mut ahead = tokens.clone().into_iter();
    match (ahead.next(), ahead.next(), ahead.next()) {
        (Some(TokenTree::Punct(and)), Some(name @ TokenTree::Ident(_)), None)
            if and.as_char() == '&' =>
        {
            name.into()
        }
        _ => tokens,
    }
}

/// Parses `if cond { … } else { … }`. An `else if` is an `else` with one line, the second `if`.
fn branch(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    input.parse::<Token![if]>()?;
    let cond = if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let value = unborrowed(head(input, errors)?);
        Cond::Let {
            pat: quote!(#pat),
            value,
        }
    } else {
        Cond::Is(head(input, errors)?)
    };
    let then = group(input, errors)?;
    let otherwise = if input.peek(Token![else]) {
        let els = input.parse::<Token![else]>()?;
        if input.peek(Token![if]) {
            let body = branch(input, errors)?;
            Some(vec![Line::else_if(els.span, body)])
        } else {
            Some(group(input, errors)?)
        }
    } else {
        None
    };
    Ok(Body::If {
        cond,
        then,
        otherwise,
    })
}

/// Parses `for pat in list by key parallel(n) { … }`.
fn each(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let keyword = input.parse::<Token![for]>()?;
    let pat = Pat::parse_single(input)?;
    input.parse::<Token![in]>()?;
    let list = unborrowed(expression(input)?);
    let key = if input.peek(word::by) {
        input.parse::<word::by>()?;
        expression(input)?
    } else {
        errors.on(
            keyword,
            "`for` needs a key for each item, by which a resume finds it again: \
             `for item in list by item.id { … }`",
        );
        quote!(0)
    };
    let at_once = if input.peek(word::parallel) {
        input.parse::<word::parallel>()?;
        if input.peek(token::Paren) {
            let inner;
            syn::parenthesized!(inner in input);
            let most: Expr = inner.parse()?;
            let most = quote!(#most);
            if is_zero(&most) {
                errors.on(
                    &most,
                    "`parallel(0)` would run nothing: give 1 or more, or leave the number out",
                );
            }
            AtOnce::Most(most)
        } else {
            AtOnce::All
        }
    } else {
        AtOnce::One
    };
    Ok(Body::For {
        pat: quote!(#pat),
        list,
        key,
        at_once,
        lines: group(input, errors)?,
    })
}

/// Whether the tokens are the number 0. Of a constant, the compiler finds out.
pub(super) fn is_zero(number: &TokenStream) -> bool {
    syn::parse2::<syn::LitInt>(number.clone()).is_ok_and(|number| number.base10_digits() == "0")
}
