//! Carrying out one operation of a step's line: calling the function or the handler, keeping its
//! value, and returning the saved form to the interpreter.

use super::{
    cx::Cx,
    handlers::Handlers,
    scope::{Answer, Op, OpResult},
    slot::Slot,
    step::{Attempt, Call, Step},
};
use crate::base::error::StepError;

/// Carries out one operation of a step's line.
pub async fn drive<'a, S: Step, L: Slot<S::Output>>(
    op: Op<'a>,
    cx: &'a Cx,
    call: Call<'a, S>,
    slot: &'a L,
    handlers: &'static Handlers<S>,
    when: Option<fn(&S::Error) -> bool>,
) -> OpResult {
    let value = match op {
        Op::Run => match S::run(call.0, cx, when).await? {
            Attempt::Done(value) => value,
            Attempt::NotYet => return Ok(Answer::NotYet),
            Attempt::Wait(until) => return Ok(Answer::Wait(until)),
        },
        Op::Verify => match handlers.verify {
            Some(verify) => match verify.verify(call.0, cx).await? {
                Some(value) => value,
                None => return Ok(Answer::NotYet),
            },
            None => return Ok(Answer::NotYet),
        },
        Op::Observe => {
            return match handlers.observe {
                Some(observe) => observe.observe(call.0, cx).await.map(Answer::Seen),
                None => Ok(Answer::NotYet),
            };
        }
        Op::Undo(before) => {
            return match (handlers.undo, slot.value()) {
                (Some((_, undo)), Some(value)) => undo
                    .undo(call.0, value, before)
                    .await
                    .map(|()| Answer::Undone),
                _ => Ok(Answer::Undone),
            };
        }
    };
    // What later lines are given is what a resume would give them.
    let (value, saved) = S::CODEC
        .keep(value)
        .map_err(|e| StepError::fatal(format!("its output can't be saved as JSON: {e}")))?;
    slot.put(value);
    Ok(Answer::Done(saved))
}

/// Runs a blocking function on a thread for such functions.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, and drops this future as well.
            Err(_) => std::future::pending().await,
        },
    }
}
