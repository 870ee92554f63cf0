//! The store: the trait that a database implements for the engine, to keep executions.
//!
//! A store keeps *executions*. Each has an id, the name of its flow, an input, labels, a priority,
//! a tree with one row for each node, and an inbox of [messages](Message). A store also decides
//! whose turn it is: only one worker at a time works on an execution, and holds a [`Lease`] on it.
//!
//! # How an execution moves
//!
//! * An execution is **due** from a certain time on, or never. A [`claim`](Store::claim) gives a
//!   worker executions that are due, under a lease, and makes them due again when the lease ends.
//!   So timers, delayed starts and the takeover of a dead worker's executions all work in the same
//!   way: by an indexed column.
//! * Each claim gives the execution a new **fencing number**, larger than all earlier ones. A
//!   [`write`](Store::write) carries the number of its claim, and is refused with
//!   [`ErrorKind::Fenced`] if there is a newer number: a worker that was absent for longer than its
//!   lease can't write any more. A lease that has ended is still valid as long as nobody has
//!   claimed the execution since. A lease that was given back is not valid, nor is one on a deleted
//!   execution, even if its id is in use again.
//! * [`renew`](Store::renew), the heartbeat, extends leases. Nothing else does.
//! * The last write of a turn gives the lease back, and says when the execution is due again.
//!
//! Beside executions, a store keeps [duties](Duty): small rows that are changed by compare-and-set, for
//! what any one process of many is to do; of flows whether they are [paused or limited](LimitedFlow),
//! which claims go by; and [changes](Change) of statuses, for those who have
//! [subscribed](Store::subscribe) to them; and what steps have [logged](Store::log).
//!
//! # What a store must guarantee
//!
//! * A write is stored completely or not at all, and is safe (synced, according to the store's
//!   settings) before the call returns. A call that returns an error has changed nothing. If that
//!   can't be known, as after a lost connection or where the file is [gone](ErrorKind::Gone), the
//!   fencing number still separates it from a second write by another worker.
//! * The engine makes the writes of one execution one after the other, and those of different
//!   executions concurrently. A store may combine any number of them in one transaction; a write
//!   that can't be made fails alone.
//! * Times are compared with the store's own clocks, because a worker's clock may be wrong. What
//!   waits for a [time](Due::At) is due as soon as the store's wall clock shows it, and not before
//!   unless a claim says that its worker has [waited](Claim::waited) for it. All else goes by a
//!   clock that nobody can set, such as the time since the machine was started: the ends of leases,
//!   and what is due now. So setting the wall clock ends no lease and prolongs none, and what is due
//!   stays due. (For a database on a server that is the server's clock, which its administrator
//!   must not set by more than a lease; engines [go by it](Store::clock), too.) After a restart of the machine that all workers ran on, no lease is left.
//! * All data is read back as it was written: texts and JSON byte for byte, times of nodes to the
//!   nanosecond, and other times at least to the microsecond. Of these other times, one before 1700
//!   may be replaced by another one before 1700, and one after 2200 by another one after 2200: an
//!   execution that is due then is due at once, or not in our lifetime. Texts contain no NUL.
//! * A claim answers with no more than one [`Share`] of rows and bytes, or with one execution that
//!   alone has more, and reads or deletes no more than that in one transaction.
//! * Values are accepted up to at least 1 MiB, and lists up to tens of thousands of entries. Larger
//!   ones may be [`Rejected`](ErrorKind::Rejected).
//! * No method calls back into its caller, and none keeps a transaction open after it has returned.
//! * Any number of processes may use one store at the same time, if the database supports it.
//!
//! `testing::store` has a test for each of these rules; a store must pass them all.

use std::{any::Any, path::PathBuf, sync::Arc};

mod by_listing;
mod changed;
pub(crate) mod changes;
mod check;
pub mod codec;
pub mod column;
pub(crate) mod condition;
mod counts;
mod cursor;
mod duty;
mod error;
mod gates;
mod info;
mod labels;
mod limits;
mod log;
mod memory;
mod notice;
mod past;
mod query;
pub(crate) mod root;
mod share;
mod sort;
mod tables;
mod turn;
mod write;

