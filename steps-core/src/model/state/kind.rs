//! The names of the kinds of node, as JSON and messages use them.

use std::fmt;

use super::Kind;

impl Kind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 11] = [
        Self::Step,
        Self::Group,
        Self::Parallel,
        Self::If,
        Self::For,
        Self::Item,
        Self::Loop,
        Self::Round,
        Self::Flow,
        Self::Race,
        Self::Match,
    ];

    /// Returns whether the children run at once, so that none comes after another.
    pub(crate) const fn is_parallel(self) -> bool {
        match self {
            Self::Parallel | Self::Race => true,
            Self::Step
            | Self::Group
            | Self::If
            | Self::Match
            | Self::For
            | Self::Item
            | Self::Loop
            | Self::Round
            | Self::Flow => false,
        }
    }

    /// Returns whether the children come from something that was decided and recorded: a condition,
    /// a value, a list of items, the end of each round.
    pub(crate) const fn is_decided(self) -> bool {
        match self {
            Self::If | Self::Match | Self::For | Self::Loop => true,
            Self::Step
            | Self::Group
            | Self::Parallel
            | Self::Race
            | Self::Item
            | Self::Round
            | Self::Flow => false,
        }
    }

    /// Returns whether it is a group that may become one of another such kind between two versions
    /// of a flow, because its children are the same lines.
    pub(crate) const fn is_plain_group(self) -> bool {
        match self {
            Self::Group | Self::Parallel => true,
            Self::Step
            | Self::Race
            | Self::If
            | Self::Match
            | Self::For
            | Self::Item
            | Self::Loop
            | Self::Round
            | Self::Flow => false,
        }
    }

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
            Self::Race => "race",
            Self::Match => "match",
        }
    }

    /// Returns the kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a step is, if it is not simply a function that is called and whose output is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepKind {
    /// A [`sleep`](struct@crate::sleep).
    Sleep,
    /// A [`signal`](struct@crate::signal).
    Signal,
    /// A function whose output is not saved, so that it is called again after a resume.
    Volatile,
    /// A `let` line.
    Let,
    /// The call of a function, while it waits for another attempt or poll. At all other times nothing
    /// is said of one.
    Call,
    /// A `start` line, which starts a child execution.
    Start,
    /// A `join` line, which waits for the end of a child execution.
    Join,
    /// A function that submits a task which somebody else runs and reports on.
    External,
}

impl StepKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Sleep,
        Self::Signal,
        Self::Volatile,
        Self::Let,
        Self::Call,
        Self::Start,
        Self::Join,
        Self::External,
    ];

    /// Returns the name used in JSON and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Signal => "signal",
            Self::Volatile => "volatile",
            Self::Let => "let",
            Self::Call => "call",
            Self::Start => "start",
            Self::Join => "join",
            Self::External => "external",
        }
    }

    /// Returns the one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Returns whether the step itself asks to wait, so that the end of the wait belongs to the same
    /// attempt.
    pub(crate) const fn waits(self) -> bool {
        match self {
            Self::Sleep | Self::Signal | Self::Join => true,
            // What submits it may take time.
            Self::Volatile | Self::Let | Self::Call | Self::Start | Self::External => false,
        }
    }

    /// Returns whether the step is the call of a function.
    pub(crate) const fn is_call(self) -> bool {
        match self {
            Self::Volatile | Self::Call => true,
            Self::Sleep | Self::Signal | Self::Let | Self::Start | Self::Join | Self::External => {
                false
            }
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
