//! `let` lines: a value that is evaluated once, recorded as a step's output is, and read back.
//!
//! Such a line is a step of the saved tree, but has no effect. So its beginning is not committed:
//! its value is, together with the beginning of the next step.

use super::{
    codec::{Codec, Saved, codec},
    glue::FromNoMatch,
    returns::Fails,
    scope::{Answer, Op, OpResult},
    slot::Slot,
};
use crate::{
    base::error::StepError,
    model::{
        policy::Policy,
        state::StepKind,
        table::{Check, StepMeta},
    },
};

/// A type that a `let` line may give.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the value of a `let` line, which is saved and read back",
    label = "this can't be saved as JSON and read back",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; text is a `String`, and what can't be saved, such as a client or a guard, belongs in a step"
)]
pub trait LetValue: Saved {}

#[diagnostic::do_not_recommend]
impl<T: Saved> LetValue for T {}

/// Returns the codec of a `let` line's value. Only here is the compiler asked whether it can be
/// saved.
pub const fn let_codec<T: LetValue>() -> Codec<T> {
    codec::<T>()
}

/// What the expression of a `let` line without a type evaluates to, if the macro has taken its type
/// from its form.
#[diagnostic::on_unimplemented(
    message = "this gives a `{Self}`, and looks like a `{T}`",
    label = "write the type: `let …: {Self} = …;`"
)]
pub trait LooksLike<T> {
    /// Returns the value.
    fn same(self) -> T;
}

impl<T> LooksLike<T> for T {
    fn same(self) -> T {
        self
    }
}

/// Returns the value of a `let` line without a type.
pub fn looks_like<T, V: LooksLike<T>>(value: V) -> T {
    value.same()
}

/// An error that the expression of a `let` line gives with `?`.
#[derive(Debug)]
pub struct LetError(StepError);

impl<E: Fails> From<E> for LetError {
    fn from(error: E) -> Self {
        Self(StepError::user(error))
    }
}

impl FromNoMatch for LetError {
    fn from_no_match(error: StepError) -> Self {
        Self(error)
    }
}

/// Carries out one operation of a `let` line: evaluates it, and keeps its value as it is read back
/// from its saved form. There is nothing to verify and nothing to undo.
pub fn let_line<T, L: Slot<T>>(
    op: Op<'_>,
    slot: &L,
    codec: Codec<T>,
    expression: impl FnOnce() -> Result<T, LetError>,
) -> OpResult {
    match op {
        Op::Run(most) => {
            let value = expression().map_err(|LetError(error)| error)?;
            let (value, saved) = codec.keep(value).map_err(|(error, _)| {
                StepError::fatal(format!("its value can't be saved as JSON: {error}"))
            })?;
            let bytes = saved.as_ref().map_or(0, |saved| saved.get().len());
            if bytes > most {
                return Err(StepError::too_large("value", bytes, most));
            }
            slot.put(value);
            Ok(Answer::Done(saved))
        }
        Op::Verify(_) | Op::Observe | Op::Held | Op::Stop | Op::CheckIn(_) => Ok(Answer::NotYet),
        Op::Undo(_) => Ok(Answer::Undone),
    }
}

impl StepMeta {
    /// Returns the table entry of a `let` line, whose value is of the type with this text.
    pub const fn of_let(output: &'static str, check: Check) -> Self {
        Self {
            policy: Policy::NONE,
            undo_policy: Policy::NONE,
            undo: false,
            verify: false,
            observe: false,
            stop: None,
            check_in: None,
            kind: Some(StepKind::Let),
            signal: None,
            output,
            check,
            schema: None,
            before: None,
        }
    }
}
