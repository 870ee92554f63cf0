//! The traits of the handler attributes, and how a flow finds the handlers of its steps.
//!
//! A handler may exist or not, and the flow's macro can't see it. [`Probe`] finds out by a rule of
//! the compiler: an inherent associated constant whose bounds hold comes before a trait's constant
//! of the same name.

use std::marker::PhantomData;

use super::{
    cx::Cx,
    step::{Args, Output, Step, about, codec_of},
};
use crate::{
    base::{error::StepError, future::BoxFuture, json::Json},
    model::{
        policy::Policy,
        table::{Check, StepMeta},
    },
};

/// The `#[undo]` of a step.
pub trait Undo: Step {
    /// How the undo is retried and timed.
    const POLICY: Policy;
    /// Checks that what `#[observe]` saw before the step can be decoded, if the undo takes it.
    const BEFORE: Option<Check> = None;
    /// Undoes the step's effect.
    fn undo<'a>(
        args: Args<'a, Self>,
        output: &'a Output<Self>,
        before: Option<&'a Json>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// The `#[verify]` of a step.
pub trait Verify: Step {
    /// Finds out whether the step had its effect.
    fn verify<'a>(
        args: Args<'a, Self>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Option<Output<Self>>, StepError>>;
}

/// The `#[observe]` of a step.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[observe]`, so there is nothing `before`",
    label = "`before` is what an `#[observe({Self})]` function saw"
)]
pub trait Observe: Step {
    /// The type of the observed value.
    type Value;
    /// Calls the function and returns the observed value as JSON.
    fn observe<'a>(args: Args<'a, Self>, cx: &'a Cx) -> BoxFuture<'a, Result<Json, StepError>>;
}

/// A step that is marked `#[step(external)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an external step",
    label = "it has no task that somebody else runs",
    note = "mark its function `#[step(external)]`, and let it return an `External`"
)]
pub trait IsExternal {}

/// The `#[stop]` of an external step.
pub trait Stop: Step {
    /// How it is retried and timed.
    const POLICY: Policy;
    /// Asks for the task to be stopped.
    fn stop(args: Args<'_, Self>) -> BoxFuture<'_, Result<(), StepError>>;
}

/// The `#[on_check_in]` of an external step.
pub trait OnCheckIn: Step {
    /// Checks that a message can be decoded.
    const CHECK: Check;
    /// Calls the function with the message.
    fn on_check_in<'a>(
        args: Args<'a, Self>,
        message: &'a Json,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// A step that a `#[flow(reversible)]` may contain: it has an undo, or there is nothing to undo.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be undone, and this flow is `reversible`",
    label = "no `#[undo]` for this step",
    note = "write an `#[undo({Self})]` function, or mark the step `#[step(readonly)]` if there is nothing to take back"
)]
pub trait Reversible {}

#[diagnostic::do_not_recommend]
impl<S: Undo> Reversible for S {}

/// A flow that a `#[flow(reversible)]` may contain: one that is marked so itself.
#[diagnostic::on_unimplemented(
    message = "the flow `{Self}` is not `reversible`, and this flow is",
    label = "steps of this flow may have no `#[undo]`",
    note = "write `#[flow(reversible)]` on `{Self}`, too: then each of its steps is checked"
)]
pub trait ReversibleFlow {}

/// A handler of `S` that was found. It is used as a trait object and not as a function pointer,
/// because the compiler does not see through `Args<'a>` in a function pointer's type.
#[derive(Debug)]
pub struct Found<S>(PhantomData<fn() -> S>);

/// An undo that was found.
pub trait UndoFound<S: Step>: Sync {
    /// Calls the undo.
    fn undo<'a>(
        &self,
        args: Args<'a, S>,
        output: &'a Output<S>,
        before: Option<&'a Json>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<S: Undo> UndoFound<S> for Found<S> {
    fn undo<'a>(
        &self,
        args: Args<'a, S>,
        output: &'a Output<S>,
        before: Option<&'a Json>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        S::undo(args, output, before, cx)
    }
}

/// A verify that was found.
pub trait VerifyFound<S: Step>: Sync {
    /// Calls the verify.
    fn verify<'a>(
        &self,
        args: Args<'a, S>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Option<Output<S>>, StepError>>;
}

impl<S: Verify> VerifyFound<S> for Found<S> {
    fn verify<'a>(
        &self,
        args: Args<'a, S>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Option<Output<S>>, StepError>> {
        S::verify(args, cx)
    }
}

/// An observe that was found.
pub trait ObserveFound<S: Step>: Sync {
    /// Calls the observe.
    fn observe<'a>(&self, args: Args<'a, S>, cx: &'a Cx) -> BoxFuture<'a, Result<Json, StepError>>;
}

impl<S: Observe> ObserveFound<S> for Found<S> {
    fn observe<'a>(&self, args: Args<'a, S>, cx: &'a Cx) -> BoxFuture<'a, Result<Json, StepError>> {
        S::observe(args, cx)
    }
}

