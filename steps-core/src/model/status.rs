//! The state machine of nodes and executions.
//!
//! Every change of a status goes through [`Status::on`]; nothing else in the project decides which
//! status may follow another. Deriving a status from the fields of a foreign document is up to the
//! state's reader, which calls [`Status::from_go`].

use std::fmt;

/// The status of a node of the tree, or of a whole execution.
///
/// A node is never [`Stuck`](Self::Stuck) or [`Stopped`](Self::Stopped): only executions are. An
/// execution is never [`Skipped`](Self::Skipped).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Status {
    /// Not begun.
    #[default]
    Pending,
    /// Begun and not yet ended.
    Running,
    /// Waiting for a time or a signal.
    Waiting,
    /// Ended successfully.
    Done,
    /// Ended with an error.
    Failed,
    /// Not begun, and it won't be: a sibling failed, or the flow was stopped.
    Skipped,
    /// Being undone.
    Undoing,
    /// Taken back.
    Undone,
    /// The undo failed.
    UndoFailed,
    /// An execution whose rollback failed: it waits for an operator.
    Stuck,
    /// An execution that was stopped on request.
    Stopped,
}

/// A transition of a node or an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transition {
    /// It begins, or continues.
    Begin,
    /// It starts to wait for a time or a signal.
    Wait,
    /// It ends successfully.
    Finish,
    /// It ends with an error.
    Fail,
    /// It will never begin.
    Skip,
    /// Its rollback begins, or continues.
    Undo,
    /// Its rollback ended successfully.
    UndoFinish,
    /// Its rollback ended with an error.
    UndoFail,
    /// It is cleared, so that it can begin again.
    Recover,
    /// An execution's rollback can't continue without an operator.
    Stick,
    /// An execution is stopped.
    Stop,
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Begin => "begin",
            Self::Wait => "wait",
            Self::Finish => "finish",
            Self::Fail => "fail",
            Self::Skip => "be skipped",
            Self::Undo => "be undone",
            Self::UndoFinish => "end its undo",
            Self::UndoFail => "fail to be undone",
            Self::Recover => "be cleared",
            Self::Stick => "get stuck",
            Self::Stop => "be stopped",
        })
    }
}

/// A transition that the state machine does not allow in this status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node that is {from} can't {transition}")]
pub struct IllegalTransition {
    /// The status before the transition.
    pub from: Status,
    /// The transition that was asked for.
    pub transition: Transition,
}

impl Status {
    /// All statuses, in the order of their declaration.
    pub const ALL: [Self; 11] = [
        Self::Pending,
        Self::Running,
        Self::Waiting,
        Self::Done,
        Self::Failed,
        Self::Skipped,
        Self::Undoing,
        Self::Undone,
        Self::UndoFailed,
        Self::Stuck,
        Self::Stopped,
    ];

    /// Returns the status after this transition, or an error if the transition is not allowed.
    pub const fn on(self, transition: Transition) -> Result<Self, IllegalTransition> {
        use Transition as T;
        Ok(match (self, transition) {
            (Self::Pending | Self::Running | Self::Waiting | Self::Stopped, T::Begin) => {
                Self::Running
            }
            (Self::Running | Self::Waiting, T::Wait) => Self::Waiting,
            (Self::Running | Self::Waiting, T::Finish) => Self::Done,
            (Self::Running | Self::Waiting, T::Fail) => Self::Failed,
            (Self::Pending, T::Skip) => Self::Skipped,
            (
                Self::Done
                | Self::Failed
                | Self::Running
                | Self::Waiting
                | Self::Undoing
                | Self::UndoFailed
                | Self::Stuck
                | Self::Stopped,
                T::Undo,
            ) => Self::Undoing,
            (Self::Undoing | Self::UndoFailed, T::UndoFinish) => Self::Undone,
            (Self::Undoing, T::UndoFail) => Self::UndoFailed,
            (Self::Undoing, T::Stick) => Self::Stuck,
            (
                Self::Failed
                | Self::Skipped
                | Self::Undone
                | Self::UndoFailed
                | Self::Stuck
                | Self::Stopped
                | Self::Done,
                T::Recover,
            ) => Self::Pending,
            (Self::Pending | Self::Running | Self::Waiting, T::Stop) => Self::Stopped,
            (from, transition) => return Err(IllegalTransition { from, transition }),
        })
    }

    /// Returns the status that the three fields of the Go form express: whether the node has begun,
    /// whether it has ended, and whether with an error.
    pub const fn from_go(started: bool, done: bool, failed: bool) -> Self {
        match (started, done, failed) {
            (_, true, true) => Self::Failed,
            (_, true, false) => Self::Done,
            (true, false, _) => Self::Running,
            (false, false, _) => Self::Pending,
        }
    }

    /// Returns whether nothing more happens in this status without a request from outside.
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Pending | Self::Running | Self::Waiting | Self::Undoing
        )
    }

    /// Returns the name used in JSON and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::UndoFailed => "undo_failed",
            Self::Stuck => "stuck",
            Self::Stopped => "stopped",
        }
    }

    /// Returns the status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
