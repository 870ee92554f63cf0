//! The traits of `#[on_done]`, `#[on_failed]` and `#[on_stopped]`, and how a flow finds these handlers. The rule is
//! that of [`handlers`](super::handlers).

use std::marker::PhantomData;

use super::flow::Flow;
use crate::{
    base::{error::StepError, future::BoxFuture},
    model::failure::Failure,
};

/// The `#[on_done]` of a flow.
pub trait OnDone: Flow {
    /// Calls the handler.
    fn on_done<'a>(
        lent: Self::Lent<'a>,
        input: &'a Self::Input,
        output: &'a Self::Output,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// The `#[on_failed]` of a flow.
pub trait OnFailed: Flow {
    /// Calls the handler.
    fn on_failed<'a>(
        lent: Self::Lent<'a>,
        input: &'a Self::Input,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// The `#[on_stopped]` of a flow.
pub trait OnStopped: Flow {
    /// Calls the handler.
    fn on_stopped<'a>(
        lent: Self::Lent<'a>,
        input: &'a Self::Input,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// A call of a handler, which is given `L` last. Unlike with a step's `Args<'a>`, the compiler sees through a
/// flow's `Lent<'a>` in the type of a function pointer.
type CallOf<F, L> = for<'a> fn(
    <F as Flow>::Lent<'a>,
    &'a <F as Flow>::Input,
    &'a L,
) -> BoxFuture<'a, Result<(), StepError>>;

type FoundOnDone<F> = Option<CallOf<F, <F as Flow>::Output>>;

type FoundOnEnd<F> = Option<CallOf<F, Failure>>;

/// Finds the handlers of a flow, as [`Probe`](crate::language::handlers::Probe) does for a step.
#[derive(Debug)]
pub struct FlowProbe<F>(PhantomData<fn() -> F>);

impl<F: OnDone> FlowProbe<F> {
    /// The `#[on_done]`.
    pub const ON_DONE: FoundOnDone<F> = Some(<F as OnDone>::on_done);
}

impl<F: OnFailed> FlowProbe<F> {
    /// The `#[on_failed]`.
    pub const ON_FAILED: FoundOnEnd<F> = Some(<F as OnFailed>::on_failed);
}

impl<F: OnStopped> FlowProbe<F> {
    /// The `#[on_stopped]`.
    pub const ON_STOPPED: FoundOnEnd<F> = Some(<F as OnStopped>::on_stopped);
}

/// The constants of [`FlowProbe`] for a flow without a handler.
pub trait NoFlowHandler<F: Flow> {
    /// No `#[on_done]`.
    const ON_DONE: FoundOnDone<F> = None;
    /// No `#[on_failed]`.
    const ON_FAILED: FoundOnEnd<F> = None;
    /// No `#[on_stopped]`.
    const ON_STOPPED: FoundOnEnd<F> = None;
}

impl<F: Flow> NoFlowHandler<F> for FlowProbe<F> {}
