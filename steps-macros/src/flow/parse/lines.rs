//! The parser of `steps!`. It is lenient: it reports a bad line, skips to the next `;` or `}`, and
//! continues. Expressions are kept as tokens.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    token,
};

use super::{
    arms,
    body::{body, call, flow_call},
    child, let_line, slips,
};
use crate::{
    attr::{
        args,
        options::{Options, Place},
        values::span_of_time,
    },
    errors::Errors,
    flow::model::{Body, Call, Line},
};

pub(super) mod word {
    syn::custom_keyword!(by);
    syn::custom_keyword!(flow);
    syn::custom_keyword!(join);
    syn::custom_keyword!(keep);
    syn::custom_keyword!(max);
    syn::custom_keyword!(parallel);
    syn::custom_keyword!(race);
    syn::custom_keyword!(start);
    syn::custom_keyword!(until);
    syn::custom_keyword!(within);
}

/// Parses the content of a `steps!`.
pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Vec<Line> {
    let parser = |input: ParseStream<'_>| Ok(lines(input, errors));
    parser.parse2(tokens).unwrap_or_default()
}

/// Parses the lines of a group.
pub(super) fn lines(input: ParseStream<'_>, errors: &mut Errors) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        while input.peek(Token![;]) {
            let _ = input.parse::<Token![;]>();
        }
        if input.is_empty() {
            return lines;
        }
        let start = input.fork();
        match line(input, errors, Of::Group) {
            Ok(line) => lines.push(line),
            Err(error) => {
                errors.push(error);
                if input.cursor() == start.cursor() || !begins_line(input) {
                    skip(input);
                }
                lines.push(Line::lost(between(&start, input)));
            }
        }
    }
}

