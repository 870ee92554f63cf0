//! The interpreter: one pass over an execution's tree, forward or back.
//!
//! A pass runs what can run, and returns whether the execution is done, has failed or waits. The
//! caller, in [`crate::run`], decides what follows. The control flow (order, parallelism, retries,
//! rollback, recording) is written here once, without type parameters: the interpreter reaches
//! users' code through [`Scope`](crate::language::scope::Scope).
//!
//! | file | job |
//! |---|---|
//! | `run_core`, `records/` | the data of a run: the records of all nodes, its options, its journal |
//! | `execution`, `ending` | a pass over a whole execution; its rollback |
//! | `handlers`, `nested_ends` | calling the handlers of a flow; when those of nested flows are called |
//! | `sequence`, `group`, `step`, `loops`, `parallel`, `race`, `arms` | forward: lines in order, and each kind of line |
//! | `data_flow` | which lines of a `parallel` begin, or are undone, after which |
//! | `rollback`, `undo` | back: undoing lines, last first; the undo of one step |
//! | `enter`, `restore` | entering a scope with the recorded values, and filling its slots from them |
//! | `user_code`, `retry`, `deaths` | calling users' functions; whether another attempt follows, also after the process died |
//! | `deadlines` | the time by which a line must have ended |
//! | `attempt_end` | an attempt that ends without a value |
//! | `effect` | what a step did: verifying it, looking at it, taking it back at once |
//! | `signal_queue`, `signals` | the signals that no step has taken yet; how steps take them |
//! | `report_queue`, `reports` | the reports on external tasks that no step has taken yet; how steps take them, and ask for a task to be stopped |
//! | `children`, `ended_children` | the child executions whose end is told to a run |
//! | `past` | the rounds that were left out, as they are over; bringing them back for a rollback |
//! | `requests`, `gate` | requests from outside; whether new work may begin |
//! | `commit`, `notify`, `host` | the connection to the journal, to the observer, and to running steps |
//! | `failures`, `limits` | recording and finding failures; bounds |
//!
//! # Invariants
//!
//! * **A status changes in one way**: through [`Record::on`](records::Record::on), while the
//!   records are locked. Each change is followed by `changed`, which marks the node for the journal
//!   and notifies the observer, or, if the transition is not possible, stops the run: nothing more is
//!   recorded or begins, and the pass ends as a misfit. Other users' code never runs while the records are locked.
//! * **An effect comes after its record**: `commit` returns before an attempt, an undo or a handler
//!   is called. Nothing else needs a commit: marked nodes go with the next one, so the end of a
//!   step and the beginning of the next are one batch. A branch of a `parallel` commits its last
//!   record itself, because the next commit may be a long time away.
//! * **After an error of the journal** the run records nothing more: each later commit returns the
//!   same error, and every function passes it up as `Err` of [`Kept`].
//! * **`loaded`** (a node with a scope): the values of the node's finished children are in their
//!   slots. False only for nodes that were read from a saved state, until `restore` has loaded
//!   them, once.
//! * **`cancelled`** (a node): below the node nothing new begins, except what is `atomic`. Set when
//!   a branch fails, and then never cleared in the same run; or when a line loses a `race`, until it has
//!   ended. `RunCore::cancelled` counts the nodes that are cancelled.
//! * **`dirty`** (in the committer): numbers of the nodes that changed since the last batch, and of
//!   the signals that were given to them. Emptied under the lock that is held while the journal
//!   takes the batch, so no change is sent twice; and while the records are locked, so that a batch
//!   has either both of a signal's value and its number, or neither.
//! * **Branches share batches**: whoever has waited for another branch's batch asks only whether the
//!   changes made before its own call are safe by then. So of any number of branches that wait for one
//!   batch, one sends the next, with the changes of all.
//! * **`replaces`** (in the committer): the journal's rows are not those of the state that the run
//!   began with, so the first batch holds all nodes and replaces all rows.
//! * **The root's `ending`** names the handler that must still be called. It is set in the record
//!   of how the flow ended, and cleared in the record after the handler; after a crash between the
//!   two, the handler is called again. While it is `OnDone`, the output is recorded and the steps
//!   do not run again.
//! * **A node's row** (its number in the journal) is assigned when the node is first sent to the
//!   journal, parents before children, and stays the same in every run of the execution.

mod arms;
mod attempt_end;
mod children;
mod commit;
mod data_flow;
mod deadlines;
mod deaths;
mod effect;
mod ended_children;
mod ending;
mod enter;
pub(crate) mod execution;
mod failures;
mod gate;
mod group;
mod handlers;
mod host;
mod limits;
mod loops;
mod measured;
mod nested_ends;
mod notify;
mod parallel;
mod past;
mod pauses;
mod race;
pub(crate) mod records;
mod report_queue;
mod reports;
mod requests;
mod restore;
mod retry;
mod rollback;
mod room;
mod run_core;
mod sequence;
mod signal_queue;
mod signals;
mod step;
#[cfg(test)]
mod tests;
mod transactions;
mod undo;
pub(crate) mod user_code;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    base::{clock::Deadline, error::JournalError},
    language::cx::Cx,
};
pub(crate) use enter::RootFlow;
pub(crate) use failures::{cause_of, pivot_of};
pub use limits::RunLimits;
use records::Id;
pub(crate) use report_queue::QueuedReport;
pub(crate) use requests::{Request, RequestInbox, Requests};
pub(crate) use run_core::{Fault, Observer, RunCore, RunOptions, StepLog, WholeTree};
pub(crate) use signal_queue::{Signal, SignalQueue};

/// How a node's forward pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The node is done, or its failure is passed over.
    Done,
    /// The node waits until this time or, without one, for a signal. A halted node also ends with
    /// `Waiting(None)`.
    Waiting(Option<Deadline>),
    /// The node failed.
    Failed,
    /// The node was not begun, or not finished, because a sibling failed or an undo was requested.
    Interrupted,
}

/// How a node's rollback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RollbackEnd {
    /// Everything that had to be undone is undone.
    Clean,
    /// The rollback reached a pivot that is done; the lines before it are not undone.
    Pivot,
    /// An undo waits for its next attempt.
    Waiting(Deadline),
    /// The rollback was halted, and goes on in another process.
    Halted,
    /// An undo failed.
    Failed,
}

/// Returns the earlier of two deadlines; `None` is later than any.
pub(crate) fn sooner(a: Option<Deadline>, b: Option<Deadline>) -> Option<Deadline> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.sooner(b)),
        (a, b) => a.or(b),
    }
}

/// One pass. Each file of this module has the methods for its job.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'r> {
    pub(crate) run: &'r Arc<RunCore>,
}

/// The result of a function that may commit; the error is the journal's.
pub(crate) type Kept<T> = Result<T, JournalError>;

impl Pass<'_> {
    /// Returns the context for a node's code.
    fn cx(self, id: Id, attempt: u32) -> Cx {
        let host: Arc<RunCore> = Arc::clone(self.run);
        Cx::new(host, id, attempt)
    }

    fn now(self) -> Timestamp {
        self.run.options.clock.now()
    }

    /// Returns the end of a wait of this length which began at `now`.
    fn deadline(self, now: Timestamp, wait: Duration) -> Deadline {
        self.run.options.clock.deadline(now, wait)
    }
}
