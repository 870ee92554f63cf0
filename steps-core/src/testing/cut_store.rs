//! A store at which an engine dies.

use std::{
    collections::BTreeSet,
    fmt,
    future::pending,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use super::Cut;
use crate::{
    base::{clock::ServerClock, json::Json, sync::lock},
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery,
        DutySet, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, InTransaction, Lease,
        LimitFlow, LimitedFlow, LogQuery, MessageReceipt, NewLines, NoteChange, Notes, Notices,
        Renew, Renewal, SendMessage, SetDuty, Settled, Store, StoreError, StoredExecution,
        StoredLog, Subscription, SubscriptionInfo, Transacted, Write, Written,
    },
};

/// Another store, behind which an engine hangs from a certain call on, to be dropped: as a process
/// that dies. Clones share it.
///
/// The calls that count are [`write`](Store::write), [`transact`](Store::transact), [`set_duty`](Store::set_duty),
/// [`delete`](Store::delete) and [`settle`](Store::settle), when it is made, and
/// [`claim`](Store::claim), when it has given executions away: a claim that finds nothing changes
/// nothing. It is cut off before a call reaches the other store ([`Cut::Before`]), or after that has
/// kept it and before the engine hears of it ([`Cut::After`]). From then on no call comes back, of
/// whatever kind.
///
/// ```
/// use std::time::Duration;
/// use steps::{Engine, prelude::*, store::MemoryStore, testing::{Cut, CutStore}};
///
/// #[flow]
/// async fn nothing() -> Result<(), String> {
///     steps! {}
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let memory = MemoryStore::new();
/// let store = CutStore::new(memory.reopen()).cut_at(Some(Cut::After(1)));
/// let engine = Engine::with_store(store.clone()).serve(nothing::with()).start().await?;
/// tokio::select! {
///     _ = engine.start(nothing::input()).id("n") => unreachable!("it never hears of it"),
///     () = store.struck() => {}
/// }
/// drop(engine);
///
/// // Another process finds what was kept.
/// let engine = Engine::with_store(memory).start().await?;
/// assert_eq!(engine.get("n").await?.id(), "n");
/// # Ok(())
/// # }
/// ```
pub struct CutStore<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: S,
    seen: Mutex<Seen>,
    struck: Notify,
}

#[derive(Debug, Default)]
struct Seen {
    cut: Option<Cut>,
    calls: usize,
    claims: BTreeSet<usize>,
    has_struck: bool,
}

impl<S> Clone for CutStore<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for CutStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CutStore")
            .field(&*lock(&self.0.seen))
            .finish()
    }
}

impl<S> CutStore<S> {
    /// Wraps a store, without a cut.
    pub fn new(store: S) -> Self {
        Self(Arc::new(Inner {
            store,
            seen: Mutex::default(),
            struck: Notify::new(),
        }))
    }

    /// The same, cut off at this call, counted from 1.
    #[must_use]
    pub fn cut_at(self, cut: Option<Cut>) -> Self {
        lock(&self.0.seen).cut = cut;
        self
    }

    /// Returns how many calls were made, of those that count.
    pub fn calls(&self) -> usize {
        lock(&self.0.seen).calls
    }

    /// Returns the numbers of the calls that were claims. A claim counts only once it has returned
    /// executions, so a cut before it strikes after it as well.
    pub fn claims(&self) -> BTreeSet<usize> {
        lock(&self.0.seen).claims.clone()
    }

    /// Returns whether it has come to the cut.
    pub fn has_struck(&self) -> bool {
        lock(&self.0.seen).has_struck
    }

    /// Waits until it has come to the cut.
    pub async fn struck(&self) {
        loop {
            let struck = self.0.struck.notified();
            if self.has_struck() {
                return;
            }
            struck.await;
        }
    }

    /// Returns whether there is no other clone of it, so that nobody uses it any more.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Hangs if it has been cut off.
    async fn alive(&self) {
        if self.has_struck() {
            pending::<()>().await;
        }
    }

    /// Counts a call, and returns its number.
    fn next(&self) -> usize {
        let mut seen = lock(&self.0.seen);
        seen.calls += 1;
        seen.calls
    }

    /// Hangs if this is the cut.
    async fn at(&self, here: impl Fn(Cut) -> bool) {
        {
            let mut seen = lock(&self.0.seen);
            seen.has_struck |= seen.cut.is_some_and(here);
        }
        if self.has_struck() {
            self.0.struck.notify_waiters();
            pending::<()>().await;
        }
    }
}

impl<S: Store> CutStore<S> {
    /// A call that does not count.
    fn pass<'a, T: Send + 'a>(
        &'a self,
        call: impl FnOnce(&'a S) -> BoxFuture<'a, Result<T, StoreError>> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            let result = call(&self.0.store).await;
            self.alive().await;
            result
        })
    }

    /// A write, which counts.
    fn count_write<'a, T: Send + 'a>(
        &'a self,
        write: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            let number = self.next();
            self.at(|cut| cut == Cut::Before(number)).await;
            let written = write.await;
            self.at(|cut| cut == Cut::After(number)).await;
            written
        })
    }
}

impl<S: Store> Store for CutStore<S> {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.count_write(self.0.store.write(write))
    }

    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.count_write(self.0.store.write_in_place(write))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(async move {
            self.alive().await;
            let claimed = self.0.store.claim(claim).await;
            self.alive().await;
            if claimed.as_ref().is_ok_and(|some| !some.taken.is_empty()) {
                let number = self.next();
                lock(&self.0.seen).claims.insert(number);
                let here = [Cut::Before(number), Cut::After(number)];
                self.at(|cut| here.contains(&cut)).await;
            }
            claimed
        })
    }

    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.pass(|store| store.acquire(acquire))
    }

    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        self.pass(|store| store.renew(renew))
    }

    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        self.pass(|store| store.send(message))
    }

    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn std::any::Any + Send),
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        self.count_write(self.0.store.write_within(write, transaction))
    }

    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        self.count_write(self.0.store.transact(lease, name, work))
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        self.pass(move |store| store.transacted(lease, name))
    }

    fn notices(&self) -> Notices {
        self.0.store.notices()
    }

    fn clock(&self) -> Option<Arc<ServerClock>> {
        self.0.store.clock()
    }

    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        self.pass(|store| store.annotate(id, changes))
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        self.pass(|store| store.duty(name))
    }

    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        self.pass(|store| store.duties(query))
    }

    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        self.count_write(self.0.store.set_duty(set))
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        self.pass(|store| store.subscribe(subscription))
    }

    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.pass(|store| store.unsubscribe(name))
    }

    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.pass(|store| store.end_subscription(name, why))
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        self.pass(|store| store.subscriptions())
    }

    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        self.pass(|store| store.changes(query))
    }

    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        self.count_write(self.0.store.settle(settled))
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        self.pass(Store::limited_flows)
    }

    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        self.pass(|store| store.limit_flow(limit))
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        self.pass(|store| store.log(lines))
    }

    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        self.pass(|store| store.logged(query))
    }

    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.pass(|store| store.keep_form(form))
    }

    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        self.pass(move |store| store.form(number))
    }

    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.pass(|store| store.forget_refusals(flows))
    }

    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        self.pass(|store| store.load(id))
    }

    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        self.pass(|store| store.list(query))
    }

    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.pass(|store| store.count(query))
    }

    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.count_write(self.0.store.delete(query))
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.pass(Store::close)
    }
}
