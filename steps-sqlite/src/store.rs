//! The store: turns each method into a call, bounds how much memory waiting calls take, and hands
//! the call to the threads. What the call does is left to `ops`, and calls that take several
//! transactions to `parts`.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use steps_core::{
    Json,
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, CheckReport, Claim, Claimed, Duty,
        DutyQuery, DutySet, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form,
        InTransaction, LabelQuery, Lease, LimitFlow, LimitedFlow, LogQuery, MessageReceipt,
        NewLines, NoteChange, Notes, Renew, Renewal, SendMessage, SetDuty, Settled, Statistics,
        StatisticsQuery, Store, StoreError, StoredExecution, StoredLog, Subscription,
        SubscriptionInfo, Transacted, Write, Written,
    },
};
use tokio::sync::Semaphore;

mod calls;
mod opening;
mod parts;

use crate::{
    error::{Result, closed},
    file::{clock::Clock, schema},
    ops,
    row::size,
    threads::{
        call::Call,
        readers::Readers,
        writer::{Ended, Writer},
    },
};

/// How much may wait to be written, in KiB. A caller that brings more waits until there is room.
const WAITING: u32 = 64 * 1024;

/// Executions in a SQLite file: see the [crate](crate).
///
/// Clones share the file and its threads, and each is closed by itself: the file is closed with the
/// last of them. When that one is dropped, calls that were already made are still done, and then the
/// file is closed; [`close`](Store::close) waits for that.
pub struct SqliteStore {
    inner: Arc<Inner>,
    is_closed: AtomicBool,
}

struct Inner {
    /// How many of the clones are open.
    open: AtomicUsize,
    writer: Arc<Writer>,
    /// Read what is asked of one execution: quick, and never behind a list.
    lookups: Readers,
    /// Read lists and counts, which may take long.
    lists: Readers,
    room: Arc<Semaphore>,
    ended: Mutex<Option<Ended>>,
    clock: Clock,
}

impl SqliteStore {
    /// The file's path, absolute, with symbolic links resolved.
    pub fn path(&self) -> &Path {
        self.inner.writer.file.path()
    }

    fn closed(&self) -> StoreError {
        closed(self.path())
    }
}

impl Inner {
    fn lookups(&self) -> &Readers {
        &self.lookups
    }

    fn lists(&self) -> &Readers {
        &self.lists
    }

    /// Returns who reads what a query asks for.
    fn readers_for(query: &ExecutionQuery) -> fn(&Self) -> &Readers {
        match query.id {
            Some(_) => Self::lookups,
            None => Self::lists,
        }
    }

    fn push(&self, call: Call) -> Result<(), StoreError> {
        match self.writer.queue.push(call) {
            Ok(_) => Ok(()),
            Err(_) => Err(closed(self.writer.file.path())),
        }
    }

    fn do_or_push(&self, call: Call) -> Result<(), StoreError> {
        match self.writer.in_place(call) {
            Ok(()) => Ok(()),
            Err(call) => self.push(call),
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.write_by(Inner::push, write)
    }

    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.write_by(Inner::do_or_push, write)
    }

    /// The connection is a `rusqlite::Connection`, the one that writes: the work may not wait for anything.
    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        Box::pin(self.transact_here(lease, name, work))
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |txn, _| {
            ops::transactions::find(txn, lease, &name)
        }))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(self.claim_and_read(claim))
    }

    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        Box::pin(self.change_known(0, move |conn, now| {
            schema::unchanged(conn)?;
            ops::lease::acquire(conn, &acquire, now)
        }))
    }

    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        Box::pin(self.change_known(0, move |conn, now| ops::lease::renew(conn, &renew, now)))
    }

    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        let bytes = size::of_message(&message.message);
        Box::pin(self.change_known(bytes, move |conn, now| {
            ops::inbox::send(conn, &message, now)
        }))
    }

    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        let bytes = size::of_notes(&changes);
        Box::pin(self.change_known(bytes, move |conn, now| {
            schema::unchanged(conn)?;
            ops::notes::annotate(conn, &id, &changes, now)
        }))
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, _| {
            ops::duties::read(conn, &name)
        }))
    }

    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, _| {
            ops::duties::list(conn, &query)
        }))
    }

    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        let bytes = size::of_duty(&set);
        Box::pin(self.change_known(bytes, move |conn, now| {
            schema::unchanged(conn)?;
            ops::duties::set(conn, &set, now)
        }))
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.change_known(0, move |conn, now| {
            schema::unchanged(conn)?;
            ops::subscriptions::subscribe(conn, &subscription, now)
        }))
    }

    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.unsubscribe_in_parts(name))
    }

    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.end_in_parts(name, why))
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        Box::pin(self.read(Inner::lists, |conn, _| ops::subscriptions::all(conn)))
    }

    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, _| {
            ops::changes::list(conn, &query)
        }))
    }

    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        let bytes = size::of_settled(&settled);
        Box::pin(self.change_known(bytes, move |conn, _| {
            schema::unchanged(conn)?;
            ops::changes::settle(conn, &settled)
        }))
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        Box::pin(self.read(Inner::lookups, |conn, _| ops::limits::list(conn)))
    }

    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        let bytes = limit.to.value.get().len();
        Box::pin(self.change_known(bytes, move |conn, _| {
            schema::unchanged(conn)?;
            ops::limits::set(conn, &limit)
        }))
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        let bytes = size::of_lines(&lines);
        Box::pin(self.change_known(bytes, move |conn, _| ops::log::put(conn, &lines)))
    }

    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, _| ops::log::read(conn, &query)))
    }

    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(self.change_known(form.lines.get().len(), move |conn, now| {
            schema::unchanged(conn)?;
            ops::forms::keep(conn, &form, now)
        }))
    }

    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, _| {
            ops::forms::read(conn, number)
        }))
    }

    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.change_known(0, move |conn, _| ops::lease::forget_refusals(conn, &flows)))
    }

    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, now| {
            ops::execution::load(conn, &id, now)
        }))
    }

    fn load_open(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        Box::pin(self.read(Inner::lookups, move |conn, now| {
            ops::execution::load_open(conn, &id, now)
        }))
    }

    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        let by = Inner::readers_for(&query);
        Box::pin(self.read(by, move |conn, now| ops::find::list(conn, &query, now)))
    }

    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        let by = Inner::readers_for(&query);
        Box::pin(self.read(by, move |conn, _| ops::find::count(conn, &query)))
    }

    fn label_values(&self, query: LabelQuery) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.read(Inner::lists, move |conn, _| {
            ops::labels::values(conn, &query)
        }))
    }

    fn statistics(&self, query: StatisticsQuery) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        Box::pin(self.read(Inner::lists, move |conn, _| {
            ops::statistics::statistics(conn, &query)
        }))
    }

    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.delete_in_parts(query))
    }

    /// Makes the copy with SQLite's own backup, of one moment, while everybody goes on. Meanwhile
    /// the log is not copied into the database, so it grows by what is written.
    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.is_closed.load(Ordering::Relaxed) {
                return Err(self.closed());
            }
            self.inner.lists.backup(to).await
        })
    }

    /// Runs SQLite's `VACUUM`: nobody can write meanwhile, and it takes as much room as the file's new
    /// form, twice.
    fn compact(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.is_closed.load(Ordering::Relaxed) {
                return Err(self.closed());
            }
            self.inner.lists.compact().await
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<CheckReport, StoreError>> {
        Box::pin(self.check_in_parts())
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.close_in_order())
    }
}

#[cfg(test)]
mod tests;
