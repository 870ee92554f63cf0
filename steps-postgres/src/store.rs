//! The store: each method is a call, which does what it does to its end, even if its caller does not wait for it any
//! more. What a call does is left to `ops`.

use std::{
    any::Any,
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use steps_core::{
    Json,
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery,
        DutySet, ErrorKind, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form,
        InTransaction, LabelQuery, Lease, LimitFlow, LimitedFlow, LogQuery, MessageReceipt,
        NewLines, NoteChange, Notes, Notices, Renew, Renewal, SendMessage, SetDuty, Settled,
        Statistics, StatisticsQuery, Store, StoreError, StoredExecution, StoredLog, Subscription,
        SubscriptionInfo, Transacted, Write, Written,
    },
};
use tokio::sync::{Mutex, RwLock, Semaphore};

use crate::{
    listener::Listener,
    ops::{self, execution::Nodes, workers::Worker},
    server::{
        tidings::Tell,
        time::Time,
        txn::{Begin, Database},
    },
    transaction, within,
    writer::Writer,
};

mod calls;
mod opening;

/// Executions in a PostgreSQL database: see the [crate](crate).
///
/// When the store is dropped without being [closed](Store::close), calls that were made are still done.
pub struct PostgresStore {
    inner: Arc<Inner>,
    is_closed: AtomicBool,
}

struct Inner {
    database: Arc<Database>,
    writer: Writer,
    listener: Listener,
    time: Time,
    /// How many transactions of steps there may be at once.
    transactions: Semaphore,
    /// What each worker was told by its last heartbeat, one of which is made at a time.
    workers: Mutex<HashMap<String, Worker>>,
    /// Each call holds it for reading, so that closing can wait for all of them.
    calls: Arc<RwLock<()>>,
}

/// How often a transaction is made again that came into another one's way.
const TRIES: u32 = 5;

/// Does the work in a transaction, and again if another one came into its way.
macro_rules! transact {
    ($inner:ident, $begin:ident, |$txn:ident| $work:expr) => {{
        let mut tries = 1;
        loop {
            let mut begun = $inner.database.begin(Begin::$begin).await?;
            let $txn = &mut begun;
            let done = match $work.await {
                Ok(value) => begun.commit().await.map(|()| value),
                Err(fail) => {
                    begun.roll_back().await;
                    Err(fail)
                }
            };
            match done {
                Err(fail) if fail.is_conflict() && tries < TRIES => tries += 1,
                done => break done,
            }
        }
    }};
}

