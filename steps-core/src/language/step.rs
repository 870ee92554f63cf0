//! The trait of `#[step]`.

use std::{fmt::Debug, future::Future};

use super::codec::Codec;
use super::cx::Cx;
use crate::{
    base::error::StepError,
    model::{
        policy::Policy,
        state::{StepKind, Until},
        typed::Loops,
    },
};

/// A function marked `#[step]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    label = "not a step",
    note = "put `#[step]` on the function; another flow is called with `flow {Self}(…)`"
)]
pub trait Step: Sized + 'static {
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
    /// The name in its `#[step(name = …)]`.
    const NAME: Option<&'static str> = None;
    /// The names in its `#[step(alias = …)]`.
    const ALIASES: &'static [&'static str] = &[];
    /// How the step is retried, timed and polled.
    const POLICY: Policy = Policy::NONE;
    /// What it is, if it is not simply a function that is called.
    const KIND: Option<StepKind> = None;
    /// The source text of the output's type.
    const OUTPUT_TEXT: &'static str;
    /// How the output is saved.
    const CODEC: Codec<Self::Output>;
}

/// What a step does. It is a trait of its own as the compiler takes long to compare an `async fn` with
/// its trait: it does so once for each step, and not once more for the types that `#[step]` hides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    label = "not a step",
    note = "put `#[step]` on the function; another flow is called with `flow {Self}(…)`"
)]
pub trait Runs: Step {
    /// Makes one attempt. `when` says which errors may be retried, if the line overrides it.
    fn run<'a>(
        args: Self::Args<'a>,
        cx: &'a Cx,
        when: Option<fn(&Self::Error) -> bool>,
    ) -> impl Future<Output = Result<Attempt<Self::Output>, StepError>> + Send + 'a;
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
#[derive(Debug)]
pub struct Call<'a, S: Step>(pub S::Args<'a>);

/// A type, as itself. `where T: Same<Type = S>` gives a type a name in an implementation that may
/// not name it.
pub trait Same {
    /// The same type.
    type Type;
}
impl<T> Same for T {
    type Type = T;
}
