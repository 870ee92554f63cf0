//! Whose turn it is: claims, leases, and messages to who holds one.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;

use super::{NodeRow, query::ExecutionInfo, write::Lease};
use crate::{base::json::Json, model::status::Status};

/// A worker asks for work.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who asks: a name that no other process has.
    pub worker: String,
    /// How long the leases last without a renewal.
    pub lease: Duration,
    /// The flows it can run.
    pub flows: Vec<FlowClaim>,
    /// At most how many in all. With 0, the answer only says what is due next.
    pub limit: usize,
}

/// A flow that a worker can run.
#[derive(Clone, Debug)]
pub struct FlowClaim {
    /// The flow's name and its aliases.
    pub names: Vec<Cow<'static, str>>,
    /// The fingerprint of the flow as it is compiled: what was [refused](super::LeaseAfter::Refuse) for
    /// it is passed over.
    pub fingerprint: u64,
    /// At most how many executions of it.
    pub limit: usize,
}

/// What a worker got.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The executions it now holds.
    pub taken: Vec<HeldExecution>,
    /// When the next execution of these flows is due, as far as that is known: what was left by
    /// a limit, what waits, and what other workers hold; but not what is refused for these
    /// fingerprints. None if there is nothing. It is never later than that, and not past unless
    /// a limit has left something that is due.
    pub next_due: Option<Timestamp>,
    /// The store's clock at this claim.
    pub now: Timestamp,
}

/// One execution in a worker's hands.
#[derive(Clone, Debug)]
pub struct HeldExecution {
    /// The right to write to it.
    pub lease: Lease,
    /// What is known of it, as it is now.
    pub info: ExecutionInfo,
    /// Its flow's input.
    pub input: Json,
    /// Its rows, in any order. None where it has not begun.
    pub nodes: Vec<NodeRow>,
    /// Its messages and their numbers, oldest first.
    pub messages: Vec<(i64, Message)>,
    /// The worker whose lease had ended without being given back, if it is taken over from one.
    pub previous_worker: Option<String>,
}

/// A worker asks for one execution.
#[derive(Clone, Debug)]
pub struct Acquire {
    /// The execution.
    pub id: String,
    /// Who asks.
    pub worker: String,
    /// How long the lease lasts.
    pub lease: Duration,
}

/// What came of a [`Acquire`].
#[derive(Clone, Debug)]
pub enum Acquired {
    /// The worker has it.
    Held(Box<HeldExecution>),
    /// Somebody else has, at least until then.
    Busy {
        /// Who.
        worker: String,
        /// Until when, unless it is renewed.
        until: Timestamp,
    },
    /// There is no execution of this id.
    Unknown,
}

/// A worker's heartbeat.
#[derive(Clone, Debug)]
pub struct Renew {
    /// How long the leases last from now.
    pub lease: Duration,
    /// The leases, each with the newest message that the worker knows of, or 0.
    pub held: Vec<(Lease, i64)>,
}

/// What came of the renewal of one lease.
#[derive(Clone, Debug)]
pub enum Renewal {
    /// It lasts longer; these messages came since.
    Held(Vec<(i64, Message)>),
    /// Somebody else has the execution now, or it is gone, or the lease was given back.
    Lost,
}

/// A message to an execution. It stays in the inbox until a write says that it was
/// [taken](super::Write::taken), or another of the same kind (and path) takes its place, with a
/// number of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// A value for the step at this path that waits for a signal, or will.
    Signal {
        /// The step's [path](crate::model::state::path).
        path: String,
        /// The value.
        value: Json,
    },
    /// No new step is to begin.
    Stop,
    /// No new step is to begin, and what was done is to be undone.
    Undo,
}

/// Somebody sends a message.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// To which execution.
    pub id: String,
    /// What.
    pub message: Message,
    /// Only if the execution is in one of these statuses; in any if there is none.
    pub if_status: Vec<Status>,
}

/// What came of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageReceipt {
    /// It is in the inbox, with this number: larger than that of any message before it.
    Stored(i64),
    /// It is not, as the execution is in this status.
    WrongStatus(Status),
    /// There is no execution of this id.
    Unknown,
}
