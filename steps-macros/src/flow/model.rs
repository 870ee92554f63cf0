//! The model of a flow: the result of parsing, which is checked and expanded. Spans are those of
//! the tokens in it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, extra::DelimSpan};
use syn::{Attribute, ItemFn, LitStr, Path};

use crate::{
    attr::options::Options,
    idents::Names,
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
    pub(crate) deadline: Option<TokenStream>,
    pub(crate) lines: Vec<Line>,
    /// The code after `steps!`.
    pub(crate) tail: TokenStream,
}

/// A plan: a flow whose lines are the steps that its plans may have. Its last parameter is the plan.
pub(crate) struct Plan {
    pub(crate) flow: Flow,
    /// What is in the parentheses of each line, by the number that stands there in its place.
    pub(crate) args: Vec<Vec<PlanArg>>,
}

/// An argument of a step in the list of a plan.
pub(crate) enum PlanArg {
    /// Made of what the plan is lent.
    Lent(TokenStream),
    /// `name: Type`: the plan gives it.
    Given {
        name: Ident,
        /// The type that the step takes, as it is written.
        ty: Box<syn::Type>,
        /// The type that is read from the plan.
        owned: Box<syn::Type>,
    },
}

impl Plan {
    /// Returns the arguments of a line.
    pub(crate) fn args_of(&self, line: &Line) -> &[PlanArg] {
        let Body::Step(call) = &line.body else {
            return &[];
        };
        let number = call.args.to_string();
        let number = number
            .strip_prefix(Self::PLACE)
            .and_then(|it| it.parse::<usize>().ok());
        number
            .and_then(|at| self.args.get(at))
            .map_or(&[], |args| args)
    }

    /// What stands in the parentheses of a line, before the number of its arguments.
    pub(crate) const PLACE: &'static str = "__args";
}

impl Flow {
    /// Returns the parameters taken by reference: the resources that the flow is lent.
    pub(crate) fn lent(&self) -> Vec<&Param> {
        let params = self.params.iter();
        params.filter(|param| param.lent().is_some()).collect()
    }

    /// Returns the parameters taken by value: the flow's input, which is saved.
    pub(crate) fn inputs(&self) -> Vec<&Param> {
        let params = self.params.iter();
        params.filter(|param| param.lent().is_none()).collect()
    }
}

/// Which parts of a flow have errors; it decides how much can be generated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// No part.
    Whole,
    /// Its options or its lines. The signature is right.
    BadLines,
    /// Its signature.
    BadSignature,
    /// Its signature, which is generic: the types of this many parameters can't be written, so that
    /// they accept any type.
    Generic(usize),
}

/// One line of a `steps!`.
pub(crate) struct Line {
    pub(crate) name: Ident,
    /// Whether the user wrote no name, so that it is the name of what the line calls.
    pub(crate) unnamed: bool,
    /// Its name in the saved tree.
    pub(crate) saved: String,
    pub(crate) aliases: Vec<LitStr>,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) optional: bool,
    pub(crate) caught: bool,
    pub(crate) pivot: bool,
    pub(crate) atomic: bool,
    /// The duration in its `#[deadline(…)]`.
    pub(crate) deadline: Option<TokenStream>,
    pub(crate) options: Options,
    /// Of an arm of a `match`: when it is taken.
    pub(crate) arm: Option<Arm>,
    pub(crate) body: Body,
}

/// When an arm of a `match` is taken.
pub(crate) struct Arm {
    pub(crate) pat: TokenStream,
    pub(crate) guard: Option<TokenStream>,
}

/// What a line does.
pub(crate) enum Body {
    Step(Call),
    Flow(Call),
    /// `let name: ty = value;`. `by_form`: the user wrote no type, and the form of the value tells
    /// it.
    Let {
        ty: Box<syn::Type>,
        by_form: bool,
        value: TokenStream,
    },
    /// Tokens that could not be parsed. Only an editor reads them.
    Broken(TokenStream),
    Group(Vec<Line>),
    Parallel(Vec<Line>),
    Race(Vec<Line>),
    /// A `match`, whose arms are lines.
    Match {
        value: TokenStream,
        arms: Vec<Line>,
    },
    If {
        cond: Cond,
        then: Vec<Line>,
        otherwise: Option<Vec<Line>>,
    },
    For {
        pat: TokenStream,
        list: TokenStream,
        key: TokenStream,
        at_once: AtOnce,
        lines: Vec<Line>,
    },
    Loop {
        max: Option<TokenStream>,
        keep: Option<TokenStream>,
        lines: Vec<Line>,
        until: TokenStream,
    },
}