use crate::base::{clock::ServerClock, json::Json};
pub use crate::model::{
    act::Act,
    flow_limits::{FlowLimits, PerLabel, Rate},
    log::{LogLevel, LogLimits, LogLine},
    notes::{NoteChange, Notes},
    statistics::{
        Collector, HourStatistics, PeriodStatistics, Quantiles, Seen, SlowExecution, Statistics,
        StatisticsQuery, StepStatistics,
    },
};
pub use crate::{
    base::{
        future::BoxFuture,
        transaction::{Abandoned, InTransaction, Transacted},
    },
    model::state::NodeRow,
};
pub use changed::{Before, Changed, NodeReader, Rewrite};
pub use changes::{
    Change, ChangeKind, ChangeQuery, ChangedStep, FailedChange, Settled, Subscription,
    SubscriptionInfo, WhichChanges,
};
pub use check::{CheckReport, Damage};
pub use condition::{Column, Condition, Field, InvalidNumber, Number, Test, Value};
pub use counts::StepCounts;
pub use cursor::{Cursor, InvalidCursor};
pub use duty::{Duty, DutyQuery, DutySet, NewDuty, SetDuty};
pub use error::{ErrorKind, StoreError};
pub use gates::Gates;
pub use info::{ExecutionInfo, Refused, Refuser};
pub use labels::LabelQuery;
pub use limits::{FlowLimited, LimitFlow, LimitedFlow, NewLimits};
pub use log::{LogQuery, NewLine, NewLines, StoredLog};
pub use memory::MemoryStore;
pub use notice::{Notice, Notices};
pub use past::{InvalidRanges, Past, RowRanges};
pub use query::{ExecutionQuery, Form, StoredExecution};
pub use share::{Share, bytes_of};
pub use sort::{Direction, Sort};
pub use tables::Tables;
pub use turn::{
    Acquire, Acquired, Claim, Claimed, FlowClaim, HeldExecution, Message, MessageReceipt, Queue,
    Renew, Renewal, SendMessage, TakeOver, Wait,
};
pub use write::{Child, Due, Existing, Lease, LeaseAfter, NewExecution, Target, Write, Written};

