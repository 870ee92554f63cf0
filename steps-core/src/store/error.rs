//! The errors of a store.

use std::{error::Error, fmt, sync::Arc};

use crate::base::error::BoxError;

/// A store could not do what was requested. The call has changed nothing.
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

/// The kind of a store's error, for programs to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The lease is no longer the newest one: another worker has taken the execution over, or it
    /// was deleted.
    Fenced,
    /// A signal that the write takes is not in the inbox any more: another one has replaced it.
    Withdrawn,
    /// A write creates a [child](super::Write::children) with an id that is already in use.
    Exists,
    /// A write lets an execution that has ended go on again, and its [key](super::NewExecution::singleton)
    /// is that of another one by now.
    Taken,
    /// The database is locked, or does not answer in time.
    Busy,
    /// There is no space left.
    Full,
    /// The database can't be written to.
    ReadOnly,
    /// Reading or writing failed.
    Io,
    /// Stored data can't be read any more.
    Corrupt,
    /// A value is encrypted with a key that this process does not have: see [`codec`](super::codec).
    NoKey,
    /// The database was removed while it was open, or has been replaced by another one.
    Gone,
    /// The database was created by a newer version of this library, or by another program.
    Foreign,
    /// This write can never be stored, whatever the state of the database: it is too large, or
    /// breaks a rule.
    Rejected,
    /// The store has been closed.
    Closed,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Returns whether the same call may succeed a little later, without anybody fixing anything.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl StoreError {
    /// Creates an error. The message says what happened and what to do, and names the database.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Returns the same error, with its source.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::new(source.into()));
        self
    }

    /// Returns the kind of the error.
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
