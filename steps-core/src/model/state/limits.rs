//! Limits on reading, so that a document from outside can't exhaust the stack or the memory.

/// How large a document may be. A larger one is refused with
/// [`StateError::Limit`](super::StateError::Limit).
///
/// ```
/// use steps::state::{Limits, State};
///
/// let limits = Limits::default().nodes(2);
/// let text = r#"{"name":"flow","states":[{"name":"a"},{"name":"b"}]}"#;
/// let error = State::from_json_with(text, &limits).unwrap_err();
/// assert_eq!(error.to_string(), "#1: more than 2 nodes, the limit");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The number of levels, from the root to the deepest node, including both. At most
    /// [`Self::MAX_DEPTH`].
    pub depth: usize,
    /// The total number of nodes; duplicates count.
    pub nodes: usize,
    /// The length of the JSON text in bytes.
    pub bytes: usize,
}

impl Limits {
    /// The default limits: a depth of 48 and a million nodes, like those of an execution, and no
    /// limit of bytes, so that whatever was saved can be read. If a document comes from outside and
    /// is not in memory yet, limit its bytes as well.
    pub const DEFAULT: Self = Self {
        depth: 48,
        nodes: 1_000_000,
        bytes: usize::MAX,
    };

    /// The greatest depth that can be set. `serde_json` refuses more than 127 levels of JSON, and
    /// each node takes two of them: its object, and the list that contains it.
    pub const MAX_DEPTH: usize = 60;

    /// Returns the same limits with another [`depth`](Self#structfield.depth). A value above
    /// [`Self::MAX_DEPTH`] is reduced to it.
    #[must_use]
    pub const fn depth(mut self, depth: usize) -> Self {
        self.depth = if depth < Self::MAX_DEPTH {
            depth
        } else {
            Self::MAX_DEPTH
        };
        self
    }

    /// Returns the same limits with another number of [`nodes`](Self#structfield.nodes).
    #[must_use]
    pub const fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// Returns the same limits with another number of [`bytes`](Self#structfield.bytes).
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
