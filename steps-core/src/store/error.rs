//! What a store may fail with.

use std::{error::Error, fmt, sync::Arc};

use crate::base::error::BoxError;

/// A store could not do what it was asked for. Nothing was changed by that call.
///
/// ```
/// use steps::store::{ErrorKind, StoreError};
///
/// let error = StoreError::new(ErrorKind::Full, "no space left for jobs.db");
/// assert_eq!(error.to_string(), "no space left for jobs.db");
/// assert!(!error.kind().is_transient());
/// ```
#[derive(Clone)]
pub struct StoreError {
    kind: ErrorKind,
    message: String,
    source: Option<Arc<BoxError>>,
}

/// The sort of a store's error, for a program to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The lease is not the newest any more: somebody else has taken the execution over, or it was
    /// deleted.
    Fenced,
    /// The database is locked by somebody, or does not answer in time.
    Busy,
    /// There is no space left.
    Full,
    /// It can't be written to.
    ReadOnly,
    /// Reading or writing failed.
    Io,
    /// What is stored can't be read any more.
    Corrupt,
    /// The database is gone from under the store, or is another one now.
    Gone,
    /// It was made by a newer version of this library, or by another program.
    Foreign,
    /// This write can't be kept, whatever the state of the database: it is too large, or breaks a
    /// rule.
    Rejected,
    /// The store has been closed.
    Closed,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether the same call may do well a little later, without anybody mending anything.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl StoreError {
    /// An error that says what happened and what to do, and names the database.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same, with the error that it came from.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::new(source.into()));
        self
    }

    /// Its sort.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref()?.as_ref().as_ref())
    }
}
