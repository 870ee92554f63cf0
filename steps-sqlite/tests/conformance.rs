//! The rules that all stores share, checked with writes on the store's thread, with writes in place,
//! and by a clock that can be set.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use steps_core::{
    clock::TestClock as _,
    store::{
        Acquire, Acquired, BoxFuture, Claim, Claimed, ExecutionInfo, ExecutionQuery, FlowClaim,
        Form, MessageReceipt, Renew, Renewal, SendMessage, Store, StoreError, StoredExecution,
        Write, Written,
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
    type Store = InPlace;

    async fn fresh() -> Self {
        Self(Folder::fresh().await)
    }

    async fn open(&self) -> InPlace {
        InPlace(self.0.open().await)
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

/// A store whose writes are made in place where possible.
struct InPlace(SqliteStore);

impl Store for InPlace {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.0.write_in_place(write)
    }
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        self.0.claim(claim)
    }
    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.0.acquire(acquire)
    }
    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        self.0.renew(renew)
    }
    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        self.0.send(message)
    }
    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.0.keep_form(form)
    }
    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        self.0.form(number)
    }
    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.forget_refusals(flows)
    }
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        self.0.load(id)
    }
    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        self.0.list(query)
    }
    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.count(query)
    }
    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.delete(query)
    }
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.close()
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
