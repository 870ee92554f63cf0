//! The parser of `steps!`. It is lenient: on a bad line it reports, skips to the next `;` or `}`,
//! and goes on. Expressions are kept as tokens.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, Pat, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser, discouraged::Speculative},
    punctuated::Punctuated,
    token,
};

use super::model::{AtOnce, Body, Call, Cond, Line};
use crate::{
    args,
    diag::Errors,
    options::{Options, Place},
};

mod word {
    syn::custom_keyword!(by);
    syn::custom_keyword!(flow);
    syn::custom_keyword!(max);
    syn::custom_keyword!(parallel);
    syn::custom_keyword!(until);
}

/// Parses the inside of a `steps!`.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Vec<Line> {
    let parser = |input: ParseStream<'_>| Ok(lines(input, errors));
    parser.parse2(tokens).unwrap_or_default()
}

/// Parses lines up to the end of the group.
fn lines(input: ParseStream<'_>, errors: &mut Errors) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        while input.peek(Token![;]) {
            let _ = input.parse::<Token![;]>();
        }
        if input.is_empty() {
            return lines;
        }
        match line(input, errors) {
            Ok(line) => lines.push(line),
            Err(error) => {
                errors.push(error);
                skip(input);
            }
        }
    }
}

/// Skips to behind the next `;` or the next group in braces, or to where a line begins.
fn skip(input: ParseStream<'_>) {
    let mut first = true;
    while first || !begins_line(input) {
        first = false;
        match input.parse::<TokenTree>() {
            Ok(TokenTree::Punct(punct)) if punct.as_char() == ';' => return,
            Ok(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let _ = input.parse::<Option<Token![;]>>();
                return;
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// Whether what comes next can only be a new line: `name =`, or an attribute.
fn begins_line(input: ParseStream<'_>) -> bool {
    let named = input.peek(Ident::peek_any)
        && input.peek2(Token![=])
        && !input.peek2(Token![==])
        && !input.peek2(Token![=>]);
    named || (input.peek(Token![#]) && input.peek2(token::Bracket))
}

/// The tokens from one place to another.
fn between(start: ParseStream<'_>, end: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while start.cursor() < end.cursor() {
        match start.parse::<TokenTree>() {
            Ok(token) => tokens.extend([token]),
            Err(_) => break,
        }
    }
    tokens
}

#[derive(Default)]
struct Marks {
    /// Where one stands.
    at: Option<Span>,
    docs: Vec<Attribute>,
    optional: bool,
    pivot: bool,
    atomic: bool,
    options: Options,
}

fn marks(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Marks> {
    let mut marks = Marks::default();
    for attr in input.call(Attribute::parse_outer)? {
        let name = attr.path().to_token_stream().to_string();
        let bare = matches!(attr.meta, syn::Meta::Path(_));
        marks.at = Some(attr.pound_token.span);
        match name.as_str() {
            "doc" => marks.docs.push(attr),
            "optional" | "pivot" | "atomic" if !bare => {
                errors.on(&attr, format!("`#[{name}]` takes no options"));
            }
            "optional" => marks.optional = true,
            "pivot" => marks.pivot = true,
            "atomic" => marks.atomic = true,
            "step" => match &attr.meta {
                syn::Meta::List(list) => {
                    let args = args::parse(list.tokens.clone(), errors);
                    marks.options = Options::read(args, Place::Line, errors);
                }
                _ => errors.on(
                    &attr,
                    "`#[step(…)]` on a line takes options, such as `retry(…)`",
                ),
            },
            _ => errors.on(
                attr.path(),
                format!(
                    "unknown attribute `{name}`; a line may have `optional`, `pivot`, `atomic`, \
                     `step(…)` and doc comments"
                ),
            ),
        }
    }
    Ok(marks)
}

fn line(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Line> {
    let marks = marks(input, errors)?;
    if let Some(at) = marks.at
        && (input.is_empty() || input.peek(Token![;]))
    {
        return Err(syn::Error::new(at, "an attribute with no line after it"));
    }
    if !input.peek(Ident::peek_any) && !input.peek(Token![::]) {
        return Err(input.error(
            "a line is `name = step(…);`, `step(…);`, or `name = ` and a group: `{ … }`, \
             `parallel { … }`, `if`, `for` or `loop`",
        ));
    }
    let start = input.fork();
    let (name, body) = if begins_line(input) {
        let name: Ident = input.call(Ident::parse_any)?;
        let equals = input.parse::<Token![=]>()?;
        if syn::parse2::<Ident>(name.to_token_stream()).is_err() {
            return Err(syn::Error::new_spanned(
                &name,
                format!("`{name}` is a word of the language: write `r#{name} = …`"),
            ));
        }
        let start = input.fork();
        let body = if input.is_empty() || input.peek(Token![;]) || begins_line(input) {
            input.parse::<Option<Token![;]>>()?;
            errors.on(
                equals,
                format!("`{name}` does nothing: write a call, as in `{name} = step(…);`"),
            );
            Body::Broken(TokenStream::new())
        } else {
            body(input, errors).unwrap_or_else(|error| {
                errors.push(error);
                if !begins_line(input) {
                    skip(input);
                }
                Body::Broken(between(&start, input))
            })
        };
        (Some(name), body)
    } else {
        (None, unnamed(input, errors)?)
    };
    let unnamed = name.is_none();
    let name = match (name, &body) {
        (Some(name), _) => name,
        (None, Body::Step(call) | Body::Flow(call)) => match call.path.segments.last() {
            Some(last) => last.ident.clone(),
            None => return Err(input.error("a call without a name")),
        },
        (None, Body::Broken(_)) => start.call(Ident::parse_any)?,
        (None, _) => return Err(input.error("a group needs a name: `name = { … }`")),
    };
    Ok(Line {
        saved: String::new(),
        unnamed,
        aliases: marks.options.aliases.clone(),
        name,
        docs: marks.docs,
        optional: marks.optional,
        pivot: marks.pivot,
        atomic: marks.atomic,
        options: marks.options,
        body,
    })
}

/// A line that begins with something else than `name =`.
fn unnamed(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let group = input.peek(Token![if])
        || input.peek(Token![for])
        || input.peek(Token![loop])
        || (input.peek(word::parallel) && input.peek2(token::Brace));
    if group {
        return Err(input.error(
            "a group needs a name, which its value is known by: write `name = ` before it",
        ));
    }
    if input.peek(word::flow) && input.peek2(Ident::peek_any) {
        input.parse::<word::flow>()?;
        return Ok(Body::Flow(call(input, errors)?));
    }
    if input.peek(Token![let]) {
        return Err(input.error("no `let` here: a line is `name = step(…);`"));
    }
    let start = input.fork();
    match call(input, errors) {
        Ok(call) => Ok(Body::Step(call)),
        // The beginning of a line, with the next one after it.
        Err(error) if start.peek(syn::Ident) && begins_line(input) => {
            errors.push(error);
            Ok(Body::Broken(between(&start, input)))
        }
        Err(error) => Err(error),
    }
}

fn body(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let body = if input.peek(token::Brace) {
        Body::Group(group(input, errors)?)
    } else if input.peek(word::parallel) && !input.peek2(token::Paren) {
        let parallel = input.parse::<word::parallel>()?;
        if !input.peek(token::Brace) {
            return Err(syn::Error::new_spanned(
                parallel,
                "`parallel` is for a group: `parallel { … }`; a single step has nothing beside it",
            ));
        }
        Body::Parallel(group(input, errors)?)
    } else if input.peek(Token![if]) {
        branch(input, errors)?
    } else if input.peek(Token![for]) {
        each(input, errors)?
    } else if input.peek(Token![loop]) {
        rounds(input, errors)?
    } else if input.peek(word::flow) && input.peek2(Ident::peek_any) {
        input.parse::<word::flow>()?;
        return Ok(Body::Flow(call(input, errors)?));
    } else {
        return Ok(Body::Step(call(input, errors)?));
    };
    input.parse::<Option<Token![;]>>()?;
    Ok(body)
}

/// `path(args);`
fn call(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Call> {
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
        let what = path.to_token_stream().to_string().replace(' ', "");
        return Err(syn::Error::new_spanned(
            path,
            format!("`{what}` is not called: write `{what}(…);`"),
        ));
    }
    let inner;
    let paren = syn::parenthesized!(inner in input);
    if let Err(error) = Punctuated::<Expr, Token![,]>::parse_terminated(&inner.fork()) {
        errors.push(error);
    }
    let args: TokenStream = inner.parse()?;
    end_of_call(input, paren.span.close(), errors);
    Ok(Call {
        path,
        args,
        paren: paren.span,
    })
}

/// `path::` with the next line after it, whose name is no part of it.
fn unfinished_path(input: ParseStream<'_>) -> syn::Result<()> {
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

/// The `;` after a call. Without it the next line stands all the same.
fn end_of_call(input: ParseStream<'_>, end: Span, errors: &mut Errors) {
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

fn group(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Line>> {
    let inner;
    syn::braced!(inner in input);
    Ok(lines(&inner, errors))
}

/// The tokens of an expression that ends before a `{`, a keyword or a `;`.
fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let unfinished = |input: ParseStream<'_>| {
        Err(input.error("an expression is expected before this: the line above is not finished"))
    };
    if input.is_empty() || begins_line(input) {
        return unfinished(input);
    }
    let ahead = input.fork();
    ahead.call(Expr::parse_without_eager_brace)?;
    // `n >` with the next line after it would be taken for an assignment.
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

/// Names are bound by reference already, and `&name` is what one writes for a value: it is the
/// same as `name`.
fn unborrowed(tokens: TokenStream) -> TokenStream {
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

fn branch(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    input.parse::<Token![if]>()?;
    let cond = if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let value = unborrowed(expression(input)?);
        Cond::Let {
            pat: quote!(#pat),
            value,
        }
    } else {
        Cond::Is(expression(input)?)
    };
    let then = group(input, errors)?;
    let otherwise = if input.peek(Token![else]) {
        let els = input.parse::<Token![else]>()?;
        if input.peek(Token![if]) {
            errors.on(
                els,
                "no `else if` here: put the second `if` in the group after `else`, with a name",
            );
            branch(input, errors)?;
            Some(Vec::new())
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
            "`for` needs a key for each item, by which a resume knows it again: \
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
            if matches!(&most, Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(n), .. }) if n.base10_digits() == "0")
            {
                errors.on(
                    &most,
                    "`parallel(0)` would run nothing: give 1 or more, or leave the number out",
                );
            }
            AtOnce::Most(quote!(#most))
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

fn rounds(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    let keyword = input.parse::<Token![loop]>()?;
    let max = if input.peek(word::max) {
        input.parse::<word::max>()?;
        let max: syn::LitInt = input.parse()?;
        match max.base10_parse::<u32>() {
            Ok(0) => {
                errors.on(&max, "`max 0` would run nothing: give 1 or more");
                None
            }
            Ok(_) => Some(max),
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    let lines = group(input, errors)?;
    let until = if input.peek(word::until) {
        input.parse::<word::until>()?;
        expression(input)?
    } else {
        errors.on(
            keyword,
            "`loop` needs its end: `loop { … } until condition;`",
        );
        quote!(true)
    };
    Ok(Body::Loop { max, lines, until })
}
