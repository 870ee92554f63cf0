//! The built-in steps: sleeping, and waiting for a signal.

use std::{marker::PhantomData, time::Duration};

use super::{
    codec::{Codec, Saved, codec},
    cx::Cx,
    handlers::Reversible,
    input::reads,
    keep::Keep,
    misuse::NotAFlow,
    run_op::attempt,
    scope::OpResult,
    step::{About, Attempt, Call, Function, Step},
};
use crate::{
    base::{
        duration::{AsDuration, DurationError},
        error::StepError,
        future::BoxFuture,
    },
    model::{
        policy::Policy,
        state::{StepKind, Until},
        table::SignalMeta,
        typed::{Loops, SignalRef, StepRef},
    },
};

/// The policy of a wait: a process does not die of it, so its deaths have no bound.
pub(crate) const WAIT: Policy = Policy {
    deaths: Some(u32::MAX),
    ..Policy::NONE
};

/// A step that waits for a given duration: a [`Duration`], or text such as `"30d"`. A text that is
/// written in the line is checked by the compiler. Another one that is no duration fails the step.
///
/// The time at which it ends is recorded when it begins, so a resume waits only for the rest, and
/// [`Run::advance`](crate::Run::advance) returns the state instead of waiting.
///
/// ```
/// use std::time::Duration;
/// use steps::prelude::*;
///
/// #[flow]
/// async fn wait() -> Result<(), String> {
///     steps! { pause = steps::sleep("1m"); }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::Failure> {
/// let pass = wait().advance().await?;
/// assert!(pass.requeue_after().unwrap() > Duration::from_secs(55));
/// # Ok(())
/// # }
/// ```
#[must_use = "this is a line of a flow, `name = steps::sleep(…);`; elsewhere it does nothing"]
pub fn sleep(duration: impl AsDuration) -> Call<'static, sleep> {
    Call(duration.as_duration())
}

/// The step [`sleep()`], for flows and handlers.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct sleep {}

impl sleep {
    #[doc(hidden)]
    pub fn call<'a>(duration: impl AsDuration) -> Call<'a, Self> {
        Call(duration.as_duration())
    }
}

impl Step for sleep {
    type Function = Self;
}

impl Function for sleep {
    type Args<'a> = Result<Duration, DurationError>;
    type Output = ();
    type Error = std::convert::Infallible;
    type Ref<L: Loops> = StepRef<()>;
    type AsFlow = NotAFlow<()>;
    const ABOUT: About = About::plain("()").policy(WAIT).kind(StepKind::Sleep);
    const CODEC: Codec<()> = codec::<()>();

    fn run<'a>(
        duration: Result<Duration, DurationError>,
        cx: &'a Cx,
        _: Option<fn(&Self::Error) -> bool>,
        keep: Keep<'a, ()>,
    ) -> BoxFuture<'a, OpResult> {
        attempt(keep, async move {
            Ok(match cx.wait(duration.map_err(StepError::fatal)?) {
                Some(until) => Attempt::Wait(until),
                None => Attempt::Done(()),
            })
        })
    }
}

impl Reversible for sleep {}

/// A step that waits until somebody sends it a `T` from outside. `steps::signal::<T>().within("2d")` waits
/// no longer than that: see [`Call::within`].
///
/// The value is sent through the step's reference, either to a run's [`Signals`](crate::Signals) or
/// to the saved state:
///
/// ```
/// use steps::prelude::*;
///
/// #[flow]
/// async fn ask() -> Result<bool, String> {
///     steps! { approval = steps::signal::<bool>(); }
///     Ok(approval)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut state = ask().advance().await?.state;
/// state.signal(ask::STEPS.approval, &true)?;
/// assert!(ask().resume(state).await?);
/// # Ok(())
/// # }
/// ```
#[must_use = "this is a line of a flow, `name = steps::signal::<T>();`; elsewhere it does nothing"]
pub fn signal<T: Saved>() -> Call<'static, signal<T>> {
    Call(())
}

/// The step [`signal()`], for flows and handlers.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct signal<T> {
    value: PhantomData<fn() -> T>,
}

impl<T: Saved> signal<T> {
    #[doc(hidden)]
    pub fn call<'a>() -> Call<'a, Self> {
        Call(())
    }
}

impl<T: Saved> Step for signal<T> {
    type Function = Self;
}

impl<T: Saved> Function for signal<T> {
    type Args<'a> = ();
    type Output = T;
    type Error = std::convert::Infallible;
    type Ref<L: Loops> = SignalRef<T, L>;
    type AsFlow = NotAFlow<T>;
    /// The macro writes the type into the table: see [`StepMeta::of_type`](crate::model::table::StepMeta::of_type).
    const ABOUT: About = About::plain("signal").policy(WAIT).signal(SignalMeta {
        check: |value| reads(value, codec::<T>()),
        gives_up: false,
    });
    const CODEC: Codec<T> = codec::<T>();

    fn run<'a>(
        (): (),
        cx: &'a Cx,
        _: Option<fn(&Self::Error) -> bool>,
        keep: Keep<'a, T>,
    ) -> BoxFuture<'a, OpResult> {
        attempt(keep, async move {
            match cx.signal() {
                Some(given) => Ok(Attempt::Done(given?)),
                None => Ok(Attempt::Wait(Until::Signal)),
            }
        })
    }
}

impl<T: Saved> Reversible for signal<T> {}
