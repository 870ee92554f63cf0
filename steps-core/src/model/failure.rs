//! How a flow failed: the steps that did, and what came of the rollback.
//!
//! One type for all flows: a step's own error is found in it by
//! [`downcast_ref`](Failure::downcast_ref), as a resumed flow may have failed in another process,
//! of which only the text is left.

use std::{error::Error, fmt, sync::Arc};

use super::{compat::Misfit, state::State, status::Status};
use crate::base::error::{BoxError, JournalError};

/// A flow did not get to its end.
///
/// Shown, it names the flow, each step that failed with its error and the errors below it, and
/// what came of the rollback. `{:?}` shows the same; the tree is in [`state`](Self::state).
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
///     "flow `back_up` failed at `copied`: the disk is full (what had been done was undone)",
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
    /// Why.
    pub cause: Cause,
    /// The saved tree as it was left. It can be [recovered](State::recover) and resumed.
    pub state: Arc<State>,
}

/// Why a flow did not get to its end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// Steps failed; what had been done was undone, held, or could not be undone.
    Steps {
        /// The steps that failed, in the order in which they did. Empty only where it was undone on
        /// request, and that failed.
        failed: Vec<StepFailure>,
        /// The steps whose undo failed.
        undo_failed: Vec<StepFailure>,
    },
    /// It has been undone on request, and no step failed before.
    Undone,
    /// It was stopped on request. What it did stays; [recovered](State::recover), it goes on where it
    /// was, and it can be [undone](crate::Run::undo).
    Stopped,
    /// It waits for something that nobody can give it in this run: a signal, without
    /// [`Signals`](crate::Signals). What it did stays; a resume goes on from it.
    Waiting {
        /// The paths of the steps that wait.
        signals: Vec<String>,
    },
    /// The saved state does not fit the compiled flow. Nothing ran, nothing was changed.
    Misfit(Misfit),
    /// The journal did not take a record. What is recorded is safe; a resume goes on from it.
    Journal(JournalError),
}

/// One step that failed.
#[derive(Clone)]
#[non_exhaustive]
pub struct StepFailure {
    /// The step's [path](crate::model::state::path); empty for the code after the steps.
    pub path: String,
    /// The error of its last attempt, with its sources, as it is recorded.
    pub error: String,
    pub(crate) source: Option<Arc<BoxError>>,
}

impl StepFailure {
    /// The error itself, if it happened in this process and is an `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.source.as_ref()?.downcast_ref()
    }
}

impl fmt::Debug for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.error)
    }
}

impl Failure {
    /// The steps that failed, in the order in which they did.
    pub fn failed(&self) -> &[StepFailure] {
        match &self.cause {
            Cause::Steps { failed, .. } => failed,
            _ => &[],
        }
    }

    /// The steps whose undo failed.
    pub fn undo_failed(&self) -> &[StepFailure] {
        match &self.cause {
            Cause::Steps { undo_failed, .. } => undo_failed,
            _ => &[],
        }
    }

    /// The path of the step that failed first.
    pub fn step(&self) -> Option<&str> {
        self.failed().first().map(|step| step.path.as_str())
    }

    /// The error of the step that failed first, if it happened in this process and is an `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.failed().first()?.downcast_ref()
    }

    /// How it was left: failed, undone, stuck or stopped.
    pub fn status(&self) -> Status {
        self.state.status
    }
}

fn list(f: &mut fmt::Formatter<'_>, steps: &[StepFailure]) -> fmt::Result {
    for (index, step) in steps.iter().enumerate() {
        let comma = if index == 0 { "" } else { "; " };
        let path = if step.path.is_empty() {
            "(the code after the steps)"
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
                    return list(f, undo_failed);
                }
                f.write_str("failed at ")?;
                list(f, failed)?;
                if !undo_failed.is_empty() {
                    f.write_str(" (and its rollback failed at ")?;
                    list(f, undo_failed)?;
                    f.write_str(")")?;
                } else if self.state.status == Status::Undone {
                    f.write_str(" (what had been done was undone)")?;
                }
                Ok(())
            }
            Cause::Undone => f.write_str("has been undone"),
            Cause::Stopped => f.write_str("was stopped"),
            Cause::Waiting { signals } => write!(
                f,
                "waits for a signal to `{}`, which this run has no way to get: give it one with \
                 `.signals(…)`, or use `.advance()`",
                signals.join("`, `")
            ),
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
        // What went wrong is told in this error's own text, sources and all; a chain that begins
        // with the step's error would tell it again.
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