/// A stop that was found.
pub trait StopFound<S: Step>: Sync {
    /// Calls the stop.
    fn stop<'a>(&self, args: Args<'a, S>) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<S: Stop> StopFound<S> for Found<S> {
    fn stop<'a>(&self, args: Args<'a, S>) -> BoxFuture<'a, Result<(), StepError>> {
        S::stop(args)
    }
}

/// A handler of check-ins that was found.
pub trait CheckInFound<S: Step>: Sync {
    /// Calls it.
    fn check_in<'a>(
        &self,
        args: Args<'a, S>,
        message: &'a Json,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<S: OnCheckIn> CheckInFound<S> for Found<S> {
    fn check_in<'a>(
        &self,
        args: Args<'a, S>,
        message: &'a Json,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        S::on_check_in(args, message)
    }
}

type FoundStop<S> = Option<(Policy, &'static dyn StopFound<S>)>;

type FoundCheckIn<S> = Option<(Check, &'static dyn CheckInFound<S>)>;

type FoundUndo<S> = Option<(Policy, Option<Check>, &'static dyn UndoFound<S>)>;

type FoundVerify<S> = Option<&'static dyn VerifyFound<S>>;

type FoundObserve<S> = Option<&'static dyn ObserveFound<S>>;

/// The handlers that were found for a step.
#[allow(missing_debug_implementations)]
pub struct Handlers<S: Step> {
    /// Its undo.
    pub undo: FoundUndo<S>,
    /// Its verify.
    pub verify: FoundVerify<S>,
    /// Its observe.
    pub observe: FoundObserve<S>,
    /// Its stop.
    pub stop: FoundStop<S>,
    /// Its handler of check-ins.
    pub check_in: FoundCheckIn<S>,
}

/// Finds the handlers of `S`.
#[derive(Debug)]
pub struct Probe<S>(PhantomData<S>);

impl<S: Step> Probe<S> {
    /// Checks that a saved output can be decoded.
    pub fn check(saved: &str) -> Result<(), serde_json::Error> {
        crate::base::error::caught(|| (codec_of::<S>().decode)(saved).map(drop))
    }
}

impl<S: Undo> Probe<S> {
    /// The undo.
    pub const UNDO: FoundUndo<S> = Some((<S as Undo>::POLICY, S::BEFORE, &Found(PhantomData)));
}

impl<S: Verify> Probe<S> {
    /// The verify.
    pub const VERIFY: FoundVerify<S> = Some(&Found(PhantomData));
}

impl<S: Observe> Probe<S> {
    /// The observe.
    pub const OBSERVE: FoundObserve<S> = Some(&Found(PhantomData));
}

impl<S: Stop> Probe<S> {
    /// The stop.
    pub const STOP: FoundStop<S> = Some((<S as Stop>::POLICY, &Found(PhantomData)));
}

impl<S: OnCheckIn> Probe<S> {
    /// The handler of check-ins.
    pub const CHECK_IN: FoundCheckIn<S> = Some((S::CHECK, &Found(PhantomData)));
}

/// The constants of [`Probe`] for a step without a handler.
pub trait NoHandler<S: Step> {
    /// No undo.
    const UNDO: FoundUndo<S> = None;
    /// No verify.
    const VERIFY: FoundVerify<S> = None;
    /// No observe.
    const OBSERVE: FoundObserve<S> = None;
    /// No stop.
    const STOP: FoundStop<S> = None;
    /// No handler of check-ins.
    const CHECK_IN: FoundCheckIn<S> = None;
}

impl<S: Step> NoHandler<S> for Probe<S> {}

impl StepMeta {
    /// Returns the table entry of `S`. The macro passes the handlers, which only the macro can
    /// find.
    ///
    /// # Panics
    ///
    /// Panics at compile time if a step that is a transaction has a verify of its own.
    pub const fn of<S: Step>(found: &Handlers<S>) -> Self {
        let about = about::<S>();
        assert!(
            !(about.is_transaction && found.verify.is_some()),
            "a `#[step(transaction)]` has no `#[verify]`: the engine itself finds out whether its \
             transaction was committed. Take the verify away"
        );
        Self {
            policy: about.policy,
            undo_policy: match found.undo {
                Some((policy, ..)) => policy,
                None => Policy::NONE,
            },
            undo: found.undo.is_some(),
            verify: found.verify.is_some() || about.is_transaction,
            observe: found.observe.is_some(),
            stop: match found.stop {
                Some((policy, _)) => Some(policy),
                None => None,
            },
            check_in: match found.check_in {
                Some((check, _)) => Some(check),
                None => None,
            },
            kind: about.kind,
            signal: about.signal,
            output: about.output,
            check: Probe::<S>::check,
            schema: None,
            before: match found.undo {
                Some((_, before, _)) => before,
                None => None,
            },
        }
    }
}
