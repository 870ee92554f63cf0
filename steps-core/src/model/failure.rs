//! How a flow failed: the failed steps, and the outcome of the rollback.
//!
//! One type serves all flows. A step's own error is found with
//! [`downcast_ref`](Failure::downcast_ref), because a resumed flow may have failed in another
//! process, and then only the error's text is left.

use std::{error::Error, fmt, sync::Arc, time::Duration};

pub use super::step_failure::StepFailure;
use super::{compat::Misfit, state::State, status::Status};
use crate::base::error::JournalError;

/// A flow that did not finish successfully.
///
/// `Display` shows the flow's name, each failed step with its error and the error's sources, and
/// the outcome of the rollback. `Debug` shows the same; the tree is in [`state`](Self::state).
///
/// ```
/// use steps::{Status, prelude::*};
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("the disk is full")]
/// struct Full;
///
/// #[step]
/// async fn copy() -> Result<(), Full> {
///     Err(Full)
/// }
///
/// #[flow]
/// async fn back_up() -> Result<(), Full> {
///     steps! { copied = copy(); }
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let failure = back_up().await.unwrap_err();
/// assert_eq!(
///     failure.to_string(),
///     "flow `back_up` failed at `copied`: the disk is full",
/// );
/// assert_eq!(failure.step(), Some("copied"));
/// assert!(failure.downcast_ref::<Full>().is_some());
/// assert_eq!(failure.status(), Status::Undone);
/// println!("{}", failure.state.tree());
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The flow's name.
    pub flow: &'static str,
    /// Why the flow did not finish.
    pub cause: Cause,
    /// The saved tree, as it was left. It can be [recovered](State::recover) and resumed.
    pub state: Arc<State>,
}

/// Why a flow did not finish successfully.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// Steps failed. What was done has been undone, was held, or could not be undone.
    Steps {
        /// The failed steps, in the order in which they failed. Empty only if the execution was
        /// undone on request and an undo failed.
        failed: Vec<StepFailure>,
        /// The steps whose undo failed.
        undo_failed: Vec<StepFailure>,
    },
    /// The execution was undone on request, and no step had failed before.
    Undone,
    /// The flow was to be undone, and is past its `#[pivot]`. Nothing was undone, and nothing was
    /// changed.
    PastPivot {
        /// The path of the pivot.
        pivot: String,
    },
    /// The execution was stopped on request. Its effects stay. After [`State::recover`] it
    /// continues where it stopped; it can also be [undone](crate::Run::undo).
    Stopped,
    /// The execution waits for something that nobody can send during this run: a signal, or a report on
    /// an external task, in a run without [`Signals`](crate::Signals). Its effects stay, and a resume continues from here.
    Waiting {
        /// The paths of the steps that wait for a signal.
        signals: Vec<String>,
    },
    /// The saved state does not fit the compiled flow. Nothing ran, and nothing was changed.
    Misfit(Misfit),
    /// The journal did not accept a record. What is recorded is safe, and a resume continues from
    /// it.
    Journal(JournalError),
}

/// The error of a line that had not ended by its deadline. It is recorded as
/// [`FailureCause::Deadline`](super::state::FailureCause::Deadline), so
/// [`StepFailure::passed_deadline`] tells it from others in any process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadlinePassed {
    /// How long after its beginning the line must have ended, in the program that found out.
    pub within: Option<Duration>,
}

impl fmt::Display for DeadlinePassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.within {
            Some(within) => write!(f, "not done within {within:?}, its deadline"),
            None => f.write_str("not done by its deadline"),
        }
    }
}

impl Error for DeadlinePassed {}

/// The error of a line whose child execution did not get to its end. It is recorded as
/// [`FailureCause::Child`](super::state::FailureCause::Child), so [`StepFailure::child`] tells it from
/// others in any process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("child `{id}`: {why}")]
#[non_exhaustive]
pub struct ChildFailed {
    /// The child's id.
    pub id: String,
    /// How it ended, in words.
    pub why: String,
}

impl Failure {
    /// Returns the failed steps, in the order in which they failed.
    pub fn failed(&self) -> &[StepFailure] {
        match &self.cause {
            Cause::Steps { failed, .. } => failed,
            _ => &[],
        }
    }

