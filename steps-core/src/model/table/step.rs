//! What the table says about what a step calls.

use super::{Check, Policy, SchemaOf};
use crate::model::state::StepKind;

/// What the table says about a step's function.
#[derive(Clone, Copy)]
pub struct StepMeta {
    /// How the step is retried, timed and polled.
    pub policy: Policy,
    /// How its undo is retried and timed.
    pub undo_policy: Policy,
    /// Whether it has an `#[undo]`.
    pub undo: bool,
    /// Whether it has a `#[verify]`.
    pub verify: bool,
    /// Whether it has an `#[observe]`.
    pub observe: bool,
    /// How its `#[stop]` is retried and timed, if it has one.
    pub stop: Option<Policy>,
    /// Checks that a message can be decoded by its `#[on_check_in]`, if it has one.
    pub check_in: Option<Check>,
    /// What it is, if it is not simply a function that is called.
    pub kind: Option<StepKind>,
    /// Of a signal: what it takes.
    pub signal: Option<SignalMeta>,
    /// The text of its output's type.
    pub output: &'static str,
    /// Checks that a saved output can still be decoded.
    pub check: Check,
    /// The schema of its output.
    pub schema: Option<SchemaOf>,
    /// Checks that what `#[observe]` saw before the step can still be decoded, if its undo takes it.
    pub before: Option<Check>,
}

/// What the table says about a signal.
#[derive(Clone, Copy, Debug)]
pub struct SignalMeta {
    /// Checks that a value that is sent to it can be read.
    pub check: Check,
    /// Whether it gives up waiting after a time.
    pub gives_up: bool,
}

impl StepMeta {
    /// Returns whether a value that was sent to it can be read.
    pub(crate) fn check_given(&self, value: &str) -> Result<(), serde_json::Error> {
        self.signal.map_or(self.check, |signal| signal.check)(value)
    }

    /// Returns whether the step waits for a signal.
    pub(crate) const fn is_signal(&self) -> bool {
        matches!(self.kind, Some(StepKind::Signal))
    }

    /// Returns whether it is a sleep.
    pub(crate) const fn is_sleep(&self) -> bool {
        matches!(self.kind, Some(StepKind::Sleep))
    }

    /// Returns whether it is a `let` line. It has no effect, so its beginning is not committed: its
    /// value is, with the beginning of what follows.
    pub(crate) const fn is_let(&self) -> bool {
        matches!(self.kind, Some(StepKind::Let))
    }

    /// Returns whether it is a `start` or a `join` line.
    pub(crate) const fn is_child(&self) -> bool {
        matches!(self.kind, Some(StepKind::Start | StepKind::Join))
    }

    /// Returns whether somebody else runs it, and reports on it.
    pub(crate) const fn is_external(&self) -> bool {
        matches!(self.kind, Some(StepKind::External))
    }

    /// Returns whether it is a signal that is waited for no longer than a time of its own.
    pub(crate) fn gives_up(&self) -> bool {
        self.signal.is_some_and(|signal| signal.gives_up)
    }

    /// Returns whether its output is not saved, so that the step runs again after a resume.
    pub(crate) const fn is_volatile(&self) -> bool {
        matches!(self.kind, Some(StepKind::Volatile))
    }

    /// Returns whether it asks to wait itself, as a sleep and a signal do.
    pub(crate) const fn waits(&self) -> bool {
        match self.kind {
            Some(kind) => kind.waits(),
            None => false,
        }
    }

    /// Returns the same, with the type that a signal was given in its call.
    #[must_use]
    pub const fn of_type(mut self, text: &'static str) -> Self {
        if self.is_signal() {
            self.output = text;
        }
        self
    }

    /// Returns the same, with the schema of its output, if that has one.
    #[must_use]
    pub const fn shown(mut self, schema: Option<SchemaOf>) -> Self {
        self.schema = schema;
        self
    }

    /// Returns the same, with the options of a `#[step(…)]` on the line.
    #[must_use]
    pub const fn with(mut self, over: Policy) -> Self {
        self.policy = self.policy.overridden_by(over);
        self
    }
}

impl std::fmt::Debug for StepMeta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StepMeta")
            .field("policy", &self.policy)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}
