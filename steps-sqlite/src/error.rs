//! What SQLite's errors mean to the engine and to the person who reads them: the kind of the error,
//! the file, and what to do about it.

use std::path::Path;

use rusqlite::{ErrorCode, ffi};
use steps_core::store::{ErrorKind, StoreError};

/// What an operation returns.
pub(crate) type Result<T, E = Fail> = std::result::Result<T, E>;

/// Why an operation failed, before the file's name is added.
#[derive(Debug)]
pub(crate) enum Fail {
    /// SQLite's own error.
    Sql(rusqlite::Error),
    /// An error that is complete already.
    Store(StoreError),
    /// A row that can't be read: which one, and why.
    Row(String),
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<ffi::Error> for Fail {
    fn from(error: ffi::Error) -> Self {
        Self::Sql(rusqlite::Error::SqliteFailure(error, None))
    }
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fail {
    /// An error that is complete already.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Store(StoreError::new(kind, message))
    }

    /// Returns the complete error: with the file's name, and what to do about it.
    pub(crate) fn of(self, path: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Row(why) => StoreError::new(
                ErrorKind::Corrupt,
                format!(
                    "{}: {why}; a newer version of this library may have written it, or something \
                     else changed the file",
                    path.display()
                ),
            ),
            Self::Sql(error) => from_sqlite(error, path),
        }
    }
}

/// The error for a write to an execution that another worker has taken over.
pub(crate) fn fenced(what: &str) -> Fail {
    Fail::new(
        ErrorKind::Fenced,
        format!(
            "{what} is in other hands now, or was deleted: its lease had ended before it was \
             renewed, or was given back. Nothing was written"
        ),
    )
}

/// The error for a call after `close`.
pub(crate) fn closed(path: &Path) -> StoreError {
    StoreError::new(
        ErrorKind::Closed,
        format!("{}: the store has been closed", path.display()),
    )
}

/// The error for a file that is no longer where it was.
pub(crate) fn gone(path: &Path, what: &str) -> StoreError {
    StoreError::new(
        ErrorKind::Gone,
        format!(
            "{}: {what} while the store had it open, so nothing written now would be found again. \
             Put the file back, or stop this process and start it on the file that is to be used",
            path.display()
        ),
    )
}

fn from_sqlite(error: rusqlite::Error, path: &Path) -> StoreError {
    let path = path.display();
    let (kind, what) = match &error {
        rusqlite::Error::SqliteFailure(code, _) => meaning(*code),
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => (
            ErrorKind::Corrupt,
            "a row has something else in it than was written",
        ),
        _ => (ErrorKind::Other, "SQLite refused"),
    };
    StoreError::new(kind, format!("{path}: {what} ({error})")).with_source(error)
}

/// The kind of an error of SQLite, and what to do about it.
fn meaning(error: ffi::Error) -> (ErrorKind, &'static str) {
    match (error.code, error.extended_code) {
        (_, ffi::SQLITE_READONLY_DBMOVED) => (
            ErrorKind::Gone,
            "the file was moved or deleted while the store had it open; put it back, or start anew",
        ),
        // The last is what SQLite says when others keep on changing what it needs to begin to read.
        (
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
            _,
        ) => (
            ErrorKind::Busy,
            "locked by another process for longer than the busy timeout; it may be stopped, or in \
             a long transaction: find it with `fuser` or `lsof`",
        ),
        (ErrorCode::DiskFull, _) => (
            ErrorKind::Full,
            "no space left: make room on the file system, or give the store more",
        ),
        (ErrorCode::ReadOnly | ErrorCode::PermissionDenied, _) => (
            ErrorKind::ReadOnly,
            "can't be written to: this user must be able to write to the file and to its folder",
        ),
        (ErrorCode::CannotOpen, _) => (
            ErrorKind::Io,
            "can't be opened: the folder must exist, and this user must be able to write to it",
        ),
        (ErrorCode::SystemIoFailure, _) => (
            ErrorKind::Io,
            "reading or writing the file failed: see the system's log for the disk's state",
        ),
        (ErrorCode::DatabaseCorrupt, _) => (
            ErrorKind::Corrupt,
            "the file is damaged: restore a copy, or save what can be read with `sqlite3 FILE \
             .recover`",
        ),
        (ErrorCode::NotADatabase, _) => (
            ErrorKind::Foreign,
            "no SQLite database, or its beginning is damaged: name another file",
        ),
        (ErrorCode::TooBig, _) => (ErrorKind::Rejected, "a value is too large for SQLite"),
        _ => (ErrorKind::Other, "SQLite refused"),
    }
}
