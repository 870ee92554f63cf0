//! The rules that all stores share, checked with writes on the store's thread, with writes in place,
//! by a clock that can be set, and on two stores on one file.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use steps_core::{
    Json,
    clock::TestClock as _,
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery,
        DutySet, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, InTransaction,
        LabelQuery, Lease, LimitFlow, LimitedFlow, LogQuery, MessageReceipt, NewLines, NoteChange,
        Notes, Notices, Renew, Renewal, SendMessage, SetDuty, Settled, Store, StoreError,
        StoredExecution, StoredLog, Subscription, SubscriptionInfo, Transacted, Write, Written,
    },
    testing::{FakeClock, store::Subject},
};
use steps_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

struct Folder(Arc<TempDir>);

impl Subject for Folder {
    type Store = SqliteStore;

    async fn fresh() -> Self {
        Self(Arc::new(tempfile::tempdir().expect("a folder")))
    }

    async fn open(&self) -> SqliteStore {
        let options = SqliteOptions::new(self.0.path().join("steps.db"));
        options.open().await.expect("an open file")
    }
}

/// The same rules, on a runtime with several threads, as an engine uses it.
struct Threads(Folder);

impl Subject for Threads {
    type Store = Split;

    async fn fresh() -> Self {
        Self(Folder::fresh().await)
    }

    async fn open(&self) -> Split {
        let writes = self.0.open().await;
        Split {
            others: writes.clone(),
            writes,
            in_place: true,
        }
    }

    fn run(test: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime for a test");
        let task = runtime.spawn(test);
        runtime.block_on(task).expect("the test does not panic");
    }
}

/// The same rules, by a clock that only the test moves.
struct Settable(Folder, FakeClock);

impl Subject for Settable {
    type Store = SqliteStore;

    async fn fresh() -> Self {
        Self(Folder::fresh().await, FakeClock::new())
    }

    async fn open(&self) -> SqliteStore {
        let options = SqliteOptions::new(self.0.0.path().join("steps.db"));
        let options = options.clock(Arc::new(self.1.clone()));
        options.open().await.expect("an open file")
    }

    async fn pass(&self, time: Duration) {
        self.1.advance(time);
        // Others have work to do, too.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn set_forward(&self, by: SignedDuration) -> bool {
        self.1.set(self.1.now() + by);
        true
    }
}

/// The same rules, with two stores on one file, as of two processes: the one that writes under a
/// lease is never the one that gives it to somebody.
struct TwoStores(Folder);

impl Subject for TwoStores {
    type Store = Split;

    async fn fresh() -> Self {
        Self(Folder::fresh().await)
    }

    async fn open(&self) -> Split {
        Split {
            writes: self.0.open().await,
            others: self.0.open().await,
            in_place: false,
        }
    }
}

/// Two stores on one file, or one twice: one for what a worker does under its leases, and one for
/// everything else.
struct Split {
    writes: SqliteStore,
    others: SqliteStore,
    /// Whether writes are made in place where possible.
    in_place: bool,
}

impl Store for Split {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        if self.in_place {
            return self.writes.write_in_place(write);
        }
        self.writes.write(write)
    }
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        self.others.claim(claim)
    }
    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.others.acquire(acquire)
    }
    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        self.writes.renew(renew)
    }
    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        self.others.send(message)
    }
    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn std::any::Any + Send),
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        self.writes.write_within(write, transaction)
    }

    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        self.writes.transact(lease, name, work)
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        self.others.transacted(lease, name)
    }

    fn notices(&self) -> Notices {
        self.others.notices()
    }
    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        self.writes.annotate(id, changes)
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        self.others.duty(name)
    }
    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        self.others.duties(query)
    }
    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        self.others.set_duty(set)
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        self.others.subscribe(subscription)
    }
    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.others.unsubscribe(name)
    }
    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.others.end_subscription(name, why)
    }
    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        self.others.subscriptions()
    }
    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        self.others.changes(query)
    }
    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        self.others.settle(settled)
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        self.others.limited_flows()
    }
    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        self.others.limit_flow(limit)
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        self.others.log(lines)
    }
    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        self.others.logged(query)
    }
    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.others.keep_form(form)
    }
    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        self.others.form(number)
    }
    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.others.forget_refusals(flows)
    }
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        self.others.load(id)
    }
    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        self.others.list(query)
    }
    fn label_values(&self, query: LabelQuery) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.others.label_values(query)
    }
    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.others.count(query)
    }
    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.others.delete(query)
    }
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async {
            let others = self.others.close().await;
            self.writes.close().await.and(others)
        })
    }
}

mod rules {
    steps_core::testing::store_conformance!(super::Folder);
}

mod settable {
    steps_core::testing::store_conformance!(super::Settable);
}

mod in_place {
    steps_core::testing::store_conformance!(super::Threads);
}

mod two_stores {
    steps_core::testing::store_conformance!(super::TwoStores);
}