/// Skips past the next `;` or the next group in braces, or to the beginning of the next line,
/// whichever comes first.
pub(super) fn skip(input: ParseStream<'_>) {
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

/// Whether the next tokens can only be the beginning of a line: `name =`, `let name`, or an attribute.
pub(super) fn begins_line(input: ParseStream<'_>) -> bool {
    let named = input.peek(Ident::peek_any)
        && input.peek2(Token![=])
        && !input.peek2(Token![==])
        && !input.peek2(Token![=>]);
    named || (input.peek(Token![#]) && input.peek2(token::Bracket)) || let_line::begins(input)
}

/// Returns the tokens between two positions.
pub(super) fn between(start: ParseStream<'_>, end: ParseStream<'_>) -> TokenStream {
    let mut tokens = TokenStream::new();
    while start.cursor() < end.cursor() {
        match start.parse::<TokenTree>() {
            Ok(token) => tokens.extend([token]),
            Err(_) => break,
        }
    }
    tokens
}

/// The attributes of a line.
#[derive(Default)]
struct Marks {
    /// The position of the last one.
    at: Option<Span>,
    docs: Vec<Attribute>,
    optional: bool,
    caught: bool,
    pivot: bool,
    atomic: bool,
    deadline: Option<TokenStream>,
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
            "optional" | "caught" | "pivot" | "atomic" if !bare => {
                errors.on(&attr, format!("`#[{name}]` takes no options"));
            }
            "optional" => marks.optional = true,
            "caught" => marks.caught = true,
            "pivot" => marks.pivot = true,
            "atomic" => marks.atomic = true,
            "deadline" => marks.deadline = deadline(&attr, errors).or(marks.deadline),
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
            "cfg" | "cfg_attr" => errors.on(
                attr.path(),
                format!(
                    "a line has no `#[{name}(…)]`, as what is saved would differ from build to build: \
                     write a group, `name = if cfg!(…) {{ … }}`, or put it on what is called"
                ),
            ),
            _ => errors.on(
                attr.path(),
                format!(
                    "unknown attribute `{name}`; a line may have `optional`, `caught`, `pivot`, \
                     `atomic`, `deadline(…)`, `step(…)` and doc comments"
                ),
            ),
        }
    }
    Ok(marks)
}

/// Reads `#[deadline("10m")]`.
fn deadline(attr: &Attribute, errors: &mut Errors) -> Option<TokenStream> {
    const LIKE: &str = "#[deadline(\"10m\")]";
    let expr = match &attr.meta {
        syn::Meta::List(list) => list.parse_args::<syn::Expr>().ok(),
        _ => None,
    };
    match expr {
        Some(expr) => span_of_time(&expr, "deadline", LIKE, errors),
        None => {
            errors.on(attr, format!("a deadline is one duration: `{LIKE}`"));
            None
        }
    }
}

/// What a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Group,
    /// A `match`: the line is an arm, `name = PATTERN => body`.
    Match,
}

/// Parses a line.
pub(super) fn line(input: ParseStream<'_>, errors: &mut Errors, of: Of) -> syn::Result<Line> {
    let marks = marks(input, errors)?;
    if let Some(at) = marks.at
        && (input.is_empty() || input.peek(Token![;]))
    {
        return Err(syn::Error::new(at, "an attribute with no line after it"));
    }
    if !input.peek(Ident::peek_any) && !input.peek(Token![::]) {
        return Err(input.error(
            "a line is `name = step(…);`, `step(…);`, or `name = ` and a group: `{ … }`, \
             `parallel { … }`, `race { … }`, `if`, `match`, `for` or `loop`",
        ));
    }
    let start = input.fork();
    let mut arm = None;
    let (name, body) = if input.peek(Token![let]) {
        let (name, body) = let_line::parse(input, errors)?;
        (Some(name), body)
    } else if begins_line(input) {
        let name: Ident = input.call(Ident::parse_any)?;
        let equals = input.parse::<Token![=]>()?;
        if syn::parse2::<Ident>(name.to_token_stream()).is_err() {
            return Err(syn::Error::new_spanned(
                &name,
                format!("`{name}` is a word of the language: write `r#{name} = …`"),
            ));
        }
        if of == Of::Match {
            arm = Some(arms::when(input, &name, errors)?);
        }
        let start = input.fork();
        let body = if input.is_empty() || input.peek(Token![;]) || begins_line(input) {
            input.parse::<Option<Token![;]>>()?;
            errors.on(
                equals,
                match arm {
                    Some(_) => format!("`{name}` does nothing: an arm that does nothing is `{{}}`"),
                    None => {
                        format!("`{name}` does nothing: write a call, as in `{name} = step(…);`")
                    }
                },
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
    policy_of_one_step(&marks.options, &body, errors);
    marks_of_work(&marks, &name, &body, errors);
    Ok(Line {
        saved: String::new(),
        unnamed,
        aliases: marks.options.aliases.clone(),
        name,
        docs: marks.docs,
        optional: marks.optional,
        caught: marks.caught,
        pivot: marks.pivot,
        atomic: marks.atomic,
        deadline: marks.deadline,
        options: marks.options,
        arm,
        body,
    })
}

/// Reports, on a `let` line, the marks that are about effects.
fn marks_of_work(marks: &Marks, name: &Ident, body: &Body, errors: &mut Errors) {
    if let Body::Step(Call {
        within: Some(within),
        ..
    }) = body
        && marks.deadline.is_some()
    {
        errors.on(
            &within.word,
            "a signal has one time limit: `#[deadline(…)]`, by which the line fails, or `.within(…)`, \
             which gives `None`",
        );
    }
    if !matches!(body, Body::Let { .. }) {
        return;
    }
    let set = [
        ("pivot", marks.pivot),
        ("atomic", marks.atomic),
        ("deadline", marks.deadline.is_some()),
    ];
    for (mark, set) in set {
        if set {
            errors.on(
                name,
                format!("`#[{mark}]` does nothing on a `let` line, which has no effect"),
            );
        }
    }
}

/// Reports the options about a step's policy on a line that is no step.
fn policy_of_one_step(options: &Options, body: &Body, errors: &mut Errors) {
    let inside = match body {
        // Whether it is a step of ours, which has no policy, is found by its type.
        Body::Step(_) | Body::Broken(_) => return,
        Body::Let { .. } => "a `let` line is evaluated once, and has none",
        Body::Flow(_) => "put it on a step of that flow, at its function or at its line there",
        Body::Group(_)
        | Body::Parallel(_)
        | Body::Race(_)
        | Body::Match { .. }
        | Body::If { .. } => "put it on the steps inside of this group",
        Body::For { .. } => "put it on the steps inside of this `for`",
        Body::Loop { .. } => {
            "put it on the steps inside of this `loop`, whose rounds are bounded by `loop max n`"
        }
    };
    for option in &options.policy {
        errors.on(
            option,
            format!("`{option}` is about the attempts of one step: {inside}"),
        );
    }
}

/// Parses a line that does not begin with `name =`.
fn unnamed(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Body> {
    slips::no_such_line(input)?;
    let group = input.peek(Token![if])
        || input.peek(Token![match])
        || input.peek(Token![for])
        || input.peek(Token![loop])
        || ((input.peek(word::parallel) || input.peek(word::race)) && input.peek2(token::Brace));
    if group {
        return Err(input
            .error("a group needs a name, by which its value is used: write `name = ` before it"));
    }
    if input.peek(word::flow) && input.peek2(Ident::peek_any) {
        input.parse::<word::flow>()?;
        return Ok(Body::Flow(flow_call(input, errors)?));
    }
    if child::starts(input) {
        return Ok(Body::Step(child::start(input, errors)?));
    }
    if child::joins(input) {
        return Err(input.error(
            "a `join` line needs a name, by which its value is used: write `name = ` before it",
        ));
    }
    let start = input.fork();
    match call(input, errors) {
        Ok(call) => Ok(Body::Step(call)),
        // The line is unfinished, and the next line follows.
        Err(error) if start.peek(syn::Ident) && begins_line(input) => {
            errors.push(error);
            Ok(Body::Broken(between(&start, input)))
        }
        Err(error) => Err(error),
    }
}
