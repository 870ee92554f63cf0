//! The interpreter: one pass over an execution's tree, forward or back.
//!
//! A pass runs what can run and ends as done, failed, or waiting; what that leads to is for the
//! caller, in [`crate::run`]. The control flow (order, parallelism, retries, rollback, recording) is
//! written here once, without type parameters: users' code is reached through
//! [`Scope`](crate::language::scope::Scope).
//!
//! | file | job |
//! |---|---|
//! | `run_core`, `records/` | what a run holds: the records of all nodes, its options, its journal |
//! | `execution`, `ending` | a pass over a whole execution; its rollback and its handlers |
//! | `sequence`, `group`, `step`, `loops`, `parallel` | forward: lines in order, and each kind of line |
//! | `rollback` | back: undoing lines, last first |
//! | `enter`, `restore` | entering a scope with what is recorded, and filling its slots from it |
//! | `user_code`, `retry` | calling a function of the user's; whether another attempt follows |
//! | `requests`, `gate` | what is asked from outside; whether something may begin |
//! | `commit`, `notify`, `failures`, `limits`, `host` | telling the journal, the observer, and who asks; bounds |
//!
//! # What is always so
//!
//! * **A status changes in one way**: through [`Record::on`](records::Record::on), while the records
//!   are locked, and each change is followed by `changed`, which marks the node for the journal and
//!   tells the observer. Users' code never runs while the records are locked.
//! * **An effect comes after its record**: `commit` returns before an attempt, an undo or a handler
//!   is called. Nothing else needs a commit; what is marked goes with the next one, so the end of a
//!   step and the beginning of the next are one batch. A branch of a `parallel` commits its last
//!   record itself, as nobody else may come by for a long time.
//! * **After an error of the journal** the run records nothing more: each later commit gives the
//!   same error, and every function hands it up as `Err` of [`Kept`].
//! * **`loaded`** (a node with a scope): the values of its finished children are in their slots. False
//!   only for nodes that were read from a saved state, until `restore` has been there, once.
//! * **`cancelled`** (a node): nothing that has not begun below it will begin, except what is
//!   `atomic`. Set when a branch fails, never cleared in the same run. `RunCore::cancelled` says
//!   whether any node is.
//! * **`dirty`** (in the committer): numbers of the nodes that changed since the last batch. Emptied
//!   under the lock that is held while the journal takes the batch, so no change is told twice.
//! * **`replaces`** (in the committer): the journal's rows are not those of the state that the run
//!   began with, so the first batch holds all nodes and takes the place of all rows.
//! * **The root's `ending`** says which handler is still to be called. It is set with the record of
//!   how the flow ended and cleared with the record after the handler; a crash between the two calls
//!   the handler again. While it is `OnDone`, the output is recorded and the steps do not run again.
//! * **A node's row** (its number in the journal) is given once, when it is first told, parents
//!   before children, and stays the same in every run of the execution.

mod commit;
mod ending;
mod enter;
pub(crate) mod execution;
mod failures;
mod gate;
mod group;
mod host;
mod limits;
mod loops;
mod notify;
mod parallel;
pub(crate) mod records;
mod requests;
mod restore;
mod retry;
mod rollback;
mod run_core;
mod sequence;
mod step;
#[cfg(test)]
mod tests;
pub(crate) mod user_code;

use std::sync::Arc;

use jiff::Timestamp;

use crate::{base::error::JournalError, language::cx::Cx};
pub(crate) use failures::cause_of;
pub use limits::RunLimits;
use records::Id;
pub(crate) use requests::{Request, RequestInbox, Requests};
pub(crate) use run_core::{Observer, RunCore, RunOptions};

/// How a node's forward pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It is done, or its failure is passed over.
    Done,
    /// It waits: until a time, if that is given, or else for a signal. Also where it was halted.
    Waiting(Option<Timestamp>),
    /// It failed.
    Failed,
    /// It was not begun, or not finished, as a sibling failed.
    Interrupted,
}

/// How a node's rollback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RollbackEnd {
    /// All that was to be undone is.
    Clean,
    /// A pivot was done: what came before it stays.
    Pivot,
    /// An undo waits for its next attempt.
    Waiting(Timestamp),
    /// It was halted, to go on in another process.
    Halted,
    /// An undo failed.
    Failed,
}

/// The sooner of two times, where no time is later than any.
pub(crate) fn sooner(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// One pass. Its methods stand in the files of what they do.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'r> {
    pub(crate) run: &'r Arc<RunCore>,
}

/// The result of anything that may lose its journal.
pub(crate) type Kept<T> = Result<T, JournalError>;

impl Pass<'_> {
    /// The context of a node's code.
    fn cx(self, id: Id, attempt: u32) -> Cx {
        let host: Arc<RunCore> = Arc::clone(self.run);
        Cx::new(host, id, attempt)
    }

    fn now(self) -> Timestamp {
        self.run.options.clock.now()
    }
}
