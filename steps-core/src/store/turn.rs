//! Turns: claims, leases, and messages to executions.

use std::{borrow::Cow, time::Duration};

use jiff::Timestamp;

use super::{
    NodeRow,
    info::{ExecutionInfo, Refuser},
    past::Past,
    write::{Due, Lease, LeaseAfter},
};
use crate::{
    base::{clock::between, json::Json},
    model::status::Status,
};

/// A worker's request for work.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The worker's name, which no other process has.
    pub worker: String,
    /// How long a lease lasts without renewal.
    pub lease: Duration,
    /// The flows that the worker can run.
    pub flows: Vec<FlowClaim>,
    /// The maximum number of executions in all. With 0, the answer only says what is due next.
    pub limit: usize,
    /// Executions that are due although the wall clock may not show it, because it was set back: the
    /// worker has waited for them by a clock that nobody can set. Each is due if it still waits for
    /// just that time.
    pub waited: Vec<Wait>,
    /// How long an execution is due until it counts as one of the next higher priority; `None`: never.
    pub ageing: Option<Duration>,
}

impl Claim {
    /// Returns the priority that counts for one that has been due since then.
    pub fn rank(&self, priority: i32, due: Timestamp, now: Timestamp) -> i64 {
        let waited = between(due, now);
        let steps = self
            .ageing
            .map_or(0, |each| waited.as_nanos() / each.as_nanos().max(1));
        i64::from(priority).saturating_add(i64::try_from(steps).unwrap_or(i64::MAX))
    }
}

/// An execution that waits for a time, and that nobody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The [key](ExecutionInfo::key) of the execution.
    pub key: i64,
    /// The time, as the store has it.
    pub until: Timestamp,
}

/// A flow that a worker can run.
#[derive(Clone, Debug)]
pub struct FlowClaim {
    /// The flow's name and its aliases.
    pub names: Vec<Cow<'static, str>>,
    /// The flow in this build of the program. Executions that it has
    /// [refused](super::LeaseAfter::Refuse) are passed over.
    pub refuser: Refuser,
    /// The maximum number of executions of this flow.
    pub limit: usize,
}

/// The answer to a [`Claim`].
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The executions that the worker holds now.
    pub taken: Vec<HeldExecution>,
    /// When the next execution of these flows is due, as far as that is known. It covers executions
    /// that were left because of a limit, that wait, or that other workers hold, but not those
    /// that these flows have refused. `None` if there are none. The time may be too early, but
    /// never too late. It is in the past only if a limit left an execution that is already due.
    pub next_due: Option<Timestamp>,
    /// The execution of these flows that waits for the earliest time, of those that wait for one
    /// that the store's clock has not come to. The worker counts the time until then itself.
    pub next_wait: Option<Wait>,
    /// The flows of the claim that are [paused or limited](super::LimitedFlow), by the names that are: a
    /// worker does not try to create executions of these for itself. Executions that were left because of
    /// that count as [due next](Self::next_due) when it is known when they will not be left any more, such
    /// as by a rate, and not before.
    pub limited: Vec<String>,
    /// Whether executions were left, or may have been, that the claim could have had, because the answer would have
    /// had more than a [`Share`](super::Share) of rows or bytes: the worker asks again at once. An
    /// execution that alone has more comes alone.
    pub left: bool,
    /// The time of the store's wall clock at this claim.
    pub now: Timestamp,
}

/// An execution that a worker holds.
#[derive(Clone, Debug)]
pub struct HeldExecution {
    /// The right to write to the execution.
    pub lease: Lease,
    /// When it was due, before it was leased: for one that was taken over, when the lease ended. `None` if
    /// it was not due.
    pub was_due: Option<Timestamp>,
    /// The execution's current data, without its tree.
    pub info: ExecutionInfo,
    /// The flow's input.
    pub input: Json,
    /// The rows of the tree, in any order. Empty if the execution has not begun.
    pub nodes: Vec<NodeRow>,
    /// What is [past](super::Write::past) and not among `nodes`; of an [acquired](super::Store::acquire)
    /// execution, nothing.
    pub past: Option<Past>,
    /// The messages with their numbers, oldest first.
    pub messages: Vec<(i64, Message)>,
    /// If the execution was taken over: the previous worker, whose lease ended without being given
    /// back.
    pub previous_worker: Option<String>,
    /// Those who had refused it, which this lease has ended. Who refuses it as well says so of them
    /// too, so that it is not given to one after the other for ever.
    pub refused_by: Vec<Refuser>,
}

impl HeldExecution {
    /// Returns the number of the newest message, or 0.
    pub(crate) fn last_message(&self) -> i64 {
        self.messages.last().map_or(0, |(number, _)| *number)
    }

