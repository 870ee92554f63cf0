//! The traits of `#[step]`.

use std::fmt::Debug;

use super::codec::Codec;
use super::cx::Cx;
use super::keep::Keep;
use super::scope::OpResult;
use crate::{
    base::future::BoxFuture,
    model::{
        policy::Policy,
        state::{StepKind, Until},
        table::SignalMeta,
        typed::Loops,
    },
};

/// A function marked `#[step]`.
///
/// It names the type that tells everything about the function. This type is private, so that types
/// in the function's signature may be private, too; and what is told of a function is compared with
/// its trait once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    label = "not a step",
    note = "put `#[step]` on the function; another flow is called with `flow {Self}(…)`"
)]
pub trait Step: Sized + 'static {
    /// What is told of the function.
    type Function: Function;
}

/// What `#[step]` tells of a function.
pub trait Function: Sized + 'static {
    /// The type of the arguments.
    type Args<'a>: Send;
    /// The type of the output.
    type Output: Send + Sync + 'static;
    /// The type of the error.
    type Error: 'static;
    /// The reference to a line that calls it, in these `for`s and `loop`s.
    type Ref<L: Loops>: Copy + Debug;
    /// The stand-in where a flow is needed: see [`misuse`](crate::language::misuse).
    type AsFlow: crate::language::flow::Flow;
    /// What the attribute says.
    const ABOUT: About;
    /// How the output is saved.
    const CODEC: Codec<Self::Output>;
    /// Makes one attempt, and keeps its value. `when` says which errors may be retried, if the line
    /// overrides it.
    fn run<'a>(
        args: Self::Args<'a>,
        cx: &'a Cx,
        when: Option<fn(&Self::Error) -> bool>,
        keep: Keep<'a, Self::Output>,
    ) -> BoxFuture<'a, OpResult>;
}

/// The type of a step's arguments.
pub type Args<'a, S> = <<S as Step>::Function as Function>::Args<'a>;
/// The type of a step's output.
pub type Output<S> = <<S as Step>::Function as Function>::Output;
/// The type of a step's error.
pub type Error<S> = <<S as Step>::Function as Function>::Error;
/// The reference to a line that calls a step.
pub type Ref<S, L> = <<S as Step>::Function as Function>::Ref<L>;
/// The flow that is named, if it is one.
pub type AsFlow<S> = <<S as Step>::Function as Function>::AsFlow;

/// What a `#[step]` says of its function, besides types.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct About {
    pub(crate) name: Option<&'static str>,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) policy: Policy,
    pub(crate) kind: Option<StepKind>,
    pub(crate) signal: Option<SignalMeta>,
    pub(crate) output: &'static str,
    /// Whether its function is called in a transaction.
    pub(crate) is_transaction: bool,
}

impl About {
    /// Returns that of a plain step. `output` is the source text of the output's type.
    pub const fn plain(output: &'static str) -> Self {
        Self {
            name: None,
            aliases: &[],
            policy: Policy::NONE,
            kind: None,
            signal: None,
            output,
            is_transaction: false,
        }
    }

    /// Adds the name in `#[step(name = …)]`.
    pub const fn named(self, name: &'static str) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    /// Adds the names in `#[step(alias = …)]`.
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Sets how the step is retried, timed and polled.
    pub const fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Says what the step is, if it is not simply a function that is called.
    pub const fn kind(self, kind: StepKind) -> Self {
        Self {
            kind: Some(kind),
            ..self
        }
    }

    /// Says that the step's function is called in a transaction of the store's database.
    pub const fn in_transaction(self) -> Self {
        Self {
            is_transaction: true,
            ..self
        }
    }

    /// Says that the step is a signal, and what it takes.
    pub(crate) const fn signal(self, signal: SignalMeta) -> Self {
        Self {
            kind: Some(StepKind::Signal),
            signal: Some(signal),
            ..self
        }
    }
}

/// Returns what a step's attribute says.
pub const fn about<S: Step>() -> About {
    S::Function::ABOUT
}

/// Returns how a step's output is saved.
pub const fn codec_of<S: Step>() -> Codec<Output<S>> {
    S::Function::CODEC
}

/// How an attempt ended, if it did not end with an error.
#[derive(Debug)]
pub enum Attempt<T> {
    /// With a value.
    Done(T),
    /// Not yet: ask again after the pause in the policy.
    NotYet,
    /// Wait, and try again not before this.
    Wait(Until),
}

/// A step's call: its arguments, tagged with the step.
#[allow(missing_debug_implementations)]
pub struct Call<'a, S: Step>(pub Args<'a, S>);

/// A type, as itself. `where T: Same<Type = S>` gives a type a name in an implementation that may
/// not name it.
pub trait Same {
    /// The same type.
    type Type;
}
impl<T> Same for T {
    type Type = T;
}
