//! Carrying out one operation of a step's line: calling the function or the handler, keeping its
//! value, and returning the saved form to the interpreter.

use super::{
    cx::Cx,
    handlers::Handlers,
    keep::Keep,
    returns::{Fails, PollReturn, StepReturn},
    scope::{Answer, Op, OpResult},
    slot::Slot,
    step::{Attempt, Call, Error, Function, Output, Step, about, codec_of},
    transaction,
};
use crate::base::{error::StepError, future::BoxFuture};

/// Keeps the value of an attempt, if it has one.
fn ended<T: Send + Sync + 'static>(keep: &Keep<'_, T>, attempt: Attempt<T>) -> Answer {
    match attempt {
        Attempt::Done(value) => keep.keep(value),
        Attempt::NotYet => Answer::NotYet,
        Attempt::Wait(until) => Answer::Wait(until),
    }
}

/// Makes an attempt, and keeps its value.
pub(crate) fn attempt<'a, T: Send + Sync + 'static>(
    keep: Keep<'a, T>,
    attempt: impl Future<Output = Result<Attempt<T>, StepError>> + Send + 'a,
) -> BoxFuture<'a, OpResult> {
    Box::pin(async move { attempt.await.map(|attempt| ended(&keep, attempt)) })
}

/// Runs a step, and keeps its output.
pub fn runs<'a, R: StepReturn + 'a>(
    call: impl Future<Output = R> + Send + 'a,
    when: Option<fn(&R::Error) -> bool>,
    keep: Keep<'a, R::Output>,
) -> BoxFuture<'a, OpResult>
where
    R::Error: Fails,
    R::Output: Send + Sync + 'static,
{
    Box::pin(async move { Ok(ended(&keep, call.await.attempt(when)?)) })
}

/// Asks a step that polls, and keeps its output once there is one.
pub fn polls<'a, R: PollReturn + 'a>(
    call: impl Future<Output = R> + Send + 'a,
    when: Option<fn(&R::Error) -> bool>,
    keep: Keep<'a, R::Output>,
) -> BoxFuture<'a, OpResult>
where
    R::Error: Fails,
    R::Output: Send + Sync + 'static,
{
    Box::pin(async move { Ok(ended(&keep, call.await.attempt(when)?)) })
}

/// Carries out one operation of a step's line.
pub fn drive<'a, S: Step>(
    op: Op<'a>,
    cx: &'a Cx,
    call: Call<'a, S>,
    slot: &'a (dyn Slot<Output<S>> + Sync),
    handlers: &'static Handlers<S>,
    when: Option<fn(&Error<S>) -> bool>,
) -> BoxFuture<'a, OpResult> {
    let keep = |most| Keep {
        codec: codec_of::<S>(),
        slot,
        most,
        cx,
    };
    match op {
        Op::Run(most) => S::Function::run(call.0, cx, when, keep(most)),
        Op::Verify(most) => match handlers.verify {
            Some(verify) => {
                let keep = keep(most);
                Box::pin(async move {
                    let found = verify.verify(call.0, cx).await?;
                    Ok(found.map_or(Answer::NotYet, |value| keep.keep(value)))
                })
            }
            None if about::<S>().is_transaction => transaction::verifies(cx, keep(most)),
            None => answer(Answer::NotYet),
        },
        Op::Observe => match handlers.observe {
            Some(observe) => {
                Box::pin(async move { observe.observe(call.0, cx).await.map(Answer::Seen) })
            }
            None => answer(Answer::NotYet),
        },
        Op::Held => answer(match slot.value() {
            Some(_) => Answer::Done(None),
            None => Answer::NotYet,
        }),
        Op::Stop => match handlers.stop {
            Some((_, stop)) => {
                Box::pin(async move { stop.stop(call.0).await.map(|()| Answer::Undone) })
            }
            None => answer(Answer::NotYet),
        },
        Op::CheckIn(message) => match handlers.check_in {
            Some((_, told)) => Box::pin(async move {
                told.check_in(call.0, message)
                    .await
                    .map(|()| Answer::Undone)
            }),
            None => answer(Answer::NotYet),
        },
        Op::Undo(with) => {
            let Some((.., undo)) = handlers.undo else {
                return answer(Answer::Undone);
            };
            Box::pin(async move {
                let output = match with.unkept {
                    Some(unkept) => unkept.output.downcast_ref(),
                    None => slot.value(),
                };
                let output = output.ok_or_else(|| {
                    StepError::fatal(
                        "its output, which its undo needs, was not recorded: take back by hand what \
                         it did, and mark it as undone",
                    )
                })?;
                cx.undoes();
                let undone = undo.undo(call.0, output, with.before, cx).await;
                undone.map(|()| Answer::Undone)
            })
        }
    }
}

fn answer<'a>(answer: Answer) -> BoxFuture<'a, OpResult> {
    Box::pin(std::future::ready(Ok(answer)))
}
