//! What `#[step]` implements.

use std::future::Future;

use super::codec::Codec;
use super::cx::Cx;
use crate::{
    base::error::StepError,
    model::{policy::Policy, state::Until},
};

/// A function marked `#[step]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    label = "not a step",
    note = "put `#[step]` on the function; another flow is called with `flow {Self}(…)`"
)]
pub trait Step: Sized + 'static {
    /// What it takes.
    type Args<'a>: Send;
    /// What it gives.
    type Output: Send + Sync + 'static;
    /// What it fails with.
    type Error: 'static;
    /// What stands for it where a flow should be: see [`callee`](crate::language::misuse).
    type AsFlow: crate::language::flow::Flow;
    /// The name in its `#[step(name = …)]`.
    const NAME: Option<&'static str> = None;
    /// The names in its `#[step(alias = …)]`.
    const ALIASES: &'static [&'static str] = &[];
    /// How it is tried, timed and polled.
    const POLICY: Policy = Policy::NONE;
    /// Whether its output is not saved.
    const VOLATILE: bool = false;
    /// The text of its output's type.
    const OUTPUT_TEXT: &'static str;
    /// How its output is saved.
    const CODEC: Codec<Self::Output>;

    /// Makes one attempt. `when` says which errors may be retried, where the line overrides it.
    fn run<'a>(
        args: Self::Args<'a>,
        cx: &'a Cx,
        when: Option<fn(&Self::Error) -> bool>,
    ) -> impl Future<Output = Result<Attempt<Self::Output>, StepError>> + Send + 'a;
}

/// How one attempt ended, if not with an error.
#[derive(Debug)]
pub enum Attempt<T> {
    /// With a value.
    Done(T),
    /// Not yet: ask again after the policy's pause.
    NotYet,
    /// Not before this.
    Wait(Until),
}

/// A step's call: its arguments, tagged with the step.
#[derive(Debug)]
pub struct Call<'a, S: Step>(pub S::Args<'a>);