    /// Returns the steps whose undo failed.
    pub fn undo_failed(&self) -> &[StepFailure] {
        match &self.cause {
            Cause::Steps { undo_failed, .. } => undo_failed,
            _ => &[],
        }
    }

    /// Returns the path of the step that failed first.
    pub fn step(&self) -> Option<&str> {
        self.failed().first().map(|step| step.path.as_str())
    }

    /// Returns the error of the step that failed first, if it happened in this process and is an
    /// `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.failed().first()?.downcast_ref()
    }

    /// Returns the status in which the execution was left: failed, undone, stuck or stopped.
    pub fn status(&self) -> Status {
        self.state.status
    }
}

/// Tells why a flow is not undone.
pub(crate) fn past_pivot(pivot: &str) -> String {
    format!("can't be undone: its pivot `{pivot}` is done")
}

/// What a rollback as a whole is called among the steps whose undo failed.
const UNDO: &str = "(the rollback)";

fn list(f: &mut fmt::Formatter<'_>, steps: &[StepFailure], root: &str) -> fmt::Result {
    for (index, step) in steps.iter().enumerate() {
        let comma = if index == 0 { "" } else { "; " };
        let path = if step.path.is_empty() {
            root
        } else {
            &step.path
        };
        write!(f, "{comma}`{path}`: {}", step.error)?;
    }
    Ok(())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flow `{}` ", self.flow)?;
        match &self.cause {
            Cause::Steps {
                failed,
                undo_failed,
            } => {
                if failed.is_empty() {
                    f.write_str("could not be undone at ")?;
                    return list(f, undo_failed, UNDO);
                }
                f.write_str("failed at ")?;
                list(f, failed, "(the code after the steps)")?;
                if !undo_failed.is_empty() {
                    f.write_str(" (and its rollback failed at ")?;
                    list(f, undo_failed, UNDO)?;
                    f.write_str(")")?;
                } else if self.state.status == Status::Undone && self.state.is_taken_back() {
                    f.write_str(" (what had been done was undone)")?;
                }
                Ok(())
            }
            Cause::Undone => f.write_str("has been undone"),
            Cause::PastPivot { pivot } => write!(f, "{}", past_pivot(pivot)),
            Cause::Stopped => match self.state.errors.last() {
                // By force: it says so.
                Some(how) => write!(f, "was {how}"),
                None => f.write_str("was stopped"),
            },
            Cause::Waiting { signals } if signals.is_empty() => f.write_str(
                "waits for a report on an external task, which this run has no way to get: report it by \
                 `.signals(…)`, or use `.advance()`",
            ),
            Cause::Waiting { signals } => write!(
                f,
                "waits for a signal to `{}`, which this run has no way to get: give it one with \
                 `.signals(…)`, or use `.advance()`",
                signals.join("`, `")
            ),
            Cause::Misfit(misfit) if self.state.name.is_empty() => {
                write!(f, "can't begin: {misfit}")
            }
            Cause::Misfit(misfit) => write!(f, "can't go on from this state: {misfit}"),
            Cause::Journal(error) => write!(f, "stopped, as {error}"),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // `Display` already shows the step's error with its sources. Returning it here would print
        // it a second time.
        match &self.cause {
            Cause::Journal(error) => error.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error, sync::Arc};

    use super::{Cause, Failure};
    use crate::{
        base::error::{JournalError, full_text},
        model::compat::Misfit,
    };

    #[test]
    fn a_lost_record_is_told_in_a_sentence() {
        let failure = Failure {
            flow: "f",
            cause: Cause::Journal(JournalError::new("disk full")),
            state: Arc::default(),
        };
        assert_eq!(
            failure.to_string(),
            "flow `f` stopped, as the journal did not take a record: disk full"
        );
    }

    #[test]
    fn a_misfit_is_told_once() {
        let failure = Failure {
            flow: "f",
            cause: Cause::Misfit(Misfit::Input("no number".to_owned())),
            state: Arc::default(),
        };
        assert!(failure.source().is_none());
        assert_eq!(full_text(&failure).matches("no number").count(), 1);
    }
}
