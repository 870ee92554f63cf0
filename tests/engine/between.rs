//! A store with something between it and the engine.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use steps::{
    Json,
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery,
        DutySet, ErrorKind, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form,
        InTransaction, Lease, LeaseAfter, LimitFlow, LimitedFlow, LogQuery, MessageReceipt,
        NewLines, NoteChange, Notes, Notices, Renew, Renewal, SendMessage, SetDuty, Settled, Store,
        StoreError, StoredExecution, StoredLog, Subscription, SubscriptionInfo, Transacted, Write,
        Written,
    },
};

/// What comes before something that the store does.
type Before = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The store within, and what is between.
pub(crate) struct Between {
    within: Arc<dyn Store>,
    hears: bool,
    /// Whether a write that keeps the lease panics.
    panics: bool,
    /// Whether claims, renewals and writes fail.
    fails: Arc<AtomicBool>,
    /// Whether what steps log can't be written.
    loses_log: Arc<AtomicBool>,
    /// Before leases are renewed.
    renews: Before,
    /// Before the answer to a claim that took something.
    taken: Before,
    /// Before an execution is loaded.
    loads: Before,
    /// Before the answer to a write that gave the lease back.
    released: Before,
    counts: Arc<Counts>,
    /// Which deletions fail.
    refuses: fn(&ExecutionQuery) -> bool,
}

/// How many rows of nodes a store has given, of each execution, how often it was asked for some, and whose leases were
/// asked for.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acquired: Mutex<Vec<String>>,
    pub(crate) claims: AtomicUsize,
    pub(crate) claimed: Mutex<Vec<usize>>,
    pub(crate) loaded: Mutex<Vec<usize>>,
    pub(crate) opened: Mutex<Vec<usize>>,
}

fn nothing() -> Before {
    Box::new(|| Box::pin(std::future::ready(())))
}

impl Between {
    fn new(within: Arc<dyn Store>) -> Self {
        Self {
            within,
            hears: true,
            panics: false,
            fails: Arc::default(),
            loses_log: Arc::default(),
            renews: nothing(),
            taken: nothing(),
            loads: nothing(),
            released: nothing(),
            counts: Arc::default(),
            refuses: |_| false,
        }
    }

    /// A store that fails to delete by some queries.
    pub(crate) fn refusing(within: Arc<dyn Store>, refuses: fn(&ExecutionQuery) -> bool) -> Self {
        Self {
            refuses,
            ..Self::new(within)
        }
    }

    /// A store that takes nothing that steps log.
    pub(crate) fn without_log(within: Arc<dyn Store>, loses_log: &Arc<AtomicBool>) -> Self {
        Self {
            loses_log: Arc::clone(loses_log),
            ..Self::new(within)
        }
    }

    /// A store that counts what it gives.
    pub(crate) fn counting(within: Arc<dyn Store>, counts: &Arc<Counts>) -> Self {
        Self {
            counts: Arc::clone(counts),
            ..Self::new(within)
        }
    }

    /// A store that hears no heartbeat.
    pub(crate) fn deaf(within: Arc<dyn Store>) -> Self {
        Self {
            hears: false,
            ..Self::new(within)
        }
    }

    /// A store that fails while this is set.
    pub(crate) fn failing(within: Arc<dyn Store>, fails: &Arc<AtomicBool>) -> Self {
        Self {
            fails: Arc::clone(fails),
            ..Self::new(within)
        }
    }

    /// A store that panics at each record of a turn that goes on.
    pub(crate) fn panics(within: Arc<dyn Store>) -> Self {
        Self {
            panics: true,
            ..Self::new(within)
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(StoreError::new(ErrorKind::Full, "the disk is full"));
        }
        Ok(())
    }

