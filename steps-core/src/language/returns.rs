//! Conversion of the return values of annotated functions for the interpreter.

use serde::de::DeserializeOwned;

use super::{
    codec::Saved,
    step::{Attempt, Output, Step},
};
use crate::base::{
    error::{BoxError, StepError},
    json::Json,
    read_back::record,
};

/// An error type that a step may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a step's error",
    label = "this is no error that can be recorded",
    note = "use a type that implements `std::error::Error + Send + Sync`, or a `String`"
)]
pub trait Fails: Into<BoxError> + 'static {}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError> + 'static> Fails for E {}

/// The return type of a step.
#[diagnostic::on_unimplemented(
    message = "a step returns a `Result`, not `{Self}`",
    label = "not a `Result`",
    note = "write `Result<Output, Error>`; a step that can't fail returns `Result<Output, std::convert::Infallible>`"
)]
pub trait StepReturn: Sized {
    /// The type of the step's output.
    type Output;
    /// The step's error type. A separate check requires [`Fails`], so that a type that can't be an
    /// error is reported once.
    type Error;
    /// Converts the value to a `Result`.
    fn into_result(self) -> Result<Self::Output, Self::Error>;
    /// Returns the value, or an error that is retried as the step's `when` says.
    fn value(self, when: Option<fn(&Self::Error) -> bool>) -> Result<Self::Output, StepError>
    where
        Self::Error: Fails,
    {
        self.into_result().map_err(|error| failed(error, when))
    }
    /// Converts the value to the result of an attempt.
    fn attempt(
        self,
        when: Option<fn(&Self::Error) -> bool>,
    ) -> Result<Attempt<Self::Output>, StepError>
    where
        Self::Error: Fails,
    {
        self.value(when).map(Attempt::Done)
    }
}

impl<T, E> StepReturn for Result<T, E> {
    type Output = T;
    type Error = E;
    fn into_result(self) -> Self {
        self
    }
}

/// The return type of a step that polls.
#[diagnostic::on_unimplemented(
    message = "a step that polls returns a `Result` of an `Option`, not `{Self}`",
    label = "not a `Result<Option<_>, _>`",
    note = "`None` means \"not yet\": write `Result<Option<Output>, Error>`, or take `poll(…)` away"
)]
pub trait PollReturn: Sized {
    /// The type of the step's final output.
    type Output;
    /// The step's error type.
    type Error;
    /// Converts the value to the result of an attempt.
    fn attempt(
        self,
        when: Option<fn(&Self::Error) -> bool>,
    ) -> Result<Attempt<Self::Output>, StepError>
    where
        Self::Error: Fails;
}

impl<T, E> PollReturn for Result<Option<T>, E> {
    type Output = T;
    type Error = E;
    fn attempt(self, when: Option<fn(&E) -> bool>) -> Result<Attempt<T>, StepError>
    where
        E: Fails,
    {
        match self {
            Ok(Some(value)) => Ok(Attempt::Done(value)),
            Ok(None) => Ok(Attempt::NotYet),
            Err(error) => Err(failed(error, when)),
        }
    }
}

/// Returns a user's error, which is retried as the step's `when` says.
pub(super) fn failed<E: Fails>(error: E, when: Option<fn(&E) -> bool>) -> StepError {
    let retry = when.is_none_or(|when| when(&error));
    StepError::user(error).retry_if(retry)
}

/// Returns the result of the code after a flow's steps.
pub fn ended<R: StepReturn>(result: R) -> Result<R::Output, StepError>
where
    R::Error: Fails,
{
    result.into_result().map_err(StepError::user)
}

/// The return type of an `#[undo]`, and of the handlers of a flow.
#[diagnostic::on_unimplemented(
    message = "this handler returns nothing or a `Result<(), Error>`, not `{Self}`",
    label = "not `()`, and not `Result<(), _>`"
)]
pub trait HandlerReturn: Sized {
    /// The handler's error type.
    type Error;
    /// Converts the value to a `Result`.
    fn ended(self, when: Option<fn(&Self::Error) -> bool>) -> Result<(), StepError>;
}

impl HandlerReturn for () {
    type Error = std::convert::Infallible;
    fn ended(self, _: Option<fn(&Self::Error) -> bool>) -> Result<(), StepError> {
        Ok(())
    }
}

impl<E: Fails> HandlerReturn for Result<(), E> {
    type Error = E;
    fn ended(self, when: Option<fn(&E) -> bool>) -> Result<(), StepError> {
        self.map_err(|error| failed(error, when))
    }
}

/// The return type of a `#[verify]` for a step whose output is a `T`.
#[diagnostic::on_unimplemented(
    message = "a verify of this step returns `Option<{T}>` or a `Result` of that, not `{Self}`",
    label = "not an `Option<{T}>`",
    note = "`Some` says that the step's effect happened, and makes the step done with this output; `None` says that it did not"
)]
pub trait VerifyReturn<T>: Sized {
    /// Converts the value to a `Result`.
    fn found(self) -> Result<Option<T>, StepError>;
}

impl<T> VerifyReturn<T> for Option<T> {
    fn found(self) -> Result<Self, StepError> {
        Ok(self)
    }
}

impl<T, E: Fails> VerifyReturn<T> for Result<Option<T>, E> {
    fn found(self) -> Result<Option<T>, StepError> {
        self.map_err(StepError::user)
    }
}

/// Returns the result of a verify.
pub fn found<S: Step, R: VerifyReturn<Output<S>>>(
    returned: R,
) -> Result<Option<Output<S>>, StepError> {
    returned.found()
}

/// Returns an observed value as JSON.
pub fn seen<T: Saved>(value: T) -> Result<Json, StepError> {
    record(&value)
        .map_err(|e| StepError::fatal(format!("what was observed can't be saved as JSON: {e}")))
}

/// Returns an observed value as JSON, or the error of the observe.
pub fn seen_result<T: Saved, E: Fails>(result: Result<T, E>) -> Result<Json, StepError> {
    seen(result.map_err(StepError::user)?)
}

/// Checks that a value observed before a step can be decoded.
pub fn check_before<T: DeserializeOwned>(saved: &str) -> Result<(), serde_json::Error> {
    crate::base::error::caught(|| crate::base::json::read::<T>(saved).map(drop))
}

/// Returns the value observed before the step, for its undo.
pub fn before<T: DeserializeOwned>(saved: Option<&Json>) -> Result<T, StepError> {
    let Some(saved) = saved else {
        return Err(StepError::fatal("nothing was observed before the step"));
    };
    saved.decode().map_err(|e| {
        StepError::fatal(format!(
            "what was observed before the step can't be read: {e}"
        ))
    })
}
