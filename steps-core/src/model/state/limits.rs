//! The bounds on what is read, so that a document from outside can exhaust neither the stack nor
//! the memory.

/// How large a document may be. What exceeds a limit is refused with
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
    /// Nodes from the root down to the deepest, both counted. At most [`Self::MAX_DEPTH`].
    pub depth: usize,
    /// Nodes in all, with those that stand twice.
    pub nodes: usize,
    /// Bytes of JSON text.
    pub bytes: usize,
}

impl Limits {
    /// What is used where nothing else is said: a depth of 48, a million nodes, 64 MiB.
    pub const DEFAULT: Self = Self {
        depth: 48,
        nodes: 1_000_000,
        bytes: 64 << 20,
    };

    /// The greatest depth that can be allowed. `serde_json` refuses more than 127 levels of JSON,
    /// and a node takes two of them: its object, and the list it stands in.
    pub const MAX_DEPTH: usize = 60;

    /// The same with another [`depth`](Self#structfield.depth); more than [`Self::MAX_DEPTH`]
    /// counts as that.
    #[must_use]
    pub const fn depth(mut self, depth: usize) -> Self {
        self.depth = if depth < Self::MAX_DEPTH {
            depth
        } else {
            Self::MAX_DEPTH
        };
        self
    }

    /// The same with another number of [`nodes`](Self#structfield.nodes).
    #[must_use]
    pub const fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// The same with another number of [`bytes`](Self#structfield.bytes).
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
