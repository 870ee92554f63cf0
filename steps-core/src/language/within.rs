//! The built-in step that waits for a signal, but not for ever.

use std::{marker::PhantomData, time::Duration};

use super::{
    builtin::{WAIT, signal},
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
        table::SignalMeta,
        typed::{Loops, SignalRef},
    },
};

impl<'a, T: Saved> Call<'a, signal<T>> {
    /// Waits no longer than this: the value of the line is an `Option<T>`, which is `None` when the time
    /// is over.
    ///
    /// The time at which it is over is recorded when the line begins, as the node's
    /// [`deadline`](crate::state::NodeData::deadline). A signal that was sent before it is taken, even if
    /// no process was there to take it. One that is sent later is refused with
    /// [`SignalError::TakesNone`](crate::SignalError::TakesNone).
    ///
    /// ```
    /// use steps::{Signals, prelude::*};
    ///
    /// #[flow]
    /// async fn ask() -> Result<String, String> {
    ///     steps! { answer = steps::signal::<String>().within("10ms"); }
    ///     Ok(answer.unwrap_or("no answer".to_owned()))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// assert_eq!(ask().await?, "no answer");
    /// let signals = Signals::new();
    /// signals.send(ask::STEPS.answer, &"yes".to_owned())?;
    /// assert_eq!(ask().signals(&signals).await?, "yes");
    /// # Ok(())
    /// # }
    /// ```
    pub fn within(self, limit: impl AsDuration) -> Call<'a, signal_within<T>> {
        Call(limit.as_duration())
    }
}

/// The step [`signal()`](crate::signal()) with a time limit, for flows and handlers.
#[allow(non_camel_case_types)]
#[derive(Debug)]
pub struct signal_within<T> {
    value: PhantomData<fn() -> T>,
}

impl<T: Saved> Step for signal_within<T> {
    type Function = Self;
}

impl<T: Saved> Function for signal_within<T> {
    type Args<'a> = Result<Duration, DurationError>;
    type Output = Option<T>;
    type Error = std::convert::Infallible;
    type Ref<L: Loops> = SignalRef<T, L>;
    type AsFlow = NotAFlow<Option<T>>;
    /// The macro writes the type into the table: see [`StepMeta::of_type`](crate::model::table::StepMeta::of_type).
    const ABOUT: About = About::plain("signal").policy(WAIT).signal(SignalMeta {
        check: |value| reads(value, codec::<T>()),
        gives_up: true,
    });
    const CODEC: Codec<Option<T>> = codec::<Option<T>>();

    fn run<'a>(
        limit: Self::Args<'a>,
        cx: &'a Cx,
        _: Option<fn(&Self::Error) -> bool>,
        keep: Keep<'a, Option<T>>,
    ) -> BoxFuture<'a, OpResult> {
        attempt(keep, async move {
            let limit = limit.map_err(StepError::fatal)?;
            Ok(match (cx.signal(), cx.wait_within(limit)) {
                (Some(given), _) => Attempt::Done(Some(given?)),
                (None, Some(until)) => Attempt::Wait(until),
                (None, None) => Attempt::Done(None),
            })
        })
    }
}

impl<T: Saved> Reversible for signal_within<T> {}
