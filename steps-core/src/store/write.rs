//! Writes to executions, and their results.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    NodeRow,
    info::{ExecutionInfo, Refused},
    past::{Past, RowRanges},
    turn::SendMessage,
};
use crate::{
    base::{json::Json, telemetry::TraceContext},
    model::{
        notes::{NoteChange, Notes},
        state::Labels,
    },
};

/// The right to write to an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// How the store finds the execution, such as by a row's number. Only the store interprets it.
    pub key: i64,
    /// The fencing number, which is larger with each claim.
    pub fence: i64,
}

/// One write: it is stored completely or not at all.
#[derive(Clone, Debug)]
pub struct Write {
    /// The execution to write to.
    pub target: Target,
    /// The changed nodes with their new content; each replaces the row with the same number, if
    /// there is one. The root has number 0, and its status, times, errors and output are the
    /// execution's. Its input, id and labels are kept with the execution and are left out here. No
    /// number occurs twice; a store may reject numbers from 2²⁴ on.
    pub nodes: Vec<NodeRow>,
    /// The number from which on no row of the execution was written before: those of `nodes` with it or a larger one
    /// are new. `None`: not known, as by default. A store may take it as said.
    pub new_from: Option<u32>,
    /// The rows to delete, none of which is in `nodes`, nor above a row that stays.
    pub removed: RowRanges,
    /// Whether to delete the rows that are not in `nodes`. The execution's own data stays as the
    /// last write of the root set it.
    pub replace: bool,
    /// The messages whose effect is part of this write; the store deletes them. Numbers that are
    /// not in the inbox (any more) are ignored.
    pub taken: Vec<i64>,
    /// The signals whose values are among `nodes`; the store deletes them, too. If one of them is not
    /// in the inbox (any more), the write is refused with
    /// [`ErrorKind::Withdrawn`](super::ErrorKind::Withdrawn).
    pub signals: Vec<i64>,
    /// The names of [transactions](super::Store::transact) of this execution whose steps have ended by these nodes;
    /// the store forgets them. Names that it does not know are ignored.
    pub transactions: Vec<String>,
    /// The number of a [form](super::Form) of the flow that works on the execution from now on. One
    /// that is not larger than [what is kept](super::ExecutionInfo::form) changes nothing.
    pub form: Option<i64>,
    /// The rows that claims leave out from now on, in place of those that they left out before; `None`
    /// changes nothing. A write that [replaces](Self::replace) lets claims leave out only what it says
    /// itself.
    pub past: Option<Past>,
    /// Changes of what is [noted](Notes) of the execution, one after the other.
    pub notes: Vec<NoteChange>,
    /// Executions that are created with this write. If an id is already in use, the whole write is
    /// refused with [`ErrorKind::Exists`](super::ErrorKind::Exists).
    pub children: Vec<Child>,
    /// Messages to other executions, which are sent with this write, as by
    /// [`send`](super::Store::send). One whose conditions do not hold is not sent, and the write is
    /// stored all the same.
    pub tells: Vec<SendMessage>,
    /// What happens to the lease.
    pub then: LeaseAfter,
}

impl Write {
    /// A write that changes nothing but the lease.
    pub fn new(target: Target, then: LeaseAfter) -> Self {
        Self {
            target,
            nodes: Vec::new(),
            new_from: None,
            removed: RowRanges::default(),
            replace: false,
            taken: Vec::new(),
            signals: Vec::new(),
            transactions: Vec::new(),
            form: None,
            past: None,
            notes: Vec::new(),
            children: Vec::new(),
            tells: Vec::new(),
            then,
        }
    }
}

/// The execution that a write goes to.
#[derive(Clone, Debug)]
pub enum Target {
    /// A new execution, created by this write. If its id is already in use, nothing is written.
    New(Box<NewExecution>),
    /// An execution that the worker holds.
    Held(Lease),
}

/// An execution to create.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// The id, which no other execution in the store has.
    pub id: String,
    /// The flow's name.
    pub flow: String,
    /// The flow's input.
    pub input: Json,
    /// The labels by which the execution is found.
    pub labels: Labels,
    /// What the service notes of it from the start.
    pub notes: Notes,
    /// The priority. Executions with a larger one are claimed first.
    pub priority: i32,
    /// The number of the [form](super::Form) of the flow that it is begun by.
    pub form: Option<i64>,
    /// The id of the execution that has started it, if one has.
    pub parent: Option<String>,
    /// A key that no other execution of the flow has which has not ended. It has it until it has ended,
    /// that is, while its status is not [final](crate::Status::is_final). A write that lets it go on again
    /// is refused with [`ErrorKind::Taken`](super::ErrorKind::Taken) if another one has the key by then;
    /// but a rollback goes on, and has no key any more.
    pub singleton: Option<String>,
    /// The trace context of whoever starts it, if there is one. It never changes.
    pub trace: Option<TraceContext>,
    /// When it was created, if not now: of one that was created in another store.
    pub created_at: Option<Timestamp>,
    /// The worker that holds the execution from the start, and the duration of its lease. Without a
    /// worker, [`LeaseAfter::Release`] says when the execution is due, and [`LeaseAfter::Keep`] is
    /// [`Rejected`](super::ErrorKind::Rejected).
    pub held: Option<(String, Duration)>,
}

/// An execution that is created with a write to another one. Nobody holds it.
#[derive(Clone, Debug)]
pub struct Child {
    /// The execution. It is created without a worker: [`held`](NewExecution::held) means nothing.
    pub new: NewExecution,
    /// Its rows: none, or a root that has not begun.
    pub nodes: Vec<NodeRow>,
    /// When it is due.
    pub due: Due,
}

/// What happens to the lease after a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseAfter {
    /// The lease is kept, and ends at the same time as before.
    Keep,
    /// The lease is given back, and is no longer valid.
    Release {
        /// When the execution is due again.
        due: Due,
        /// The number of the newest message that the worker knows, or 0. If there is a newer one,
        /// the execution is due now, regardless of `due`.
        last_message: i64,
    },
    /// The lease is given back, and the execution is not given to a worker whose flow is one of these
    /// [`by`](Refused::by), because the saved tree does not fit it. The execution is due now.
    Refuse(Refused),
}

/// When an execution is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now, by the store's clock.
    Now,
    /// At this time, which may be in the past.
    At(Timestamp),
    /// Only when a message arrives.
    Never,
}

/// The result of a write.
#[derive(Clone, Debug)]
pub enum Written {
    /// The write was stored.
    Kept,
    /// The write was stored and the lease given back, but a message newer than
    /// [`last_message`](LeaseAfter::Release::last_message) has made the execution due now.
    Recalled,
    /// The execution was created. The lease is valid if the execution was created for a worker and
    /// the write kept the lease.
    Created(Lease),
    /// The execution was to be created for a worker, and its flow is
    /// [paused or limited](super::LimitedFlow): nothing was written. It is given back; its worker may create
    /// it for nobody, so that a claim begins it.
    Limited(Box<NewExecution>),
    /// The [key](NewExecution::singleton) of the new execution is that of another one, so nothing was
    /// written. An execution with its id would have been told instead.
    Taken {
        /// The id of the one that has it.
        by: String,
        /// The new one, which is given back.
        new: Box<NewExecution>,
    },
    /// There is already an execution with this id, so nothing was written.
    Exists(Box<Existing>),
}

/// The execution that already has the id of a new one.
#[derive(Clone, Debug)]
pub struct Existing {
    /// The execution's data, without its tree.
    pub info: ExecutionInfo,
    /// The execution's input.
    pub input: Json,
}
