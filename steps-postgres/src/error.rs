//! What the errors of sqlx and of the server mean to the engine and to the person who reads them: the kind of the
//! error, the database, and what to do about it.

use sqlx::{Error, error::DatabaseError};
use steps_core::store::{ErrorKind, StoreError};

/// What an operation returns.
pub(crate) type Result<T, E = Fail> = std::result::Result<T, E>;

/// Why an operation failed, before the database's name is added.
#[derive(Debug)]
pub(crate) enum Fail {
    /// An error of sqlx, or of the server.
    Sql(Error),
    /// An error that is complete already.
    Store(StoreError),
    /// A row that can't be read: which one, and why.
    Row(String),
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Sql(error)
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

    /// The same, of an execution whose row can't be read.
    pub(crate) fn of_execution(self, id: &str) -> Self {
        match self {
            Self::Row(why) => Self::Row(format!("execution {id:?}: {why}")),
            other => other,
        }
    }

    /// The server's own code of the error, if it has answered with one.
    pub(crate) fn code(&self) -> Option<String> {
        match self {
            Self::Sql(Error::Database(error)) => error.code().map(Into::into),
            _ => None,
        }
    }

    /// Whether two transactions came into each other's way, so that nothing was done and the same may be tried
    /// again at once: a deadlock, a conflict, or a key that another one has just taken.
    pub(crate) fn is_conflict(&self) -> bool {
        let code = self.code();
        matches!(code.as_deref(), Some("40P01" | "40001" | "23505"))
    }

    /// Returns the complete error: with the database's name, and what to do about it.
    pub(crate) fn of(self, database: &str) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Row(why) => StoreError::new(
                ErrorKind::Corrupt,
                format!(
                    "{database}: {why}; a newer version of this library may have written it, or something else \
                     changed the tables"
                ),
            ),
            Self::Sql(error) => {
                let (kind, what) = meaning(&error);
                StoreError::new(kind, format!("{database}: {what} ({error})")).with_source(error)
            }
        }
    }
}

/// The error for a write to an execution that another worker has taken over.
pub(crate) fn fenced(what: &str) -> Fail {
    Fail::new(
        ErrorKind::Fenced,
        format!(
            "{what} is in other hands now, or was deleted: its lease had ended before it was renewed, or was given \
             back. Nothing was written"
        ),
    )
}

/// The error for a call after `close`.
pub(crate) fn closed(database: &str) -> StoreError {
    StoreError::new(
        ErrorKind::Closed,
        format!("{database}: the store has been closed"),
    )
}

fn meaning(error: &Error) -> (ErrorKind, &'static str) {
    match error {
        Error::Database(error) => meaning_of_code(&**error),
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed | Error::BeginFailed => (
            ErrorKind::Busy,
            "the connection was lost, or can't be made: see whether the server runs",
        ),
        Error::PoolTimedOut => (
            ErrorKind::Busy,
            "no connection of the pool was free in time: let the pool have more, or the server be quicker",
        ),
        Error::PoolClosed => (ErrorKind::Closed, "the pool of connections was closed"),
        Error::ColumnDecode { .. } | Error::Decode(_) => (
            ErrorKind::Corrupt,
            "a row has something else in it than was written",
        ),
        Error::Encode(_) => (ErrorKind::Rejected, "a value can't be sent"),
        Error::Tls(_) => (ErrorKind::Io, "no encrypted connection can be made"),
        Error::Configuration(_) => (ErrorKind::Other, "the settings can't be used"),
        _ => (ErrorKind::Other, "the database refused"),
    }
}

/// By the codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn meaning_of_code(error: &dyn DatabaseError) -> (ErrorKind, &'static str) {
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    match code {
        "40P01" | "40001" | "23505" => (
            ErrorKind::Busy,
            "others changed the same rows again and again",
        ),
        "55P03" => (ErrorKind::Busy, "a row is locked for too long"),
        "57014" => (
            ErrorKind::Busy,
            "a statement took too long, and was cancelled",
        ),
        // On a connection of the service's own pool, which it has not ended its transaction on.
        "25P02" | "25001" => (
            ErrorKind::Busy,
            "a connection of the pool was left in a transaction of somebody else's",
        ),
        "57P01" | "57P02" | "57P03" => (ErrorKind::Busy, "the server stops, or starts"),
        "53300" => (ErrorKind::Busy, "the server has no connection left"),
        // After a fail-over, until the other one may be written to.
        "25006" => (ErrorKind::Busy, "the server may only be read at the moment"),
        "53100" => (
            ErrorKind::Full,
            "no space left: make room on the server's file system",
        ),
        "42501" => (
            ErrorKind::ReadOnly,
            "this user may not do that: give it the right to the schema and its tables",
        ),
        "22021" | "22P05" | "54000" => (
            ErrorKind::Rejected,
            "a text can't be kept: it holds a NUL, or is too long for an index",
        ),
        "42P01" | "3F000" | "42883" => (
            ErrorKind::Gone,
            "the tables were removed while the store had them open",
        ),
        "XX001" | "XX002" => (
            ErrorKind::Corrupt,
            "the database is damaged: restore a copy",
        ),
        _ if code.starts_with("08") => (ErrorKind::Busy, "the connection was lost"),
        _ if code.starts_with("28") || code.starts_with("3D") => (
            ErrorKind::Io,
            "can't be opened: the database, the user and the password must be right",
        ),
        _ if code.starts_with("58") => (
            ErrorKind::Io,
            "the server could not read or write its files",
        ),
        _ => (ErrorKind::Other, "the server refused"),
    }
}