    /// A store that does this before it renews leases.
    pub(crate) fn renews<F: Future<Output = ()> + Send + 'static>(
        within: Arc<dyn Store>,
        before: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            renews: Box::new(move || Box::pin(before())),
            ..Self::new(within)
        }
    }

    /// A store that does this after it has given executions away, and before it says so.
    pub(crate) fn taken<F: Future<Output = ()> + Send + 'static>(
        within: Arc<dyn Store>,
        before: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            taken: Box::new(move || Box::pin(before())),
            ..Self::new(within)
        }
    }

    /// A store that does this before it loads an execution.
    pub(crate) fn loads<F: Future<Output = ()> + Send + 'static>(
        within: Arc<dyn Store>,
        before: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            loads: Box::new(move || Box::pin(before())),
            ..Self::new(within)
        }
    }

    /// A store that does this after a lease was given back, and before it says so.
    pub(crate) fn released<F: Future<Output = ()> + Send + 'static>(
        within: Arc<dyn Store>,
        before: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            released: Box::new(move || Box::pin(before())),
            ..Self::new(within)
        }
    }

    /// Returns whether a write gives the lease back.
    fn look(&self, write: &Write) -> bool {
        let keeps = write.then == LeaseAfter::Keep;
        assert!(
            !(keeps && self.panics),
            "the store panics, as the test wants"
        );
        matches!(write.then, LeaseAfter::Release { .. })
    }

    /// Waits for what a write gives, and does what is to be done before its answer.
    async fn answer(
        &self,
        releases: bool,
        write: BoxFuture<'_, Result<Written, StoreError>>,
    ) -> Result<Written, StoreError> {
        self.check()?;
        let written = write.await;
        if releases {
            (self.released)().await;
        }
        written
    }
}

impl Store for Between {
    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        Box::pin(async move {
            if !self.hears {
                std::future::pending::<()>().await;
            }
            self.check()?;
            (self.renews)().await;
            self.within.renew(renew).await
        })
    }
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(async move {
            self.check()?;
            self.counts.claims.fetch_add(1, Ordering::Relaxed);
            let claimed = self.within.claim(claim).await?;
            let rows = claimed.taken.iter().map(|taken| taken.nodes.len());
            self.counts.claimed.lock().unwrap().extend(rows);
            if !claimed.taken.is_empty() {
                (self.taken)().await;
            }
            Ok(claimed)
        })
    }
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        let releases = self.look(&write);
        Box::pin(self.answer(releases, self.within.write(write)))
    }
    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        let releases = self.look(&write);
        Box::pin(self.answer(releases, self.within.write_in_place(write)))
    }
    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        self.counts
            .acquired
            .lock()
            .unwrap()
            .push(acquire.id.clone());
        self.within.acquire(acquire)
    }
    fn send(&self, message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        self.within.send(message)
    }
    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn std::any::Any + Send),
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        self.within.write_within(write, transaction)
    }

    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        self.within.transact(lease, name, work)
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        self.within.transacted(lease, name)
    }

    fn notices(&self) -> Notices {
        self.within.notices()
    }
    fn annotate(
        &self,
        id: String,
        changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        self.within.annotate(id, changes)
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        self.within.duty(name)
    }
    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        self.within.duties(query)
    }
    fn set_duty(&self, set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        self.within.set_duty(set)
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.subscribe(subscription)
    }
    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.within.unsubscribe(name)
    }
    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.within.end_subscription(name, why)
    }
    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        self.within.subscriptions()
    }
    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        self.within.changes(query)
    }
    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.settle(settled)
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        self.within.limited_flows()
    }
    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        self.within.limit_flow(limit)
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        if self.loses_log.load(Ordering::SeqCst) {
            let error = StoreError::new(ErrorKind::Io, "no log today");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.within.log(lines)
    }
    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        self.within.logged(query)
    }
    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.within.keep_form(form)
    }

    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        self.within.form(number)
    }

    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.forget_refusals(flows)
    }
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        Box::pin(async move {
            (self.loads)().await;
            let loaded = self.within.load(id).await?;
            let rows = loaded.as_ref().map(|loaded| loaded.nodes.len());
            self.counts.loaded.lock().unwrap().extend(rows);
            Ok(loaded)
        })
    }
    fn load_open(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        Box::pin(async move {
            let loaded = self.within.load_open(id).await?;
            let rows = loaded.as_ref().map(|loaded| loaded.nodes.len());
            self.counts.opened.lock().unwrap().extend(rows);
            Ok(loaded)
        })
    }
    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        self.within.list(query)
    }
    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.within.count(query)
    }
    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        if (self.refuses)(&query) {
            let error = StoreError::new(ErrorKind::Rejected, "no");
            return Box::pin(std::future::ready(Err(error)));
        }
        self.within.delete(query)
    }
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.close()
    }
}
