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

/// A handler of `F` that was found, like [`Found`](crate::language::handlers::Found) for a step.
#[derive(Debug)]
pub struct FlowFound<F>(PhantomData<fn() -> F>);

/// An `#[on_done]` that was found.
pub trait OnDoneFound<F: Flow>: Sync {
    /// Calls the handler.
    fn on_done<'a>(
        &self,
        lent: F::Lent<'a>,
        input: &'a F::Input,
        output: &'a F::Output,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<F: OnDone> OnDoneFound<F> for FlowFound<F> {
    fn on_done<'a>(
        &self,
        lent: F::Lent<'a>,
        input: &'a F::Input,
        output: &'a F::Output,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        <F as OnDone>::on_done(lent, input, output)
    }
}

/// An `#[on_failed]` that was found.
pub trait OnFailedFound<F: Flow>: Sync {
    /// Calls the handler.
    fn on_failed<'a>(
        &self,
        lent: F::Lent<'a>,
        input: &'a F::Input,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<F: OnFailed> OnFailedFound<F> for FlowFound<F> {
    fn on_failed<'a>(
        &self,
        lent: F::Lent<'a>,
        input: &'a F::Input,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        <F as OnFailed>::on_failed(lent, input, failure)
    }
}

/// An `#[on_stopped]` that was found.
pub trait OnStoppedFound<F: Flow>: Sync {
    /// Calls the handler.
    fn on_stopped<'a>(
        &self,
        lent: F::Lent<'a>,
        input: &'a F::Input,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<F: OnStopped> OnStoppedFound<F> for FlowFound<F> {
    fn on_stopped<'a>(
        &self,
        lent: F::Lent<'a>,
        input: &'a F::Input,
        failure: &'a Failure,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        <F as OnStopped>::on_stopped(lent, input, failure)
    }
}

type FoundOnDone<F> = Option<&'static dyn OnDoneFound<F>>;

type FoundOnFailed<F> = Option<&'static dyn OnFailedFound<F>>;

type FoundOnStopped<F> = Option<&'static dyn OnStoppedFound<F>>;

/// Finds the handlers of a flow, as [`Probe`](crate::language::handlers::Probe) does for a step.
#[derive(Debug)]
pub struct FlowProbe<F>(PhantomData<fn() -> F>);

impl<F: OnDone> FlowProbe<F> {
    /// The `#[on_done]`.
    pub const ON_DONE: FoundOnDone<F> = Some(&FlowFound(PhantomData));
}

impl<F: OnFailed> FlowProbe<F> {
    /// The `#[on_failed]`.
    pub const ON_FAILED: FoundOnFailed<F> = Some(&FlowFound(PhantomData));
}

impl<F: OnStopped> FlowProbe<F> {
    /// The `#[on_stopped]`.
    pub const ON_STOPPED: FoundOnStopped<F> = Some(&FlowFound(PhantomData));
}

/// The constants of [`FlowProbe`] for a flow without a handler.
pub trait NoFlowHandler<F: Flow> {
    /// No `#[on_done]`.
    const ON_DONE: FoundOnDone<F> = None;
    /// No `#[on_failed]`.
    const ON_FAILED: FoundOnFailed<F> = None;
    /// No `#[on_stopped]`.
    const ON_STOPPED: FoundOnStopped<F> = None;
}

impl<F: Flow> NoFlowHandler<F> for FlowProbe<F> {}
