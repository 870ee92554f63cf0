//! A store that does all as it should, and remembers enough for others to do it wrong.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::Answer;
use crate::{
    base::{clock::TestClock as _, json::Json, sync::lock},
    model::status::Status,
    store::{
        Acquire, Acquired, Change, ChangeQuery, Claim, Claimed, Due, Duty, DutyQuery, DutySet,
        ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, HeldExecution, InTransaction,
        Lease, LeaseAfter, LimitFlow, LimitedFlow, LogQuery, MemoryStore, MessageReceipt, NewLines,
        NoteChange, Notes, Notices, Renew, Renewal, SendMessage, SetDuty, Settled, Store,
        StoredExecution, StoredLog, Subscription, SubscriptionInfo, TakeOver, Target, Transacted,
        Write, Written,
    },
    testing::FakeClock,
};

pub(super) struct Sound {
    pub(super) inner: MemoryStore,
    clock: FakeClock,
    memo: Arc<Memo>,
    /// The newest lease on each execution that this handle gave itself, and until when.
    own: Mutex<HashMap<i64, (Lease, jiff::Timestamp)>>,
}

#[derive(Default)]
struct Memo {
    /// The newest lease on each execution.
    leases: Mutex<HashMap<String, Lease>>,
    /// Of whom each key is or was.
    ids: Mutex<HashMap<i64, String>>,
    /// The status that each was made in.
    made: Mutex<HashMap<String, Status>>,
    /// Those that were ever refused.
    refused: Mutex<HashSet<String>>,
    calls: AtomicUsize,
}

impl Sound {
    pub(super) fn new(clock: &FakeClock) -> Self {
        Self {
            inner: MemoryStore::with_clock(Arc::new(clock.clone())),
            clock: clock.clone(),
            memo: Arc::default(),
            own: Mutex::default(),
        }
    }

    pub(super) fn reopen(&self) -> Self {
        Self {
            inner: self.inner.reopen(),
            clock: self.clock.clone(),
            memo: self.memo.clone(),
            own: Mutex::default(),
        }
    }

    /// One with nothing in it.
    pub(super) fn empty(&self) -> Self {
        Self::new(&self.clock)
    }

    /// How often this was called before.
    pub(super) fn calls(&self) -> usize {
        self.memo.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// The time by its clock.
    pub(super) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// How far the wall clock was set forward, or back, in all.
    pub(super) fn set_by(&self) -> jiff::SignedDuration {
        let begun = FakeClock::new().now();
        let shown = self.clock.now().duration_since(begun);
        let passed = jiff::SignedDuration::try_from(self.clock.elapsed());
        // To the second, as each look at a clock lets some time pass.
        jiff::SignedDuration::from_secs((shown - passed.unwrap_or_default()).as_secs())
    }

    /// The key and the id of each execution.
    pub(super) fn all(&self) -> Vec<(i64, String)> {
        let ids = lock(&self.memo.ids);
        ids.iter().map(|(key, id)| (*key, id.clone())).collect()
    }

    /// The newest lease on each execution.
    pub(super) fn all_newest(&self) -> Vec<Lease> {
        lock(&self.memo.leases).values().copied().collect()
    }

    /// The status that an execution was made in.
    pub(super) fn first_status(&self, id: &str) -> Option<Status> {
        lock(&self.memo.made).get(id).copied()
    }

    /// Whether it was refused at any time.
    pub(super) fn was_refused(&self, id: &str) -> bool {
        lock(&self.memo.refused).contains(id)
    }

    pub(super) fn id(&self, key: i64) -> Option<String> {
        lock(&self.memo.ids).get(&key).cloned()
    }

    /// The newest lease on the execution of this id.
    pub(super) fn newest(&self, id: &str) -> Option<Lease> {
        lock(&self.memo.leases).get(id).copied()
    }

    /// The newest lease on the execution that this one is or was on.
    pub(super) fn instead(&self, lease: Lease) -> Lease {
        let newest = self.id(lease.key).and_then(|id| self.newest(&id));
        newest.unwrap_or(lease)
    }

    /// Whether it is the newest lease as far as this handle knows by itself.
    pub(super) fn gave(&self, lease: Lease) -> bool {
        lock(&self.own).get(&lease.key).map(|(own, _)| *own) == Some(lease)
    }

    /// The executions whose lease has ended as far as this handle knows by itself.
    pub(super) fn ended(&self) -> Vec<String> {
        let own = lock(&self.own);
        let ended = own.iter().filter(|(_, (_, end))| *end <= self.now());
        ended.filter_map(|(key, _)| self.id(*key)).collect()
    }

    fn gives(&self, lease: Lease, span: Duration) {
        let end = crate::base::clock::add(self.now(), span);
        lock(&self.own).insert(lease.key, (lease, end));
    }

    fn note(&self, id: &str, lease: Lease) {
        lock(&self.memo.leases).insert(id.to_owned(), lease);
        lock(&self.memo.ids).insert(lease.key, id.to_owned());
    }

    pub(super) async fn info(&self, id: &str) -> Option<ExecutionInfo> {
        let saved = self.inner.load(id.to_owned()).await.ok()??;
        Some(saved.info)
    }

    /// Holds an execution, if nobody does.
    pub(super) async fn take(&self, id: &str) -> Option<HeldExecution> {
        let acquire = Acquire {
            id: id.to_owned(),
            worker: "twist".to_owned(),
            lease: Duration::from_hours(1),
            over: TakeOver::Ended,
        };
        match self.acquire(acquire).await.ok()? {
            Acquired::Held(taken) => Some(*taken),
            Acquired::Busy { .. } | Acquired::Unknown => None,
        }
    }

    /// Releases a lease.
    pub(super) async fn rest(&self, lease: Lease, due: Due) {
        let then = LeaseAfter::Release {
            due,
            last_message: i64::MAX,
        };
        let write = super::super::super::builders::write(lease, Vec::new(), then);
        self.write(write).await.ok();
    }
}

impl Store for Sound {
    fn write(&self, write: Write) -> Answer<'_, Written> {
        Box::pin(async move {
            let new = match &write.target {
                Target::New(new) => Some((new.id.clone(), new.held.clone())),
                Target::Held(_) => None,
            };
            let root = write.nodes.iter().find(|node| node.id == 0);
            let status = root.map_or(Status::Pending, |root| root.node.status);
            let refuses = match (&write.target, &write.then) {
                (Target::Held(lease), LeaseAfter::Refuse(_)) => self.id(lease.key),
                _ => None,
            };
            let written = self.inner.write(write).await?;
            lock(&self.memo.refused).extend(refuses);
            if let (Some((id, held)), Written::Created(lease)) = (new, &written) {
                if let Some((_, span)) = held {
                    self.gives(*lease, span);
                }
                lock(&self.memo.made).insert(id.clone(), status);
                self.note(&id, *lease);
            }
            Ok(written)
        })
    }

