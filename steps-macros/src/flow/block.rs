//! The parser of `steps!`. It is lenient: on a bad line it reports, skips to the next `;` or `}`,
//! and goes on. Expressions are kept as tokens.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Expr, Pat, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser, discouraged::Speculative},
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
    while !input.is_empty() {
        match line(input, errors) {
            Ok(line) => lines.push(line),
            Err(error) => {
                errors.push(error);
                skip(input);
            }
        }
    }
    lines
}

/// Skips to behind the next `;` or the next group in braces.
fn skip(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let _ = input.parse::<Option<Token![;]>>();
                return;
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Marks {
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
    if input.is_empty() {
        return Err(input.error("an attribute with no line after it"));
    }
    if !input.peek(Ident::peek_any) && !input.peek(Token![::]) {
        return Err(input.error(
            "a line is `name = step(…);`, `step(…);`, or `name = ` and a group: `{ … }`, \
             `parallel { … }`, `if`, `for` or `loop`",
        ));
    }
    let (name, body) = if input.peek2(Token![=]) && !input.peek2(Token![==]) {
        let name: Ident = input.parse()?;
        let equals = input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![;]) {
            return Err(syn::Error::new_spanned(
                equals,
                format!("`{name}` does nothing: write a call, as in `{name} = step(…);`"),
            ));
        }
        (Some(name), body(input, errors)?)
    } else {
        (None, unnamed(input)?)
    };
    let unnamed = name.is_none();
    let name = match (name, &body) {
        (Some(name), _) => name,
        (None, Body::Step(call) | Body::Flow(call)) => match call.path.segments.last() {
            Some(last) => last.ident.clone(),
            None => return Err(input.error("a call without a name")),
        },
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
fn unnamed(input: ParseStream<'_>) -> syn::Result<Body> {
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
        return Ok(Body::Flow(call(input)?));
    }
    if input.peek(Token![let]) {
        return Err(input.error("no `let` here: a line is `name = step(…);`"));
    }
    Ok(Body::Step(call(input)?))
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
        return Ok(Body::Flow(call(input)?));
    } else {
        return Ok(Body::Step(call(input)?));
    };
    input.parse::<Option<Token![;]>>()?;
    Ok(body)
}

/// `path(args);`
fn call(input: ParseStream<'_>) -> syn::Result<Call> {
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
    let args: TokenStream = inner.parse()?;
    if input.peek(Token![.]) || input.peek(Token![?]) {
        return Err(input.error(
            "a step's call ends here, with `;`: it is awaited and its errors are handled by the flow",
        ));
    }
    if input.parse::<Option<Token![;]>>()?.is_none() {
        return Err(syn::Error::new(
            paren.span.close(),
            "a `;` is missing after this",
        ));
    }
    Ok(Call {
        path,
        args,
        paren: paren.span,
    })
}

fn group(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Line>> {
    let inner;
    syn::braced!(inner in input);
    Ok(lines(&inner, errors))
}

/// The tokens of an expression that ends before a `{`, a keyword or a `;`.
fn expression(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    match ahead.call(Expr::parse_without_eager_brace) {
        Ok(_) => {
            let mut tokens = TokenStream::new();
            while input.cursor() < ahead.cursor() {
                tokens.extend(input.parse::<TokenTree>());
            }
            input.advance_to(&ahead);
            Ok(tokens)
        }
        Err(error) => Err(error),
    }
}

fn branch(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    input.parse::<Token![if]>()?;
    let cond = if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let value = expression(input)?;
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
            return Err(syn::Error::new_spanned(
                els,
                "no `else if` here: put the second `if` in the group after `else`, with a name",
            ));
        }
        Some(group(input, errors)?)
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
    let list = expression(input)?;
    if !input.peek(word::by) {
        return Err(syn::Error::new_spanned(
            keyword,
            "`for` needs a key for each item, by which a resume knows it again: \
             `for item in list by item.id { … }`",
        ));
    }
    input.parse::<word::by>()?;
    let key = expression(input)?;
    let at_once = if input.peek(word::parallel) {
        input.parse::<word::parallel>()?;
        if input.peek(token::Paren) {
            let inner;
            syn::parenthesized!(inner in input);
            let most: Expr = inner.parse()?;
            if matches!(&most, Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(n), .. }) if n.base10_digits() == "0")
            {
                return Err(syn::Error::new_spanned(
                    most,
                    "`parallel(0)` would run nothing: give 1 or more, or leave the number out",
                ));
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
                return Err(syn::Error::new_spanned(
                    max,
                    "`max 0` would run nothing: give 1 or more",
                ));
            }
            Ok(_) => Some(max),
            Err(error) => return Err(error),
        }
    } else {
        None
    };
    let lines = group(input, errors)?;
    if !input.peek(word::until) {
        return Err(syn::Error::new_spanned(
            keyword,
            "`loop` needs its end: `loop { … } until condition;`",
        ));
    }
    input.parse::<word::until>()?;
    let until = expression(input)?;
    Ok(Body::Loop { max, lines, until })
}