/// How many items of a `for` run at once: without `parallel`, with it, and with `parallel(n)`.
pub(crate) enum AtOnce {
    One,
    All,
    Most(TokenStream),
}

/// The call of a step or a flow.
pub(crate) struct Call {
    pub(crate) path: Path,
    pub(crate) args: TokenStream,
    pub(crate) paren: DelimSpan,
    pub(crate) within: Option<Within>,
    /// Of a line about a child execution: which.
    pub(crate) child: Option<ChildCall>,
}

/// A line about a child execution.
pub(crate) enum ChildCall {
    /// `start`, the call of a flow with its by-value parameters: the method calls after it, each with
    /// its name and its arguments.
    Start {
        options: Vec<(Ident, DelimSpan, TokenStream)>,
        detached: bool,
    },
    /// `join`: the argument is the child, and the path that of its flow. `is_named`: the user wrote it.
    Join { is_named: bool },
}

/// `.within(limit)` after the call of a signal.
pub(crate) struct Within {
    pub(crate) word: Ident,
    /// What the signal is of, as in `signal::<types>()`.
    pub(crate) types: TokenStream,
    pub(crate) limit: TokenStream,
}

/// Returns these arguments, in the parentheses that the user wrote.
pub(crate) fn in_parens(args: &TokenStream, paren: &DelimSpan) -> Group {
    let mut group = Group::new(Delimiter::Parenthesis, args.clone());
    group.set_span(paren.join());
    group
}

impl Call {
    /// Returns the user's expressions in it.
    pub(crate) fn expressions(&self) -> Vec<&TokenStream> {
        let within = self.within.as_ref().map(|within| &within.limit);
        let options = match &self.child {
            Some(ChildCall::Start { options, .. }) => &options[..],
            Some(ChildCall::Join { .. }) | None => &[],
        };
        let options = options.iter().map(|(.., given)| given);
        std::iter::once(&self.args)
            .chain(within)
            .chain(options)
            .collect()
    }

    /// Returns the names in them.
    pub(crate) fn names(&self) -> Names {
        let all = self.expressions().into_iter().map(Names::of);
        all.fold(Names::default(), Names::and)
    }
}

/// The condition of an `if`.
pub(crate) enum Cond {
    Is(TokenStream),
    Let {
        pat: TokenStream,
        value: TokenStream,
    },
}

/// The groups of a `&Body` as `&Vec<Line>`, those of a `&mut Body` as `&mut Vec<Line>`.
macro_rules! groups {
    ($body:expr) => {
        match $body {
            Body::Step(_) | Body::Flow(_) | Body::Let { .. } | Body::Broken(_) => Vec::new(),
            Body::Group(lines)
            | Body::Parallel(lines)
            | Body::Race(lines)
            | Body::Match { arms: lines, .. }
            | Body::For { lines, .. }
            | Body::Loop { lines, .. } => vec![lines],
            Body::If {
                then, otherwise, ..
            } => std::iter::once(then).chain(otherwise).collect(),
        }
    };
}

impl Line {
    /// Returns a line that could not be read, not even its name.
    pub(crate) fn lost(tokens: TokenStream) -> Self {
        let name = Ident::new("_", Span::call_site());
        Self::plain(name, true, Body::Broken(tokens))
    }

    /// Returns the line of an `else if` in the `else` before it, which stands at `span`.
    pub(crate) fn else_if(span: Span, body: Body) -> Self {
        Self::plain(Ident::new("else_if", span), false, body)
    }

    /// Returns a line without attributes.
    fn plain(name: Ident, unnamed: bool, body: Body) -> Self {
        Self {
            name,
            unnamed,
            saved: String::new(),
            aliases: Vec::new(),
            docs: Vec::new(),
            optional: false,
            caught: false,
            pivot: false,
            atomic: false,
            deadline: None,
            options: Options::default(),
            arm: None,
            body,
        }
    }

    /// Whether not even the name could be read.
    pub(crate) fn is_lost(&self) -> bool {
        self.name == "_"
    }

    /// Returns the groups of lines in this one: two for an `if` with an `else`, none for a call.
    pub(crate) fn groups(&self) -> Vec<&Vec<Line>> {
        groups!(&self.body)
    }

    /// Returns the same groups, mutably.
    pub(crate) fn groups_mut(&mut self) -> Vec<&mut Vec<Line>> {
        groups!(&mut self.body)
    }
}
