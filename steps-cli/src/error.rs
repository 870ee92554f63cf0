//! What goes wrong, and the exit code that says so.

use std::{fmt, io, process::ExitCode};

use steps::engine::{EngineError, InvalidFilter};
use steps_web::form::Kind;

/// The exit codes; 0 is that all was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The store or the system could not do its part.
    Failed = 1,
    /// The command line, a filter or a value is wrong. Also of clap.
    Usage = 2,
    /// There is no such file, execution or step.
    NotFound = 3,
    /// What was asked for is not possible now, or was not confirmed. Nothing was changed.
    Refused = 4,
    /// It was looked at, and not all is well: damage was found, or the execution ended otherwise than
    /// done.
    Unwell = 5,
}

impl Code {
    /// Its name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Unwell => "unwell",
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command was not done.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) code: Code,
    text: String,
    closed_pipe: bool,
}

impl Error {
    pub(crate) fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            closed_pipe: false,
        }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Code::Usage, text)
    }

    /// An error whose causes were told already.
    pub(crate) fn told(code: Code) -> Self {
        Self::new(code, "")
    }

    /// Whether the reader of the output has gone.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    /// Whether it was told already.
    pub(crate) fn is_told(&self) -> bool {
        self.text.is_empty()
    }

    /// The same, about this file.
    pub(crate) fn of_file(path: &str, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::NotFound => Code::NotFound,
            _ => Code::Failed,
        };
        Self::new(code, format!("{path}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        Self::new(code_of(&error), error.to_string())
    }
}

impl From<InvalidFilter> for Error {
    fn from(error: InvalidFilter) -> Self {
        Self::usage(format!("the filter: {error}"))
    }
}

/// Of writing what was asked for.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self {
            closed_pipe: error.kind() == io::ErrorKind::BrokenPipe,
            ..Self::new(Code::Failed, format!("the output: {error}"))
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        match error.io_error_kind() {
            Some(kind) => io::Error::from(kind).into(),
            None => Self::new(Code::Failed, error.to_string()),
        }
    }
}

fn code_of(error: &EngineError) -> Code {
    match Kind::of(error) {
        Kind::Failed => Code::Failed,
        Kind::Usage => Code::Usage,
        Kind::NotFound => Code::NotFound,
        Kind::Refused => Code::Refused,
    }
}
