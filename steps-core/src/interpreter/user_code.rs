//! Calls users' code. A panic is an error like any other; a timeout ends the attempt.

use std::{
    future::{poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use super::{
    Kept, Pass,
    enter::At,
    measured::{FAILED, outcome},
};
use crate::{
    base::{error::StepError, future::BoxFuture, runtime},
    language::{
        cx::Cx,
        log::span::{Doing, is_wanted, of_attempt},
        scope::{Op, OpResult},
        threads::Threads,
    },
};
use futures_util::future::{Either, select};

impl Pass<'_> {
    /// Passes on how users' code ended, unless its runtime is ending: an error says nothing about
    /// the code then, and the run stops where it is.
    #[inline]
    pub(super) fn believed<T>(self, ended: Result<T, StepError>) -> Result<T, StepError> {
        if ended.is_err() {
            self.stop_with_runtime();
        }
        ended
    }

    #[cold]
    fn stop_with_runtime(self) {
        if runtime::is_ending() {
            let committer = &self.run.committer;
            committer.stop("the tokio runtime that it ran on has ended");
        }
    }

    /// Runs the code after a flow's steps. If the code has to wait for something, the end of the
    /// last step is committed first; otherwise it is committed with the result. The value of a `let`
    /// line is committed before, because that code may have an effect.
    pub(super) async fn finished<T>(
        self,
        finish: BoxFuture<'_, Result<T, StepError>>,
    ) -> Kept<Result<T, StepError>> {
        if self.run.committer.owes() {
            self.run.commit().await?;
        }
        let mut finish = caught(finish);
        let at_once = poll_fn(|cx| Poll::Ready(Pin::new(&mut finish).poll(cx))).await;
        if let Poll::Ready(finished) = at_once {
            return Ok(self.believed(finished));
        }
        self.run.commit().await?;
        Ok(self.believed(finish.await))
    }

    /// Awaits a handler of a flow.
    pub(super) async fn handled(
        self,
        handler: BoxFuture<'_, Result<(), StepError>>,
    ) -> Result<(), StepError> {
        self.believed(caught(handler).await)
    }

    /// Calls one operation of a step's line, but not for longer than the timeout.
    pub(super) async fn op(
        self,
        at: At<'_>,
        op: Op<'_>,
        cx: &Cx,
        timeout: Option<Duration>,
    ) -> OpResult {
        let answer = match timeout {
            None => caught(begun(|| at.scope.call(at.item, at.line, op, cx))).await,
            // Boxed, because few calls have a timeout, and all would be as large.
            Some(limit) => Box::pin(self.limited(at, op, cx, limit)).await,
        };
        self.believed(answer)
    }

    /// Calls one operation. A call that times out is dropped. Where it was waiting for a thread, what
    /// follows waits until the thread has ended.
    async fn limited(self, at: At<'_>, op: Op<'_>, cx: &Cx, limit: Duration) -> OpResult {
        let (cx, threads) = (cx.with_timeout(), Threads::within_current());
        let in_time = {
            let call = caught(begun(|| at.scope.call(at.item, at.line, op, &cx)));
            let clock = &self.run.options.clock;
            let late = pin!(clock.sleep_until(clock.moment().after(limit)));
            match select(pin!(threads.of(call)), late).await {
                Either::Left((ended, _)) => Some(ended),
                Either::Right(_) => None,
            }
        };
        if let Some(ended) = in_time {
            return ended;
        }
        cx.time_out();
        if threads.are_at_work() {
            let (execution, path) = (cx.execution(), cx.path());
            tracing::warn!(
                execution,
                path,
                ?limit,
                "timed out, and its thread is waited for"
            );
            threads.end().await;
        }
        Err(StepError::user(TimedOut(limit)))
    }
}

/// The error of an attempt that took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("timed out after {0:?}")]
pub(super) struct TimedOut(Duration);

/// Whether a subscriber wants the spans of steps.
#[inline]
pub(super) fn is_traced() -> bool {
    tracing::span_enabled!(tracing::Level::DEBUG)
}

/// Runs an attempt of a step, or to undo one, in a span, if a subscriber wants it.
pub(super) async fn traced(
    doing: Doing,
    attempt: impl Future<Output = OpResult> + Send,
    cx: &Cx,
) -> OpResult {
    if !is_wanted() {
        return attempt.await;
    }
    let span = of_attempt(cx, doing);
    let answer = Instrumented(span.clone(), std::pin::pin!(attempt)).await;
    let outcome = outcome(&answer);
    if outcome == FAILED {
        span.record("otel.status_code", "ERROR");
    }
    span.record("outcome", outcome);
    answer
}

/// A future in a span.
pub(crate) struct Instrumented<F>(pub(crate) tracing::Span, pub(crate) F);

impl<F: Future + Unpin> Future for Instrumented<F> {
    type Output = F::Output;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self(span, future) = &mut *self;
        let _entered = span.enter();
        Pin::new(future).poll(cx)
    }
}

/// Returns a user's future. The arguments of a call may be evaluated before there is one.
#[inline]
pub(super) fn begun<'a>(call: impl FnOnce() -> BoxFuture<'a, OpResult>) -> BoxFuture<'a, OpResult> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|payload| Box::pin(ready(Err(StepError::panic(payload.as_ref())))))
}

/// Awaits a user's future; a panic becomes an error.
#[inline]
pub(super) fn caught<T>(
    mut future: BoxFuture<'_, Result<T, StepError>>,
) -> impl Future<Output = Result<T, StepError>> + Send + Unpin + use<'_, T> {
    poll_fn(move |cx| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)))
            .unwrap_or_else(|payload| Poll::Ready(Err(StepError::panic(payload.as_ref()))))
    })
}

/// Calls a user's function that is not async; a panic becomes an error.
pub(super) fn call<T>(call: impl FnOnce() -> Result<T, StepError>) -> Result<T, StepError> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|payload| Err(StepError::panic(payload.as_ref())))
}
