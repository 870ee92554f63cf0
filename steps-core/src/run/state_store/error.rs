//! What can go wrong where the state of a run is kept.

use std::{error::Error, fmt, sync::Arc};

use crate::{
    base::error::BoxError,
    model::{
        failure::Failure,
        state::{State, StateError},
    },
};

/// Why a [`StateStore`](super::StateStore) did not save.
#[derive(Debug)]
pub enum SaveError<E> {
    /// The place has another version than the one to be saved over.
    Conflict,
    /// Anything else. With `?`, an error of the store becomes this.
    Store(E),
}

impl<E> From<E> for SaveError<E> {
    fn from(error: E) -> Self {
        Self::Store(error)
    }
}

impl<E: fmt::Display> fmt::Display for SaveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("another version has been saved meanwhile"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for SaveError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Conflict => None,
            Self::Store(error) => error.source(),
        }
    }
}

/// Why a run whose state is kept in a [`StateStore`](super::StateStore) could not go on. That steps have failed is
/// no such error: see [`StoredRun::advance`](super::StoredRun::advance).
#[non_exhaustive]
pub enum StateStoreError<E> {
    /// The saved state could not be loaded. Nothing ran.
    Load {
        /// The flow, if there was to be a pass.
        flow: Option<&'static str>,
        /// The store's error.
        error: E,
    },
    /// What was loaded is no state. Nothing ran, and it was left as it was.
    Unreadable {
        /// The flow, if there was to be a pass.
        flow: Option<&'static str>,
        /// What is wrong, and where.
        error: StateError,
    },
    /// The pass could not be made, for instance because the saved state does not fit the flow; or, of a run to the
    /// end, the flow failed.
    Run(Failure),
    /// The state could not be saved, and the run stopped there. A step that was running may have had its effect.
    /// The next pass goes on from what was saved last.
    NotSaved {
        /// The flow.
        flow: String,
        /// The execution's id.
        execution: String,
        /// Why.
        why: NotSaved<E>,
        /// What would have been saved.
        state: Arc<State>,
    },
    /// There is no saved state to [change](super::change).
    Nothing,
    /// The function that was to [change](super::change) the state returned this.
    Refused(BoxError),
}

/// Why a state could not be saved.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotSaved<E> {
    /// Somebody else has saved since the state was loaded. Load it again: make another pass.
    Conflict,
    /// It is larger than the place takes. It was not written.
    TooLarge {
        /// How many bytes it would take.
        bytes: usize,
        /// The most that the place takes.
        max: usize,
        /// The path of the step that takes most of it; empty for the execution itself, with its input and output.
        step: String,
        /// The length of that step's own record in bytes, without what is below it.
        step_bytes: usize,
    },
    /// The store's own error.
    Store(E),
}

impl<E> StateStoreError<E> {
    /// Whether somebody else has saved since the state was loaded: then another pass, which loads it again, is
    /// all that there is to do.
    pub fn is_conflict(&self) -> bool {
        matches!(
            self,
            Self::NotSaved {
                why: NotSaved::Conflict,
                ..
            }
        )
    }

    /// The failure of the run, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Run(failure) => Some(failure),
            _ => None,
        }
    }
}

/// The flow that a load was for.
struct Of(Option<&'static str>);

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |flow| write!(f, "flow `{flow}`: "))
    }
}

impl<E: fmt::Display> fmt::Display for StateStoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { flow, error } => {
                let flow = Of(*flow);
                write!(
                    f,
                    "{flow}its saved state could not be loaded, and nothing ran: {error}"
                )
            }
            Self::Unreadable { flow, error } => {
                let flow = Of(*flow);
                write!(
                    f,
                    "{flow}what was loaded is no saved state, and nothing ran: {error}"
                )
            }
            Self::Run(failure) => failure.fmt(f),
            Self::NotSaved {
                flow,
                execution,
                why,
                ..
            } => write!(
                f,
                "execution `{execution}` of flow `{flow}` is not saved: {why}"
            ),
            Self::Nothing => f.write_str("there is no saved state to change: no pass was made yet"),
            Self::Refused(error) => write!(f, "the saved state was left as it was: {error}"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for NotSaved<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str(
                "somebody else has saved it since it was loaded; make another pass, which loads it again",
            ),
            Self::TooLarge {
                bytes,
                max,
                step,
                step_bytes,
            } => {
                write!(f, "its state takes {bytes} bytes, and this place has room for {max}; most of them, {step_bytes}, are ")?;
                if step.is_empty() {
                    f.write_str("its own input and output")?;
                } else {
                    write!(f, "the step `{step}`")?;
                }
                f.write_str(": keep such a value elsewhere, and only where it is here")
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Display> fmt::Debug for StateStoreError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Error + 'static> Error for StateStoreError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        // `Display` shows the error itself, so its source comes next.
        match self {
            Self::Load { error, .. }
            | Self::NotSaved {
                why: NotSaved::Store(error),
                ..
            } => error.source(),
            Self::Unreadable { error, .. } => error.source(),
            Self::Run(failure) => failure.source(),
            Self::Refused(error) => error.source(),
            Self::NotSaved { .. } | Self::Nothing => None,
        }
    }
}
