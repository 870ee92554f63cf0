//! What can go wrong: in a step, and in a run as a whole.

use std::{any::Any, error::Error, fmt, sync::Arc};

/// Any error of the user's.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why one attempt of a step, or of a handler, ended without a value.
#[derive(Debug)]
pub struct StepError {
    pub(crate) error: Arc<BoxError>,
    /// Whether the step's policy may try again.
    pub(crate) retry: bool,
}

impl StepError {
    /// An error of the user's function, which its policy may retry.
    pub fn user(error: impl Into<BoxError>) -> Self {
        Self {
            error: Arc::new(error.into()),
            retry: true,
        }
    }

    /// An error that trying again does not mend.
    pub fn fatal(error: impl Into<BoxError>) -> Self {
        Self {
            error: Arc::new(error.into()),
            retry: false,
        }
    }

    /// The same error, retried only where `retry` says so.
    #[must_use]
    pub fn retry_if(mut self, retry: bool) -> Self {
        self.retry = retry;
        self
    }

    /// The same error, with what else went wrong.
    pub(crate) fn and(&self, more: &str) -> Self {
        Self {
            error: Arc::new(format!("{} ({more})", self.text()).into()),
            retry: self.retry,
        }
    }

    pub(crate) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::user(format!("panicked: {}", text.unwrap_or("with no message")))
    }

    /// The error's text, with its sources, as it is recorded.
    pub fn text(&self) -> String {
        full_text(self.error.as_ref().as_ref())
    }
}

/// Calls a `Serialize` or a `Deserialize` of the user's. A panic in it is an error.
pub(crate) fn caught<T>(
    call: impl FnOnce() -> Result<T, serde_json::Error>,
) -> Result<T, serde_json::Error> {
    use serde::de::Error as _;
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        let error = StepError::panic(payload.as_ref());
        Err(serde_json::Error::custom(error.text()))
    })
}

/// An error and all that it came from, in one line. A source whose text the error already holds
/// is not said twice.
pub(crate) fn full_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = next.source();
    }
    text
}

/// The journal did not take a record. The run stops where it is; nothing is recorded as a step's
/// failure.
#[derive(Clone, Debug)]
pub struct JournalError(Arc<BoxError>);

impl JournalError {
    /// Wraps the store's own error.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(Arc::new(error.into()))
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the journal did not take a record: {}", self.0)
    }
}

impl Error for JournalError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref().as_ref())
    }
}
