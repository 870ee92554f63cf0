//! What can be wrong with a saved state, or with what is asked of one.

use std::{fmt, io};

use crate::model::status::IllegalTransition;

/// Why a state could not be read, or a node of it not be changed.
///
/// The paths are those of [`path`](super::path); the root's is empty, and shown as "the root".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The text is not a state: broken or cut-off JSON, a value of the wrong type, a field that
    /// is missing or stands twice, a status that contradicts the other fields.
    #[error("{}{}: {reason}{}", Root(path), Field(field), Place(*line, *column))]
    Invalid {
        /// The node. Its last name is `#` and an index where the node's own name was not read
        /// yet.
        path: String,
        /// The field of that node, where one is to blame; empty otherwise.
        field: String,
        /// What is wrong with it.
        reason: String,
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// The column, from 1; 0 where it is not known.
        column: usize,
    },
    /// The document is larger than [`Limits`](super::Limits) allow.
    #[error("{}: more than {max} {limit}, the limit", Root(path))]
    Limit {
        /// The node at which the limit was passed.
        path: String,
        /// Which limit.
        limit: LimitKind,
        /// Its value.
        max: usize,
    },
    /// The source of the text failed.
    #[error("the state could not be read: {0}")]
    Io(#[from] io::Error),
    /// The rows that a state was to be put together from are no tree.
    #[error("row {row}: {reason}")]
    Row {
        /// The number of the row.
        row: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no node at this path.
    #[error("there is no node `{path}`")]
    NoSuchNode {
        /// The path that was asked for.
        path: String,
    },
    /// A node is in no status to be changed like this.
    #[error("{}: {source}", Root(path))]
    Illegal {
        /// The node.
        path: String,
        /// What the state machine says.
        source: IllegalTransition,
    },
}

/// Which of the [`Limits`](super::Limits) was passed.
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