    /// Returns how the lease is given back by who changes nothing: what has ended rests, and what was waiting is due
    /// now, as its next turn finds out what it waits for.
    pub(crate) fn unchanged(&self) -> LeaseAfter {
        LeaseAfter::Release {
            due: if self.info.status.is_final() {
                Due::Never
            } else {
                Due::Now
            },
            last_message: self.last_message(),
        }
    }

    /// Returns the numbers of the requests to stop and to undo. Whoever changes the execution for an
    /// operator takes them out of the inbox: they were made of what it was before.
    pub(crate) fn requests(&self) -> Vec<i64> {
        let requests = self
            .messages
            .iter()
            .filter(|(_, message)| matches!(message, Message::Stop | Message::Undo));
        requests.map(|(number, _)| *number).collect()
    }
}

/// A worker's request for one execution.
#[derive(Clone, Debug)]
pub struct Acquire {
    /// The execution's id.
    pub id: String,
    /// The worker's name.
    pub worker: String,
    /// How long the lease lasts.
    pub lease: Duration,
    /// Which lease on the execution this one takes the place of.
    pub over: TakeOver,
}

/// Which lease on an execution another one may take the place of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TakeOver {
    /// One that has ended, or was given back.
    #[default]
    Ended,
    /// Any: the holder's later writes and renewals are refused, as after the end of its lease.
    Any,
}

/// The answer to an [`Acquire`].
#[derive(Clone, Debug)]
pub enum Acquired {
    /// The worker holds the execution.
    Held(Box<HeldExecution>),
    /// Another lease on the execution has not ended.
    Busy {
        /// The worker that holds it.
        worker: String,
        /// When that lease ends, unless it is renewed.
        until: Timestamp,
    },
    /// There is no execution with this id.
    Unknown,
}

/// A worker's heartbeat.
#[derive(Clone, Debug)]
pub struct Renew {
    /// How long the leases last from now.
    pub lease: Duration,
    /// The leases, each with the number of the newest message that the worker knows, or 0.
    pub held: Vec<(Lease, i64)>,
    /// The worker that holds these and no others, so that a store may keep one end for all of them. `None` if the
    /// worker may hold more. Either way, a lease that is not among them ends when it would have ended.
    pub all_of: Option<String>,
}

impl Renew {
    /// Returns the renewal of some leases.
    pub fn some(lease: Duration, held: Vec<(Lease, i64)>) -> Self {
        Self {
            lease,
            held,
            all_of: None,
        }
    }
}

/// The result of renewing one lease.
#[derive(Clone, Debug)]
pub enum Renewal {
    /// The lease was extended; these messages have arrived since.
    Held(Vec<(i64, Message)>),
    /// Another worker holds the execution now, or the execution was deleted, or the lease was given
    /// back.
    Lost,
}

/// A message to an execution. It stays in the inbox until a write lists it as
/// [taken](super::Write::taken), or until another message [replaces](Queue::Replace) it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Message {
    /// A value for the step at this path, which waits for a signal or will wait for one.
    Signal {
        /// The step's [path](crate::model::state::path). In the place of a key, `*` stands for any.
        path: String,
        /// The value.
        value: Json,
    },
    /// Begin no new step.
    Stop,
    /// Begin no new step, and undo what was done.
    Undo,
    /// A report on the external task of one of its steps.
    Report {
        /// The task's [id](crate::TaskId).
        task: String,
        /// The [report](crate::TaskReport), as JSON.
        report: Json,
    },
    /// An execution that this one has started has ended.
    ChildEnded {
        /// Its id.
        child: String,
    },
}

/// A request to send a message.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// The id of the execution.
    pub id: String,
    /// The message.
    pub message: Message,
    /// Send only if the execution is in one of these statuses; if empty, in any status.
    pub if_status: Vec<Status>,
    /// Send only if so many messages [have been taken](super::ExecutionInfo::messages_taken): then
    /// what the caller has read of the execution still says which steps have taken theirs.
    pub if_taken: Option<u64>,
    /// What becomes of messages like this one that are in the inbox.
    pub queue: Queue,
}

/// What becomes of the messages in an execution's inbox that are of the same kind (and path) as a
/// new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// The new message takes their place, with a number of its own.
    Replace,
    /// They stay, and the new message comes after them. If there are this many or more, it is not
    /// stored.
    Behind(usize),
}

/// The result of sending a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageReceipt {
    /// The message is in the inbox, with this number, which is larger than those of all earlier
    /// messages.
    Stored(i64),
    /// The message was not stored, because the execution is in this status.
    WrongStatus(Status),
    /// The message was not stored, because another number of messages has been taken.
    Changed,
    /// The message was not stored, because there are too many like it.
    Full,
    /// There is no execution with this id.
    Unknown,
}