impl Store for PostgresStore {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        Box::pin(async move {
            let under_way = self.under_way().await?;
            let inner = &self.inner;
            match inner
                .writer
                .write(&inner.database, write, under_way)
                .await?
            {
                Ok(written) => Ok(written),
                Err((write, under_way)) => {
                    let call = self.run(under_way, async move |inner: Arc<Inner>| {
                        transact!(inner, Writes, |txn| ops::write::write(txn, &write))
                    });
                    call.await
                }
            }
        })
    }

    /// Takes a `sqlx::PgConnection` of the same database, with a transaction that sqlx has begun: see
    /// [`StartWithin`](crate::StartWithin).
    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn Any + Send),
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        Box::pin(async move {
            let _under_way = self.under_way().await?;
            let database = &self.inner.database;
            let written = within::write(database, transaction, &write).await;
            written.map_err(|fail| fail.of(&database.name))
        })
    }

    /// The connection is a `sqlx::PgConnection`, in a transaction that is `READ COMMITTED`. It is one of the store's
    /// pool, of which transactions of steps take no more than half: others wait.
    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        Box::pin(async move {
            let _under_way = self.inner.calls.read().await;
            let place = self.inner.transactions.acquire().await;
            if self.is_closed.load(Ordering::Relaxed) || place.is_err() {
                return Err(self.closed());
            }
            let database = &self.inner.database;
            let transacted = transaction::transact(database, lease, &name, work).await;
            transacted.map_err(|fail| fail.of(&database.name))
        })
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| transaction::transacted(
                txn, lease, &name
            ))
        }))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::claim::claim(txn, &claim))
        }))
    }

    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Writes, |txn| ops::lease::acquire(txn, &acquire))
        }))
    }

    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            let mut workers = inner.workers.lock().await;
            let Some(name) = &renew.all_of else {
                for worker in workers.values_mut() {
                    worker.forget(&renew.held);
                }
                return transact!(inner, Changes, |txn| ops::lease::renew(txn, &renew));
            };
            // If the call fails, what the worker was told is not known any more.
            let known = workers.remove(name);
            let (renewals, worker) = transact!(inner, Changes, |txn| ops::workers::renew(
                txn,
                &renew,
                name,
                known.as_ref()
            ))?;
            workers.insert(name.clone(), worker);
            Ok(renewals)
        }))
    }

    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::inbox::send(
                txn,
                &message,
                Tell::Listeners
            ))
        }))
    }

    fn notices(&self) -> Notices {
        self.inner.listener.notices(&self.inner.database)
    }

    fn clock(&self) -> Option<Arc<steps_core::clock::ServerClock>> {
        Some(Arc::clone(&self.inner.time.clock))
    }

    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::notes::annotate(
                txn, &id, &changes
            ))
        }))
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::duties::read(txn, &name))
        }))
    }

    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::duties::list(txn, &query))
        }))
    }

    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Writes, |txn| ops::duties::set(txn, &set))
        }))
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::changes::subscribe(
                txn,
                &subscription
            ))
        }))
    }

    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::changes::remove(txn, &name))
        }))
    }

    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::changes::end(txn, &name, &why))
        }))
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::changes::all(txn))
        }))
    }

    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::changes::list(txn, &query))
        }))
    }

    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::changes::settle(txn, &settled))
        }))
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::limits::list(txn))
        }))
    }

    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::limits::set(txn, &limit))
        }))
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::log::put(txn, &lines))
        }))
    }

    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::log::read(txn, &query))
        }))
    }

    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::forms::keep(txn, &form))
        }))
    }

    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::forms::read(txn, number))
        }))
    }

    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Changes, |txn| ops::lease::forget_refusals(
                txn, &flows
            ))
        }))
    }

    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::execution::load(
                txn,
                &id,
                Nodes::All
            ))
        }))
    }

    fn load_open(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::execution::load(
                txn,
                &id,
                Nodes::Open
            ))
        }))
    }

    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::find::list(txn, &query))
        }))
    }

    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::find::count(txn, &query))
        }))
    }

    fn label_values(&self, query: LabelQuery) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::find::label_values(txn, &query))
        }))
    }

    fn statistics(&self, query: StatisticsQuery) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            transact!(inner, Reads, |txn| ops::statistics::statistics(txn, &query))
        }))
    }

    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.call(async move |inner: Arc<Inner>| {
            let keys = transact!(inner, Reads, |txn| ops::delete::keys(txn, &query))?;
            let (mut left, mut deleted) = (&keys[..], 0);
            while !left.is_empty() {
                let (part, others) = ops::delete::part(left);
                deleted += transact!(inner, Changes, |txn| ops::delete::delete(txn, &query, part))?;
                left = others;
            }
            while transact!(inner, Changes, |txn| ops::delete::rest(txn))? {}
            Ok(deleted)
        }))
    }

    /// Is [`Rejected`](ErrorKind::Rejected): the server has its own tools for copies, such as `pg_dump`.
    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let (to, name) = (to.display(), &self.inner.database.name);
            let message = format!(
                "{name} can't be copied to the file {to}: use the server's own tools, such as `pg_dump`"
            );
            Err(StoreError::new(ErrorKind::Rejected, message))
        })
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            if self.is_closed.swap(true, Ordering::Relaxed) {
                return Err(self.closed());
            }
            drop(self.inner.calls.write().await);
            self.inner.listener.end();
            self.inner.time.end();
            self.inner.database.close().await;
            Ok(())
        })
    }
}
