//! The names of the kinds of node, as JSON and messages use them.

use std::fmt;

use super::Kind;

impl Kind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Step,
        Self::Group,
        Self::Parallel,
        Self::If,
        Self::For,
        Self::Item,
        Self::Loop,
        Self::Round,
        Self::Flow,
    ];

    /// Returns the name used in JSON and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Group => "group",
            Self::Parallel => "parallel",
            Self::If => "if",
            Self::For => "for",
            Self::Item => "item",
            Self::Loop => "loop",
            Self::Round => "round",
            Self::Flow => "flow",
        }
    }

    /// Returns the kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
