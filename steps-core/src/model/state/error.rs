//! The errors of reading and changing a saved state.

use std::{fmt, io};

use crate::model::status::Status;

/// Why a state could not be read, or a node could not be changed.
///
/// Paths are described in [`path`](super::path). The root's path is empty, and shown as "the root".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The text is not a state: broken or truncated JSON, a value of the wrong type, a missing or
    /// duplicate field, or a status that contradicts the other fields.
    #[error("{}{}: {reason}{}", Root(path), Field(field), Place(*line, *column))]
    Invalid {
        /// The node's path. The last name is `#` and an index if the node's own name had not been
        /// read yet.
        path: String,
        /// The field that caused the error; empty if no single field did.
        field: String,
        /// What is wrong with it.
        reason: String,
        /// The line, from 1; 0 if it is not known.
        line: usize,
        /// The column, from 1; 0 if it is not known.
        column: usize,
    },
    /// The document is larger than [`Limits`](super::Limits) allow.
    #[error("{}: more than {max} {limit}, the limit", Root(path))]
    Limit {
        /// The path of the node at which the limit was exceeded.
        path: String,
        /// The limit that was exceeded.
        limit: LimitKind,
        /// The value of the limit.
        max: usize,
    },
    /// The source of the text returned an error.
    #[error("the state could not be read: {0}")]
    Io(#[from] io::Error),
    /// The rows do not form a tree.
    #[error("row {row}: {reason}")]
    Row {
        /// The number of the row.
        row: u32,
        /// What is wrong with the row.
        reason: String,
    },
    /// There is no node at this path.
    #[error("there is no node `{path}`")]
    NoSuchNode {
        /// The path that was looked for.
        path: String,
    },
    /// The status of the execution, or of one of its steps, does not allow this change.
    #[error("{why}")]
    Refused {
        /// The path of the node that does not allow it.
        path: String,
        /// That node's status.
        status: Status,
        /// What is not possible, why, and what to do instead.
        why: String,
    },
}

/// Which of the [`Limits`](super::Limits) was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// [`Limits::depth`](super::Limits#structfield.depth)
    Depth,
    /// [`Limits::nodes`](super::Limits#structfield.nodes)
    Nodes,
    /// [`Limits::bytes`](super::Limits#structfield.bytes)
    Bytes,
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Depth => "levels of nodes",
            Self::Nodes => "nodes",
            Self::Bytes => "bytes",
        })
    }
}

impl StateError {
    pub(super) fn refused(path: impl Into<String>, status: Status, why: impl Into<String>) -> Self {
        Self::Refused {
            path: path.into(),
            status,
            why: why.into(),
        }
    }
}

struct Root<'a>(&'a str);

impl fmt::Display for Root<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "the root"
        } else {
            self.0
        })
    }
}

struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, ", `{}`", self.0)
    }
}

struct Place(usize, usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return Ok(());
        }
        write!(f, " (line {}, column {})", self.0, self.1)
    }
}
