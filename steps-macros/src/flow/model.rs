//! What a flow says, after parsing and before anything is generated. Spans live in its tokens.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, ItemFn, LitStr, Path};

use crate::{
    attr::options::Options,
    item::{function::Param, return_type::Output},
};

/// A flow.
pub(crate) struct Flow {
    pub(crate) krate: TokenStream,
    pub(crate) function: ItemFn,
    pub(crate) params: Vec<Param>,
    pub(crate) output: Output,
    pub(crate) health: Health,
    pub(crate) name: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) hold: bool,
    pub(crate) reversible: bool,
    pub(crate) lines: Vec<Line>,
    /// The code after `steps!`.
    pub(crate) tail: TokenStream,
}

impl Flow {
    /// The parameters taken by reference: the resources that the flow is lent.
    pub(crate) fn lent(&self) -> Vec<&Param> {
        let params = self.params.iter();
        params.filter(|param| param.lent().is_some()).collect()
    }

    /// The parameters taken by value: the flow's input, which is saved.
    pub(crate) fn inputs(&self) -> Vec<&Param> {
        let params = self.params.iter();
        params.filter(|param| param.lent().is_none()).collect()
    }
}

/// How much of a flow is right, and so how much can be generated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Whole,
    /// There are errors in its lines: the rest is as it should be.
    Lines,
    /// There are errors in its signature.
    Signature,
    /// Its parameters are of types that can't be said: it takes this many of any type.
    Anything(usize),
}

/// One line of a `steps!`.
pub(crate) struct Line {
    pub(crate) name: Ident,
    /// Whether that is only the name of what it calls.
    pub(crate) unnamed: bool,
    /// Its name in the saved tree.
    pub(crate) saved: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) optional: bool,
    pub(crate) pivot: bool,
    pub(crate) atomic: bool,
    pub(crate) options: Options,
    pub(crate) body: Body,
}

/// What a line does.
pub(crate) enum Body {
    Step(Call),
    Flow(Call),
    /// What could not be parsed, for an editor to look at.
    Broken(TokenStream),
    Group(Vec<Line>),
    Parallel(Vec<Line>),
    If {
        cond: Cond,
        then: Vec<Line>,
        otherwise: Option<Vec<Line>>,
    },
    For {
        pat: TokenStream,
        list: TokenStream,
        key: TokenStream,
        /// `parallel` without a number is no limit.
        at_once: AtOnce,
        lines: Vec<Line>,
    },
    Loop {
        max: Option<syn::LitInt>,
        lines: Vec<Line>,
        until: TokenStream,
    },
}

/// How many items of a `for` at once.
pub(crate) enum AtOnce {
    One,
    All,
    Most(TokenStream),
}

/// The call of a step or a flow.
pub(crate) struct Call {
    pub(crate) path: Path,
    pub(crate) args: TokenStream,
    pub(crate) paren: proc_macro2::extra::DelimSpan,
}

/// The condition of an `if`.
pub(crate) enum Cond {
    Is(TokenStream),
    Let {
        pat: TokenStream,
        value: TokenStream,
    },
}

/// The groups of a `&Body`, and of a `&mut Body`.
macro_rules! groups {
    ($body:expr) => {
        match $body {
            Body::Step(_) | Body::Flow(_) | Body::Broken(_) => Vec::new(),
            Body::Group(lines)
            | Body::Parallel(lines)
            | Body::For { lines, .. }
            | Body::Loop { lines, .. } => vec![lines],
            Body::If {
                then, otherwise, ..
            } => std::iter::once(then).chain(otherwise).collect(),
        }
    };
}

impl Line {
    /// The groups of lines below this one: two for an `if` with an `else`, none for a call.
    pub(crate) fn groups(&self) -> Vec<&Vec<Line>> {
        groups!(&self.body)
    }

    /// The same groups, to be changed.
    pub(crate) fn groups_mut(&mut self) -> Vec<&mut Vec<Line>> {
        groups!(&mut self.body)
    }
}
