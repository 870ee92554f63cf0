//! A store in memory.

mod beside;
mod changes;
mod duties;
mod find;
mod forms;
mod limits;
mod log;
mod row;
mod rows;
mod singleton;
mod transactions;
mod turns;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery, DutySet,
    ErrorKind, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, InTransaction, Lease,
    LimitFlow, LimitedFlow, LogQuery, MessageReceipt, NewLines, NoteChange, Notes, Renew, Renewal,
    SendMessage, SetDuty, Settled, Store, StoreError, StoredExecution, StoredLog, Subscription,
    SubscriptionInfo, Transacted, Write, Written,
};
use crate::base::{
    clock::{Clock, TestClock},
    json::Json,
    sync::lock,
};
use rows::Rows;

/// A [`Store`] in memory, for tests and for programs whose executions may end with the process.
///
/// It follows every rule of a store, except that it does not outlive the process. Clones share
/// their data, so several engines can work on one store, as if each were in a process of its own.
/// Closing a clone leaves the others open.
///
/// ```
/// use steps::store::{MemoryStore, ExecutionQuery, Store};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steps::store::StoreError> {
/// let store = MemoryStore::new();
/// assert_eq!(store.count(ExecutionQuery::default()).await?, 0);
///
/// store.close().await?;
/// assert!(store.count(ExecutionQuery::default()).await.is_err());
/// assert_eq!(store.clone().count(ExecutionQuery::default()).await?, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
    closed: AtomicBool,
    clock: Clock,
}

impl MemoryStore {
    /// Returns an empty store that uses the system's clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty store that uses a test's clock.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use steps::{store::MemoryStore, testing::FakeClock};
    ///
    /// let store = MemoryStore::with_clock(Arc::new(FakeClock::new()));
    /// ```
    pub fn with_clock(clock: Arc<dyn TestClock>) -> Self {
        Self {
            clock: Clock::Test(clock),
            ..Self::default()
        }
    }

    /// Opens the same data once more, whether or not this store was closed, as another process
    /// would open a file. It is the same as a clone.
    #[must_use]
    pub fn reopen(&self) -> Self {
        self.clone()
    }

    fn with<'a, T: 'a>(
        &'a self,
        call: impl FnOnce(&mut Rows) -> Result<T, StoreError> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            let mut rows = lock(&self.rows);
            if self.closed.load(Ordering::Relaxed) {
                return Err(closed());
            }
            rows.tick(self.clock.read());
            call(&mut rows)
        })
    }
}

impl Clone for MemoryStore {
    /// Opens the same data once more, whether or not this store was closed.
    fn clone(&self) -> Self {
        Self {
            rows: Arc::clone(&self.rows),
            closed: AtomicBool::new(false),
            clock: self.clock.clone(),
        }
    }
}

fn closed() -> StoreError {
    StoreError::new(ErrorKind::Closed, "the store in memory has been closed")
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("executions", &lock(&self.rows).len())
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.with(|rows| rows.write(write))
    }

    /// The connection is a `()`: there is no database, and what the work does is not taken back.
    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        Box::pin(async move {
            let Ok(output) = work.run(&mut ()).await else {
                return Ok(Transacted::Abandoned);
            };
            self.with(|rows| rows.commit(lease, name, output)).await?;
            Ok(Transacted::Committed)
        })
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        self.with(move |rows| rows.committed(lease, &name))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        self.with(move |rows| Ok(rows.claim(&claim)))
    }

    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.with(move |rows| Ok(rows.acquire(&acquire)))
    }

    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        self.with(move |rows| Ok(rows.renew(&renew)))
    }

    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        self.with(|rows| Ok(rows.send(message)))
    }

    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        self.with(move |rows| Ok(rows.annotate(&id, &changes)))
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        self.with(move |rows| Ok(rows.duty(&name)))
    }

    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        self.with(move |rows| Ok(rows.duties(&query)))
    }

    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        self.with(|rows| rows.set_duty(set))
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(|rows| {
            rows.subscribe(subscription);
            Ok(())
        })
    }

    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.with(move |rows| Ok(rows.changes.unsubscribe(&name)))
    }

    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.with(move |rows| Ok(rows.changes.end(&name, why)))
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        self.with(|rows| Ok(rows.changes.subscriptions()))
    }

    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        self.with(move |rows| Ok(rows.changes.list(&query)))
    }

    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(|rows| {
            rows.changes.settle(settled);
            Ok(())
        })
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        self.with(|rows| Ok(rows.limited_flows()))
    }

    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        self.with(|rows| Ok(rows.limit_flow(limit)))
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(|rows| {
            rows.log(lines);
            Ok(())
        })
    }

    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        self.with(move |rows| Ok(rows.logged(&query)))
    }

    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.with(|rows| Ok(rows.keep_form(form)))
    }

    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        self.with(move |rows| Ok(rows.form(number)))
    }

    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.with(move |rows| {
            rows.forget_refusals(&flows);
            Ok(())
        })
    }

    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        self.with(move |rows| Ok(rows.load(&id)))
    }

    fn load_open(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        self.with(move |rows| Ok(rows.load_open(&id)))
    }

    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        self.with(move |rows| Ok(rows.list(&query)))
    }

    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |rows| Ok(rows.count(&query)))
    }

    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.with(move |rows| Ok(rows.delete(&query)))
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            // Taking the lock makes sure that no call is still under way when this returns.
            let _rows = lock(&self.rows);
            if self.closed.swap(true, Ordering::Relaxed) {
                return Err(closed());
            }
            Ok(())
        })
    }
}
