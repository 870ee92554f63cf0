//! Arguments that hold nothing of their own: names, their fields, references to these, and
//! constants.
//!
//! What an argument makes, such as the text that `&n.to_string()` lends, must live for as long as the
//! call. So the code of a line is an async block, which keeps it. Most arguments only lend what is in
//! the flow's slots; a line with no others needs no such block, which takes the compiler more time
//! than all the rest of the line.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Member, Token, UnOp, parse::Parser, punctuated::Punctuated, spanned::Spanned};

/// How a name is bound for such arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// As in all expressions: a `Copy` value by value, any other by reference.
    Usual,
    /// By reference, whatever it is.
    Lent,
}

/// What the arguments use.
#[derive(Default)]
pub(super) struct Borrowed {
    /// The arguments, with names that are bound by reference taken for what they refer to.
    pub(super) args: TokenStream,
    names: Vec<(String, Bound)>,
}

impl Borrowed {
    /// Reads the arguments of a call; `None` if they may hold something of their own. `lendable` says
    /// which names can be bound by reference; `values` which are bound at all.
    pub(super) fn read(
        args: &TokenStream,
        lendable: &dyn Fn(&str) -> bool,
        values: &dyn Fn(&str) -> bool,
    ) -> Option<Self> {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        let mut args = parser.parse2(args.clone()).ok()?;
        let mut borrowed = Self::default();
        for arg in &mut args {
            borrowed.arg(arg, lendable, values)?;
        }
        borrowed.args = args.into_token_stream();
        Some(borrowed)
    }

    /// Returns how a name is bound.
    pub(super) fn bound(&self, name: &str) -> Bound {
        let found = self.names.iter().find(|(used, _)| used == name);
        found.map_or(Bound::Usual, |(_, bound)| *bound)
    }

    fn arg(
        &mut self,
        arg: &mut Expr,
        lendable: &dyn Fn(&str) -> bool,
        values: &dyn Fn(&str) -> bool,
    ) -> Option<()> {
        match arg {
            Expr::Lit(lit) if lit.attrs.is_empty() => Some(()),
            Expr::Path(path) if path.attrs.is_empty() => match path.path.get_ident() {
                Some(name) if values(&name.to_string()) => {
                    self.uses(&name.to_string(), Bound::Usual)
                }
                _ => Some(()),
            },
            Expr::Field(_) => self.uses(&lent(field_of(arg)?, lendable)?, Bound::Lent),
            Expr::Reference(to) if to.mutability.is_none() && to.attrs.is_empty() => {
                let name = match &*to.expr {
                    Expr::Field(_) => lent(field_of(&to.expr)?, lendable)?,
                    Expr::Path(path) => {
                        let name = lent(path.path.get_ident()?, lendable)?;
                        let span = Span::mixed_site().located_at(path.span());
                        let star: UnOp = syn::parse2(quote_spanned!(span=> *)).ok()?;
                        *to.expr = Expr::Unary(syn::ExprUnary {
                            attrs: Vec::new(),
                            op: star,
                            expr: Box::new(Expr::Path(path.clone())),
                        });
                        name
                    }
                    _ => return None,
                };
                self.uses(&name, Bound::Lent)
            }
            _ => None,
        }
    }

    /// Notes the use of a name. It is bound once.
    fn uses(&mut self, name: &str, bound: Bound) -> Option<()> {
        match self.names.iter().find(|(used, _)| used == name) {
            Some((_, other)) => (*other == bound).then_some(()),
            None => {
                self.names.push((name.to_owned(), bound));
                Some(())
            }
        }
    }
}

/// Returns the name, if it can be bound by reference.
fn lent(name: &syn::Ident, lendable: &dyn Fn(&str) -> bool) -> Option<String> {
    let name = name.to_string();
    lendable(&name).then_some(name)
}

/// Returns the name of which this is a field, or a field of a field.
fn field_of(expr: &Expr) -> Option<&syn::Ident> {
    match expr {
        Expr::Field(field) if field.attrs.is_empty() => match field.member {
            Member::Named(_) | Member::Unnamed(_) => field_of(&field.base),
        },
        Expr::Path(path) if path.attrs.is_empty() => path.path.get_ident(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Borrowed, Bound};

    /// Reads arguments where `a` and `b` are lines, and `x` is an item.
    fn read(args: &str) -> Option<Borrowed> {
        let lendable = |name: &str| ["a", "b"].contains(&name);
        let values = |name: &str| lendable(name) || name == "x";
        Borrowed::read(&args.parse().expect("tokens"), &lendable, &values)
    }

    #[test]
    fn names_fields_and_references_to_them_hold_nothing() {
        for args in [
            "",
            "a",
            "&a",
            "a.b, &a.c.0",
            "x, 1, \"text\"",
            "Kind::Disk, NONE",
        ] {
            assert!(read(args).is_some(), "{args}");
        }
    }

    #[test]
    fn what_an_argument_makes_is_held() {
        for args in [
            "&a.to_string()",
            "a + 1",
            "&1",
            "&x",
            "x.y",
            "&NONE",
            "&mut a",
            "(a, b)",
        ] {
            assert!(read(args).is_none(), "{args}");
        }
    }

    #[test]
    fn a_name_is_bound_by_reference_only_where_nothing_else_is_wanted_of_it() {
        let both = read("&a, b").expect("these hold nothing");
        assert!(both.bound("a") == Bound::Lent && both.bound("b") == Bound::Usual);
        assert_eq!(both.args.to_string(), "& * a , b");
        assert!(read("&a, a").is_none());
    }
}
