//! A list of options in an attribute: `name`, `name = value`, `name(option, …)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{
    Token,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    token,
};

use crate::errors::Errors;

/// One option.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What follows the option's name.
pub(crate) enum Value {
    None,
    Is(Box<syn::Expr>),
    List(Vec<Arg>),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Is(Box::new(input.parse()?))
        } else if input.peek(token::Paren) {
            let inner;
            syn::parenthesized!(inner in input);
            Value::List(list(&inner)?)
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

/// Parses options up to the end of the input.
pub(crate) fn list(input: ParseStream<'_>) -> syn::Result<Vec<Arg>> {
    Ok(Punctuated::<Arg, Token![,]>::parse_terminated(input)?
        .into_iter()
        .collect())
}

/// Parses an attribute's options. If they can't be parsed, that is reported, and there are none.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Vec<Arg> {
    errors
        .ok(syn::parse::Parser::parse2(list, tokens))
        .unwrap_or_default()
}

/// Parses an attribute's options, and skips without an error what is none: a handler's path, and
/// what can't be parsed.
pub(crate) fn parse_leniently(tokens: TokenStream) -> Vec<Arg> {
    let parser = |input: ParseStream<'_>| {
        let mut all = Vec::new();
        while !input.is_empty() {
            match input.parse::<Arg>() {
                Ok(arg) => all.push(arg),
                Err(_) => {
                    input.parse::<proc_macro2::TokenTree>()?;
                }
            }
        }
        Ok(all)
    };
    syn::parse::Parser::parse2(parser, tokens).unwrap_or_default()
}

/// Returns the options without those that are given again, which are reported. `alias` may be given
/// more than once.
pub(crate) fn once_each(args: Vec<Arg>, errors: &mut Errors) -> Vec<Arg> {
    let mut seen: Vec<Ident> = Vec::new();
    let mut once = args;
    once.retain(|arg| {
        let name = &arg.name;
        let again = name != "alias" && seen.contains(name);
        if again {
            errors.on(name, format!("`{name}` is given twice"));
        }
        seen.push(name.clone());
        !again
    });
    once
}

/// Removes the option `crate = path`, and returns its path, or `::steps` without it.
pub(crate) fn take_crate(args: &mut Vec<Arg>, errors: &mut Errors) -> TokenStream {
    let at = args.iter().position(|arg| arg.name == "crate");
    let given = at.and_then(|at| args.remove(at).expr(errors));
    args.retain(|arg| {
        let again = arg.name == "crate";
        if again {
            errors.on(&arg.name, "`crate` is given twice");
        }
        !again
    });
    given.map_or_else(|| quote!(::steps), |path| quote!(#path))
}

impl Arg {
    /// Returns the position of the option's name.
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// Returns the value in `name = value`, or reports that it is missing.
    pub(crate) fn expr(self, errors: &mut Errors) -> Option<syn::Expr> {
        match self.value {
            Value::Is(expr) => {
                let mut expr = *expr;
                // What a `macro_rules!` was given is in a group that nobody sees.
                while let syn::Expr::Group(group) = expr {
                    expr = *group.expr;
                }
                Some(expr)
            }
            _ => {
                let name = &self.name;
                errors.on(name, format!("`{name}` takes a value: `{name} = …`"));
                None
            }
        }
    }

    /// Returns the string in `name = "…"`, or reports that the value is missing or no string.
    pub(crate) fn text(self, errors: &mut Errors) -> Option<syn::LitStr> {
        let name = self.name.clone();
        match self.expr(errors)? {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Some(text),
            other => {
                errors.on(other, format!("`{name}` takes a string: `{name} = \"…\"`"));
                None
            }
        }
    }

    /// Whether the option stands alone, as it must; reports a value.
    pub(crate) fn flag(self, errors: &mut Errors) -> bool {
        if matches!(self.value, Value::None) {
            return true;
        }
        let name = &self.name;
        errors.on(name, format!("`{name}` takes no value"));
        false
    }

    /// Returns the options in `name(…)`, or reports that they are missing.
    pub(crate) fn list(self, errors: &mut Errors) -> Option<Vec<Self>> {
        match self.value {
            Value::List(list) => Some(list),
            _ => {
                let name = &self.name;
                errors.on(name, format!("`{name}` takes options: `{name}(…)`"));
                None
            }
        }
    }

    /// Reports an unknown option, with those that there are.
    pub(crate) fn unknown(&self, known: &[&str], errors: &mut Errors) {
        let name = &self.name;
        let are = if known.len() == 1 { "is" } else { "are" };
        let known = known.join("`, `");
        errors.on(
            name,
            format!("unknown option `{name}`; there {are} `{known}`"),
        );
    }
}