/// A database of executions. See the [module](self) for what it must guarantee.
///
/// All methods take owned values and return boxed futures, so that a store can pass them to another
/// thread or connection, and an engine can use any store.
pub trait Store: Send + Sync + 'static {
    /// Creates an execution, or writes to one under a lease: see [`Write`].
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Fenced`] if the lease is no longer the newest, or if the execution was
    /// deleted, [`ErrorKind::Withdrawn`] if it takes a [signal](Write::signals) that is not in the
    /// inbox any more, [`ErrorKind::Exists`] if it creates a [child](Write::children) with an id
    /// that is in use, and [`ErrorKind::Taken`] if it lets an execution go on again whose
    /// [key](NewExecution::singleton) another one has.
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>>;

    /// Does the same as [`write`](Self::write), but is called from a task of a multi-threaded tokio
    /// runtime, where the thread may be blocked with `tokio::task::block_in_place`. If a store's
    /// caller would wait only for its own write, the store may write immediately on the caller's
    /// thread, which saves two thread switches. By default it calls [`write`](Self::write).
    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.write(write)
    }

    /// Creates an execution, like [`write`](Self::write), inside a transaction of the same database that the caller
    /// has begun: it is there if, and only if, that is committed. The transaction is of the type that this store
    /// names in its documentation. A write that fails leaves it as it was. By default it is
    /// [`Rejected`](ErrorKind::Rejected), as the store knows no such transaction.
    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn Any + Send),
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        let _ = (write, transaction);
        let message = "this store can't start executions within a transaction of somebody else";
        let error = StoreError::new(ErrorKind::Rejected, message);
        Box::pin(std::future::ready(Err(error)))
    }

    /// Begins a transaction of the database, has the work done in it, and commits it with what the work returns,
    /// which is [kept](Self::transacted) under this name of the execution until a write
    /// [ends](Write::transactions) it: both, or nothing. The store names in its documentation the type of the
    /// connection that the work is given.
    ///
    /// The lease is checked, as by a write, as the transaction is committed. A call that is dropped may have committed
    /// it or not. By default it is [`Rejected`](ErrorKind::Rejected), as the store has no transactions for others.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Fenced`] as of [`write`](Self::write); [`ErrorKind::Exists`] if one of this name was committed
    /// before: then this one was not. What the database says against the transaction itself is no error:
    /// [`Transacted::Refused`].
    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        drop((lease, name, work));
        let message = "this store has no transactions for steps";
        let error = StoreError::new(ErrorKind::Rejected, message);
        Box::pin(std::future::ready(Err(error)))
    }

    /// Returns what is kept of the transaction of this name, if it was committed and has not been ended since. A call
    /// that was dropped before does not commit it any more once this has answered. By default there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Fenced`] as of [`write`](Self::write).
    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        drop((lease, name));
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Gives the worker executions that are due, with their messages, and with their trees but for
    /// what is [past](Write::past). Those of higher
    /// priority come first, and of the same priority those that were due first. If others had
    /// [refused](ExecutionInfo::refused) an execution, taking it ends the refusal, and the worker is
    /// told [who](HeldExecution::refused_by).
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>>;

    /// Gives the worker this execution, whether or not it is due, for an operator's change. A lease
    /// that has not ended prevents this, even if it is the worker's own, unless the call is to take
    /// over [any](TakeOver::Any). Like a claim, this call ends a refusal. It gives the whole tree.
    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>>;

    /// Extends leases, and returns the messages that have arrived since. There is one answer for
    /// each lease, in the same order. A lease can be renewed if it can be used to write; one that
    /// was given back stays so, even if a heartbeat comes late.
    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>>;

    /// Puts a message in an execution's inbox, if the conditions of [`SendMessage`] hold at that
    /// moment. If nobody holds a lease on the execution, it is due
    /// now. Otherwise the holder gets the message at its next renewal, or as soon as it has given
    /// the lease back.
    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>>;

    /// Tells of what others leave in the store from now on, in this process or another one: see [`Notice`]. The
    /// stream belongs to whoever has asked for it, and ends when the store is closed.
    /// By default it tells nothing, and has ended.
    fn notices(&self) -> Notices {
        Box::pin(futures_util::stream::empty())
    }

    /// The clock that this store goes by, if that is not the clock of this machine: then engines go by it, too, unless
    /// they are [given](crate::engine::Builder::clock) one. By default there is none.
    fn clock(&self) -> Option<Arc<ServerClock>> {
        None
    }

    /// Changes what is [noted](Notes) of an execution, whoever holds it and whatever its status, all
    /// of it or nothing, one change after the other. Returns what is noted of it then; `None` if there
    /// is no such execution.
    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>>;

    /// Returns the duty of this name.
    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>>;

    /// Returns the duties that match the query, in the order that it says.
    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>>;

    /// Changes or removes a duty, or makes it, if it still has the revision that the caller has read,
    /// and starts executions with it: both or nothing.
    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>>;

    /// Keeps a subscription in place of the one of its name, if there is one. From then on each write that
    /// changes a status that it is for keeps a [`Change`] for it, with the write or not at all; what was
    /// before is told of nothing. The changes that are kept for that name stay. One that
    /// [ended](Self::end_subscription) stays so.
    ///
    /// A change that is kept has a larger number than all that could be listed before. Of one write, the
    /// changes of steps come before the one of the execution. No change is kept of an execution that is
    /// made with a [time of its creation](NewExecution::created_at), as it was changed elsewhere.
    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Removes a subscription with the changes that are kept for it. Returns whether there was one.
    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Ends a subscription: its changes are deleted, and none is kept for it any more, until it is
    /// [removed](Self::unsubscribe). Returns whether there is one.
    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Returns all subscriptions, in the order of their names by their bytes.
    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>>;

    /// Returns changes that are kept for a subscription. They stay until they are
    /// [settled](Self::settle), also if the execution is deleted.
    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>>;

    /// Deletes changes that were told, and keeps of others that they were told in vain: all of it or
    /// nothing.
    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Returns what is kept of the flows that are [paused or limited](LimitedFlow), or were, in the order of
    /// their names. There are few.
    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>>;

    /// Pauses or limits a flow, or ends that, if what is kept of it still has the revision that the caller
    /// has read. Each claim goes by what it is when it is made.
    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>>;

    /// Keeps what steps have logged, all of it or nothing, whoever holds the executions: a worker that has lost
    /// its lease did log that. Each line gets a [number](LogLine::number) behind those of its execution. Of a
    /// step, and of an execution, only the newest lines are kept. Lines of an execution that is gone are not.
    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Returns lines of an execution's log; `None` if there is no such execution.
    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>>;

    /// Keeps a form of a flow, if there is none with its fingerprint yet, and returns its number:
    /// larger than those of all forms that were kept before. A form that is there keeps its number.
    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>>;

    /// Returns the form with this number.
    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>>;

    /// Makes executions available to these flows again which they have refused. A process calls
    /// this when it starts, because the cause of the refusal may have been fixed. What others have
    /// refused as well, they are still not given.
    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Returns everything that is kept of one execution at one moment, with what is past and its inbox.
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>>;

    /// Returns the same without what is [past](Write::past), for a question about what goes on. By
    /// default with it.
    fn load_open(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        self.load(id)
    }

    /// Returns the executions that match the query, the newest first, by creation time; of those
    /// that were created at the same time, the one with the larger [key](ExecutionInfo::key) comes
    /// first. If the query [sorts](ExecutionQuery::sort), that order is only
    /// [between](ExecutionQuery::tie) those with the same values. The list begins after the place [`after`](ExecutionQuery::after), and has at most
    /// [`limit`](ExecutionQuery::limit) executions.
    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>>;

    /// Returns how many executions match the query on all its pages, regardless of its `limit` and
    /// `after`.
    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Returns the values of a label that so many executions have, in the order of their bytes. By default
    /// it lists the executions.
    fn label_values(&self, query: LabelQuery) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(by_listing::label_values(self, query))
    }

    /// Returns statistics of the executions of a flow that were created in a time, made by a
    /// [`Collector`] of all of them, of the nodes of those in its sample, and of the ids of the slowest.
    /// By default it lists them, and loads those in the sample.
    fn statistics(&self, query: StatisticsQuery) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        Box::pin(by_listing::statistics(self, query))
    }

    /// Deletes the executions that match the query and have ended, with all their rows: of those
    /// that a list has after the place `after`, at most `limit`, the oldest first, or, if the query
    /// [sorts](ExecutionQuery::sort), in the order of the list. Passes over
    /// executions that have not ended (their status is not [final](crate::Status::is_final)), and
    /// those with a lease that has not ended. Returns the number of deleted executions.
    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Makes a copy of the whole store in a new file, as it is at one moment, while it is in use.
    /// By default it is [`Rejected`](ErrorKind::Rejected): a database server has its own tools for
    /// this, and a store in memory has nothing to copy.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Rejected`] if there is a file of this name already.
    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let to = to.display();
            let message = format!("{to}: this store can't be copied to a file");
            Err(StoreError::new(ErrorKind::Rejected, message))
        })
    }

    /// Gives back to the system what room is not used any more, also where [`delete`](Self::delete)
    /// does not do so by itself. By default there is nothing to do.
    fn compact(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Reads all that is kept, in parts and while it is in use, and returns what can't be read, or
    /// belongs to nothing. By default it lists the executions and loads each.
    ///
    /// # Errors
    ///
    /// Damages are in the report. An error says that the check could not be made to its end.
    fn check(&self) -> BoxFuture<'_, Result<CheckReport, StoreError>> {
        Box::pin(check::by_loading(self))
    }

    /// Finishes the calls that are under way, and closes. Later calls fail with
    /// [`ErrorKind::Closed`].
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
