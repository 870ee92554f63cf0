//! Carrying out one operation of a step's line: calling the function or the handler, keeping its
//! value, and returning the saved form to the interpreter.

use super::{
    cx::Cx,
    handlers::Handlers,
    scope::{Answer, Op, OpResult, Unkept},
    slot::Slot,
    step::{Attempt, Call, Runs},
};
use crate::base::error::StepError;

/// Carries out one operation of a step's line.
pub async fn drive<'a, S: Runs, L: Slot<S::Output>>(
    op: Op<'a>,
    cx: &'a Cx,
    call: Call<'a, S>,
    slot: &'a L,
    handlers: &'static Handlers<S>,
    when: Option<fn(&S::Error) -> bool>,
) -> OpResult {
    let (value, most) = match op {
        Op::Run(most) => match S::run(call.0, cx, when).await? {
            Attempt::Done(value) => (value, most),
            Attempt::NotYet => return Ok(Answer::NotYet),
            Attempt::Wait(until) => return Ok(Answer::Wait(until)),
        },
        Op::Verify(most) => match handlers.verify {
            Some(verify) => match verify.verify(call.0, cx).await? {
                Some(value) => (value, most),
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
        Op::Held => {
            return Ok(match slot.value() {
                Some(_) => Answer::Done(None),
                None => Answer::NotYet,
            });
        }
        Op::Undo(with) => {
            let Some((.., undo)) = handlers.undo else {
                return Ok(Answer::Undone);
            };
            let output = match with.unkept {
                Some(unkept) => unkept.output.downcast_ref(),
                None => slot.value(),
            };
            let output = output.ok_or_else(|| {
                StepError::fatal(
                    "its output, which its undo needs, was not recorded: take back by hand what it \
                     did, and mark it as undone",
                )
            })?;
            cx.undoes();
            let undone = undo.undo(call.0, output, with.before).await;
            return undone.map(|()| Answer::Undone);
        }
    };
    // What later lines are given is what a resume would give them.
    let (why, value) = match S::CODEC.keep(value) {
        Ok((value, saved)) => match saved.as_ref().map_or(0, |saved| saved.get().len()) {
            bytes if bytes > most => (StepError::too_large("output", bytes, most), value),
            _ => {
                slot.put(value);
                return Ok(Answer::Done(saved));
            }
        },
        Err((error, value)) => {
            let why = format!("its output can't be saved as JSON: {error}");
            (StepError::fatal(why), value)
        }
    };
    let output = Box::new(value);
    Ok(Answer::Unkept(Unkept { why, output }))
}
