//! Steps that are there from the start: sleeping, and waiting for a signal.

use std::{marker::PhantomData, time::Duration};

use crate::{
    clock,
    cx::Cx,
    error::StepError,
    state::Until,
    step::{Attempt, Call, Codec, Reversible, Saved, Step, codec},
};

/// Waits for a while: `pause = steps::sleep(Duration::from_secs(60));`
///
/// The end is recorded when the step begins, so a resume waits only for what is left. While it
/// waits the execution holds no thread and no task.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct sleep;

impl sleep {
    #[doc(hidden)]
    pub fn call<'a>(duration: Duration) -> Call<'a, Self> {
        Call(duration)
    }
}

impl Step for sleep {
    type Args<'a> = Duration;
    type Output = ();
    type Error = std::convert::Infallible;
    const OUTPUT_TEXT: &'static str = "()";
    const CODEC: Codec<()> = codec::<()>();

    async fn run(
        duration: Duration,
        cx: &Cx,
        _: Option<fn(&Self::Error) -> bool>,
    ) -> Result<Attempt<()>, StepError> {
        let now = cx.now();
        Ok(match cx.until() {
            Some(Until::Time(end)) if end <= now => Attempt::Done(()),
            Some(until) => Attempt::Wait(until),
            None => Attempt::Wait(Until::Time(clock::add(now, duration))),
        })
    }
}

impl Reversible for sleep {}

/// Waits until somebody outside gives it a `T`: `approval = steps::signal::<Approval>();`
///
/// The signal is given to the saved state, or to a run's [`Signals`](crate::Signals), by the
/// step's reference: `attach_volume::STEPS.approval`.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct signal<T>(PhantomData<fn() -> T>);

impl<T: Saved> signal<T> {
    #[doc(hidden)]
    pub fn call<'a>() -> Call<'a, Self> {
        Call(())
    }
}

impl<T: Saved> Step for signal<T> {
    type Args<'a> = ();
    type Output = T;
    type Error = std::convert::Infallible;
    const OUTPUT_TEXT: &'static str = "signal";
    const CODEC: Codec<T> = codec::<T>();

    async fn run(
        (): (),
        cx: &Cx,
        _: Option<fn(&Self::Error) -> bool>,
    ) -> Result<Attempt<T>, StepError> {
        match cx.signal() {
            Some(given) => Ok(Attempt::Done(given?)),
            None => Ok(Attempt::Wait(Until::Signal)),
        }
    }
}

impl<T: Saved> Reversible for signal<T> {}
