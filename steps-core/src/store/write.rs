//! What a worker writes.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    NodeRow,
    query::{ExecutionInfo, Refused},
};
use crate::{base::json::Json, model::state::Labels};

/// The right to write to an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// By what the store finds the execution: its own business, such as a row's number.
    pub key: i64,
    /// The fencing number: larger with each claim.
    pub fence: i64,
}

/// One write: kept whole or not at all.
#[derive(Clone, Debug)]
pub struct Write {
    /// To which execution.
    pub target: Target,
    /// The nodes that changed, each with its new content, in place of the row of the same number
    /// if there is one. The root has number 0; its status, times, errors and output are the
    /// execution's. Its input, id and labels are kept with the execution and are left out here.
    /// No number stands twice; a store may reject those from 2²⁴ on.
    pub nodes: Vec<NodeRow>,
    /// Whether rows that are not in `nodes` are deleted. What is known of the execution stays as
    /// the root last told.
    pub replace: bool,
    /// The messages that have had their effect with this write: they are deleted. Numbers that are
    /// not in the inbox (any more) are passed over.
    pub taken: Vec<i64>,
    /// What becomes of the lease.
    pub then: LeaseAfter,
}

/// To which execution a write goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// One that is made by this write. If there is one of the same id, nothing is written.
    New(Box<NewExecution>),
    /// One that is held.
    Held(Lease),
}

/// An execution to be made.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// Its id, which no other execution in the store has.
    pub id: String,
    /// Its flow's name.
    pub flow: String,
    /// The flow's input.
    pub input: Json,
    /// By what it is found.
    pub labels: Labels,
    /// Larger ones are claimed first.
    pub priority: i32,
    /// The worker that holds it from the start, and for how long; without one, it is due as
    /// [`LeaseAfter::Release`] says, and [`LeaseAfter::Keep`] is [`Rejected`](super::ErrorKind::Rejected).
    pub held: Option<(String, Duration)>,
}

/// What becomes of the lease after a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseAfter {
    /// It is kept, and ends when it was to end.
    Keep,
    /// It is given back, and no longer good.
    Release {
        /// When the execution is due again.
        due: Due,
        /// The newest message that the worker knows of, or 0. If there is a newer one, the
        /// execution is due now, whatever `due` says.
        last_message: i64,
    },
    /// It is given back, and not given to a worker whose flow has this fingerprint: the saved tree
    /// does not fit that. It is due now.
    Refuse(Refused),
}

/// When an execution is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now, by the store's clock.
    Now,
    /// At this time, be it past.
    At(Timestamp),
    /// Not before a message comes.
    Never,
}

/// What a write came to.
#[derive(Clone, Debug)]
pub enum Written {
    /// It is kept.
    Kept,
    /// It is kept, and the lease given back; and a message that is newer than
    /// [`seen`](LeaseAfter::Release::seen) has made the execution due now.
    Recalled,
    /// The execution was made. The lease is good if it was made for a worker, and the write kept
    /// it.
    Created(Lease),
    /// There is an execution of this id, so nothing was written.
    Exists(Box<Existing>),
}

/// The execution that has the id which a new one was to have.
#[derive(Clone, Debug)]
pub struct Existing {
    /// What is known of it.
    pub info: ExecutionInfo,
    /// Its input.
    pub input: Json,
}
