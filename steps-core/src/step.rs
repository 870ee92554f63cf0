//! What `#[step]` and the handler attributes implement, and how a flow finds the handlers.
//!
//! A handler may exist or not, and a flow's macro can't see. [`Probe`] finds out by the rule that
//! an inherent associated constant, where its bounds hold, comes before a trait's of that name.

use std::{future::Future, marker::PhantomData};

use serde::{Serialize, de::DeserializeOwned};

use crate::{cx::Cx, error::StepError, json::Json, scope::BoxFuture, state::Until, table::Policy};

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
    /// What stands for it where a flow should be: see [`callee`](crate::callee).
    type AsFlow: crate::flow::Flow;
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

/// An `#[undo]`.
pub trait Undo: Step {
    /// How the undo is tried and timed.
    const POLICY: Policy;
    /// Takes back what the step did.
    fn undo<'a>(
        args: Self::Args<'a>,
        output: &'a Self::Output,
        before: Option<&'a Json>,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// A `#[verify]`.
pub trait Verify: Step {
    /// Finds out whether the step's effect happened.
    fn verify<'a>(
        args: Self::Args<'a>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Option<Self::Output>, StepError>>;
}

/// An `#[observe]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `#[observe]`, so there is nothing `before`",
    label = "`before` is what an `#[observe({Self})]` function saw"
)]
pub trait Observe: Step {
    /// What it sees.
    type Value;
    /// Looks.
    fn observe<'a>(args: Self::Args<'a>, cx: &'a Cx) -> BoxFuture<'a, Result<Json, StepError>>;
}

/// A step that a `#[flow(reversible)]` may have: it has an undo, or nothing to undo.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be undone, and this flow is `reversible`",
    label = "no `#[undo]` for this step",
    note = "write an `#[undo({Self})]` function, or mark the step `#[step(readonly)]` if there is nothing to take back"
)]
pub trait Reversible {}
#[diagnostic::do_not_recommend]
impl<S: Undo> Reversible for S {}

/// A handler of `S` that was found. It is a trait object and not a function pointer, as the
/// compiler does not see through `Args<'a>` in the type of one.
#[derive(Debug)]
pub struct Found<S>(PhantomData<fn() -> S>);

/// An undo that was found.
pub trait UndoFound<S: Step>: Sync {
    /// Calls it.
    fn undo<'a>(
        &self,
        args: S::Args<'a>,
        output: &'a S::Output,
        before: Option<&'a Json>,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

impl<S: Undo> UndoFound<S> for Found<S> {
    fn undo<'a>(
        &self,
        args: S::Args<'a>,
        output: &'a S::Output,
        before: Option<&'a Json>,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        S::undo(args, output, before)
    }
}

/// A verify that was found.
pub trait VerifyFound<S: Step>: Sync {
    /// Calls it.
    fn verify<'a>(
        &self,
        args: S::Args<'a>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Option<S::Output>, StepError>>;
}

impl<S: Verify> VerifyFound<S> for Found<S> {
    fn verify<'a>(
        &self,
        args: S::Args<'a>,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Option<S::Output>, StepError>> {
        S::verify(args, cx)
    }
}

/// An observe that was found.
pub trait ObserveFound<S: Step>: Sync {
    /// Calls it.
    fn observe<'a>(&self, args: S::Args<'a>, cx: &'a Cx) -> BoxFuture<'a, Result<Json, StepError>>;
}

impl<S: Observe> ObserveFound<S> for Found<S> {
    fn observe<'a>(&self, args: S::Args<'a>, cx: &'a Cx) -> BoxFuture<'a, Result<Json, StepError>> {
        S::observe(args, cx)
    }
}

type FoundUndo<S> = Option<(Policy, &'static dyn UndoFound<S>)>;
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
}

/// Finds the handlers of `S`.
#[derive(Debug)]
pub struct Probe<S>(PhantomData<S>);

impl<S: Step> Probe<S> {
    /// Whether a saved output parses.
    pub fn check(saved: &str) -> Result<(), serde_json::Error> {
        crate::error::caught(|| (S::CODEC.decode)(saved).map(drop))
    }
}

impl<S: Undo> Probe<S> {
    /// The undo.
    pub const UNDO: FoundUndo<S> = Some((<S as Undo>::POLICY, &Found(PhantomData)));
}
impl<S: Verify> Probe<S> {
    /// The verify.
    pub const VERIFY: FoundVerify<S> = Some(&Found(PhantomData));
}
impl<S: Observe> Probe<S> {
    /// The observe.
    pub const OBSERVE: FoundObserve<S> = Some(&Found(PhantomData));
}

/// What [`Probe`] has for a step without a handler.
pub trait NoHandler<S: Step> {
    /// No undo.
    const UNDO: FoundUndo<S> = None;
    /// No verify.
    const VERIFY: FoundVerify<S> = None;
    /// No observe.
    const OBSERVE: FoundObserve<S> = None;
}
impl<S: Step> NoHandler<S> for Probe<S> {}

/// How a value of `T` is saved and read back.
pub struct Codec<T> {
    /// To JSON; `None` for `null`.
    pub encode: fn(&T) -> Result<Option<Json>, serde_json::Error>,
    /// From JSON text.
    pub decode: fn(&str) -> Result<T, serde_json::Error>,
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Codec<T> {}
impl<T> std::fmt::Debug for Codec<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codec")
    }
}

/// A value that can be saved and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be saved: a step's output must be `Serialize` and `DeserializeOwned`",
    label = "this can't be saved as JSON and read back",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, or give out only what identifies it (an id, a path)"
)]
pub trait Saved: Serialize + DeserializeOwned + Send + Sync + 'static {}
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Saved for T {}

/// The codec of a value that can be saved.
pub const fn codec<T: Saved>() -> Codec<T> {
    Codec {
        encode: encode::<T>,
        decode: decode::<T>,
    }
}

/// The codec of a `volatile` output, which is never saved: a resume makes it anew.
pub const fn unsaved<T>() -> Codec<T> {
    Codec {
        encode: |_| Ok(None),
        decode: |_| Err(serde::de::Error::custom("a volatile output is not saved")),
    }
}

fn encode<T: Saved>(value: &T) -> Result<Option<Json>, serde_json::Error> {
    // The most common output says nothing: don't ask serde for it.
    if std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>() {
        return Ok(None);
    }
    let json = Json::encode(value)?;
    Ok(if json.is_null() { None } else { Some(json) })
}

fn decode<T: Saved>(saved: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(saved)
}
