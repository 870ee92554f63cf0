//! Where executions are kept: the trait that a database implements for the engine.
//!
//! A store keeps *executions*. Each has an id, the name of its flow, an input, labels, a priority,
//! a tree of nodes, one row for each, and an inbox of [messages](Message). It also says whose turn
//! it is: an execution is worked on by one worker at a time, which holds a [`Lease`] on it.
//!
//! # How an execution moves
//!
//! * It is **due** from some time on, or never. A [`claim`](Store::claim) gives those whose time
//!   has come to a worker, under a lease, and makes them due again when the lease ends. So a timer,
//!   a delayed start and the taking over of a dead worker's executions are one thing: a time in one
//!   column, with an index.
//! * Each claim gives the execution a new **fencing number**, larger than any it had. A
//!   [`write`](Store::write) names the number it was claimed with and is refused with
//!   [`ErrorKind::Fenced`] once there is a newer one: a worker that was away for longer than its
//!   lease can't write any more. A lease that has ended, but was not claimed by anybody since, is
//!   still good. One that was given back is not, nor is one on an execution that was deleted, even
//!   if its id is in use again.
//! * [`renew`](Store::renew) puts the ends of leases off: the heartbeat. Nothing else does.
//! * The last write of a turn gives the lease back, and says when the execution is due again.
//!
//! # What a store has to promise
//!
//! * A write is kept whole or not at all, and is safe (synced, as its settings have it) before the
//!   call returns. A call that gives an error has changed nothing; where that can't be known (a lost
//!   connection), the fencing number still keeps a second write by somebody else apart from it.
//! * Writes of one execution are made one after the other by the engine; writes of different ones
//!   at once. A store may put any number of them in one transaction, and one that can't be made
//!   fails alone.
//! * Times are compared with the store's own clock: a worker's may be wrong. What is due at a time
//!   is due as soon as the clock shows it.
//! * All comes back as it was written: texts and JSON to the byte, times of nodes to the nanosecond,
//!   other times to the microsecond at least. Such a time that is before 1700 or after 2200 may be
//!   kept as another one there: what is due then is due at once, or not in our time. A text holds
//!   no NUL.
//! * Values are taken up to 1 MiB at least, and lists of tens of thousands. What is larger may be
//!   [`Rejected`](ErrorKind::Rejected).
//! * No method calls back, and none holds a transaction open after it has returned.
//! * Any number of processes may use one store at once, if it is that kind of database.
//!
//! `testing::store` has a test for each of these rules: a store passes them or is none.

mod error;
mod memory;
mod query;
pub(crate) mod root;
mod turn;
mod write;

pub use crate::{base::future::BoxFuture, model::state::NodeRow};
pub use error::{ErrorKind, StoreError};
pub use memory::MemoryStore;
pub use query::{ExecutionInfo, ExecutionQuery, Refused, StoredExecution};
pub use turn::{
    Acquire, Acquired, Claim, Claimed, FlowClaim, HeldExecution, Message, MessageReceipt, Renew,
    Renewal, SendMessage,
};
pub use write::{Due, Existing, Lease, LeaseAfter, NewExecution, Target, Write, Written};

/// A database of executions. See the [module](self) for what it has to promise.
///
/// All methods take owned values and give boxed futures, so that a store can hand them to another
/// thread or connection, and an engine can hold any store.
pub trait Store: Send + Sync + 'static {
    /// Makes an execution, or writes to one under a lease: see [`Write`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Fenced`] where the lease is no longer the newest, or the execution is gone.
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>>;

    /// The same, called where the thread may be blocked with `tokio::task::block_in_place`: from a
    /// task of a multi-threaded tokio runtime. A store whose caller would wait for nothing but its
    /// own write may make it here and now, on the caller's thread, which saves two changes of
    /// thread. By default a [`write`](Self::write).
    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.write(write)
    }

    /// Gives the worker executions that are due, those of higher priority first, and of the same
    /// priority those that were due first; with their trees and messages. Taking one that was
    /// [refused](ExecutionInfo::refused) by another flow ends that refusal.
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>>;

    /// Gives the worker this execution, due or not, unless another lease on it has not ended, be it
    /// the worker's own: for an operator's change. It ends a refusal, as a claim does.
    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>>;

    /// Puts off the end of leases, and gives the messages that came since: an answer for each, in
    /// the same order. A lease that can be renewed is one that can be written under; one that was
    /// given back stays so, whatever heartbeat comes late.
    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>>;

    /// Puts a message in an execution's inbox. If nobody holds a lease on it, it is due now;
    /// otherwise its holder gets the message at its next renewal, or as soon as it has given the
    /// lease back.
    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>>;

    /// Makes those executions available to this fingerprint again that it had refused: called by a
    /// process that starts, as it may have been mended.
    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Everything kept of one execution.
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>>;

    /// The executions that a query finds, the newest first, by when they were made. Those that
    /// were made at the same time stand in an order that stays.
    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>>;

    /// How many executions a query finds, whatever its `limit` and `after`.
    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Deletes the executions that a query finds and that have ended, with all their rows, up to
    /// its `limit`, the oldest first, by when they were made; `after` means nothing here. One that
    /// has not ended (its status is not [final](crate::Status::is_final)), or on which there is a
    /// lease that has not ended, is passed over. Gives their number.
    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Finishes what was asked for and closes. Later calls fail with [`ErrorKind::Closed`].
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