    fn claim(&self, claim: Claim) -> Answer<'_, Claimed> {
        Box::pin(async move {
            let span = claim.lease;
            let claimed = self.inner.claim(claim).await?;
            for taken in &claimed.taken {
                self.gives(taken.lease, span);
                self.note(&taken.info.id, taken.lease);
            }
            Ok(claimed)
        })
    }

    fn acquire(&self, acquire: Acquire) -> Answer<'_, Acquired> {
        Box::pin(async move {
            let span = acquire.lease;
            let answer = self.inner.acquire(acquire).await?;
            if let Acquired::Held(taken) = &answer {
                self.gives(taken.lease, span);
                self.note(&taken.info.id, taken.lease);
            }
            Ok(answer)
        })
    }

    fn renew(&self, renew: Renew) -> Answer<'_, Vec<Renewal>> {
        self.inner.renew(renew)
    }

    fn send(&self, message: SendMessage) -> Answer<'_, MessageReceipt> {
        self.inner.send(message)
    }

    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn std::any::Any + Send),
    ) -> Answer<'a, Written> {
        self.inner.write_within(write, transaction)
    }

    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> Answer<'a, Transacted> {
        self.inner.transact(lease, name, work)
    }

    fn transacted(&self, lease: Lease, name: String) -> Answer<'_, Option<Option<Json>>> {
        self.inner.transacted(lease, name)
    }

    fn notices(&self) -> Notices {
        self.inner.notices()
    }

    fn annotate(&self, id: String, changes: Vec<NoteChange>) -> Answer<'_, Option<Notes>> {
        self.inner.annotate(id, changes)
    }

    fn duty(&self, name: String) -> Answer<'_, Option<Duty>> {
        self.inner.duty(name)
    }

    fn duties(&self, query: DutyQuery) -> Answer<'_, Vec<Duty>> {
        self.inner.duties(query)
    }

    fn set_duty(&self, set: SetDuty) -> Answer<'_, DutySet> {
        self.inner.set_duty(set)
    }

    fn subscribe(&self, subscription: Subscription) -> Answer<'_, ()> {
        self.inner.subscribe(subscription)
    }

    fn unsubscribe(&self, name: String) -> Answer<'_, bool> {
        self.inner.unsubscribe(name)
    }

    fn end_subscription(&self, name: String, why: String) -> Answer<'_, bool> {
        self.inner.end_subscription(name, why)
    }

    fn subscriptions(&self) -> Answer<'_, Vec<SubscriptionInfo>> {
        self.inner.subscriptions()
    }

    fn changes(&self, query: ChangeQuery) -> Answer<'_, Vec<Change>> {
        self.inner.changes(query)
    }

    fn settle(&self, settled: Settled) -> Answer<'_, ()> {
        self.inner.settle(settled)
    }

    fn limited_flows(&self) -> Answer<'_, Vec<LimitedFlow>> {
        self.inner.limited_flows()
    }

    fn limit_flow(&self, limit: LimitFlow) -> Answer<'_, FlowLimited> {
        self.inner.limit_flow(limit)
    }

    fn log(&self, lines: NewLines) -> Answer<'_, ()> {
        self.inner.log(lines)
    }

    fn logged(&self, query: LogQuery) -> Answer<'_, Option<StoredLog>> {
        self.inner.logged(query)
    }

    fn keep_form(&self, form: Form) -> Answer<'_, i64> {
        self.inner.keep_form(form)
    }

    fn form(&self, number: i64) -> Answer<'_, Option<Form>> {
        self.inner.form(number)
    }

    fn forget_refusals(&self, flows: Vec<FlowClaim>) -> Answer<'_, ()> {
        self.inner.forget_refusals(flows)
    }

    fn load(&self, id: String) -> Answer<'_, Option<StoredExecution>> {
        self.inner.load(id)
    }

    fn list(&self, query: ExecutionQuery) -> Answer<'_, Vec<ExecutionInfo>> {
        self.inner.list(query)
    }

    fn count(&self, query: ExecutionQuery) -> Answer<'_, u64> {
        self.inner.count(query)
    }

    fn delete(&self, query: ExecutionQuery) -> Answer<'_, u64> {
        self.inner.delete(query)
    }

    fn close(&self) -> Answer<'_, ()> {
        self.inner.close()
    }
}
