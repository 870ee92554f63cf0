//! A store that notes each write and each claim in the log, before it is handed on and after it has
//! come back: so the parent knows whether a kill struck in between, who took what over from whom,
//! and under which fencing number each write was made.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use steps::{
    Json,
    store::{
        Acquire, Acquired, BoxFuture, Change, ChangeQuery, Claim, Claimed, Duty, DutyQuery,
        DutySet, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, HeldExecution,
        InTransaction, Lease, LimitFlow, LimitedFlow, LogQuery, MessageReceipt, NewLines,
        NoteChange, Notes, Notices, Renew, Renewal, SendMessage, SetDuty, Settled, Store,
        StoreError, StoredExecution, StoredLog, Subscription, SubscriptionInfo, Target, Transacted,
        Write, Written,
    },
};

use crate::{
    log::{Log, NONE, What},
    target::{self, Point},
};

/// The store within, and where to note.
pub(crate) struct Watched<S> {
    within: S,
    log: Log,
    target: target::Target,
    calls: AtomicU64,
    /// The executions' ids, by the keys of their leases.
    ids: Mutex<HashMap<i64, String>>,
}

impl<S: Store> Watched<S> {
    pub(crate) fn new(within: S, log: Log, target: target::Target) -> Self {
        Self {
            within,
            log,
            target,
            calls: AtomicU64::new(0),
            ids: Mutex::default(),
        }
    }

    fn call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    fn id(&self, key: i64) -> String {
        let ids = self.ids.lock().expect("nobody panics with it");
        ids.get(&key).cloned().unwrap_or_else(|| NONE.to_owned())
    }

    fn known(&self, lease: Lease, id: &str) {
        let mut ids = self.ids.lock().expect("nobody panics with it");
        ids.insert(lease.key, id.to_owned());
    }

    fn got(&self, taken: &HeldExecution) {
        self.known(taken.lease, &taken.info.id);
        let from = taken.previous_worker.as_deref().unwrap_or_default();
        let more = format!("{} {from}", taken.lease.fence);
        self.log.mark(What::Got, &taken.info.id, more.trim_end());
        if taken.previous_worker.is_some() {
            self.target.at(Point::TakeOver);
        }
    }

    async fn noted(&self, write: Write, in_place: bool) -> Result<Written, StoreError> {
        let call = self.call();
        let (id, fence) = match &write.target {
            Target::New(new) => (new.id.clone(), 0),
            Target::Held(lease) => (self.id(lease.key), lease.fence),
        };
        let write = if in_place {
            self.within.write_in_place(write)
        } else {
            self.within.write(write)
        };
        let more = format!("{call} {fence}");
        self.log.mark(What::Write, &id, &more);
        self.target.at(Point::Commit);
        let written = write.await;
        match &written {
            Ok(Written::Created(lease)) => {
                self.known(*lease, &id);
                let more = format!("{call} {}", lease.fence);
                self.log.mark(What::Written, &id, &more);
            }
            Ok(_) => self.log.mark(What::Written, &id, &more),
            Err(error) => {
                let more = format!("{call} {fence} {:?} {error}", error.kind());
                self.log.mark(What::Lost, &id, &more);
            }
        }
        written
    }

    async fn claimed(&self, claim: Claim) -> Result<Claimed, StoreError> {
        let call = self.call();
        self.log.mark(What::Worker, NONE, &claim.worker);
        self.log.mark(What::Claim, NONE, &call.to_string());
        let claimed = self.within.claim(claim).await;
        if let Ok(claimed) = &claimed {
            claimed.taken.iter().for_each(|taken| self.got(taken));
        }
        self.log.mark(What::Claimed, NONE, &call.to_string());
        claimed
    }
}

impl<S: Store> Store for Watched<S> {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        Box::pin(self.noted(write, false))
    }

    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        Box::pin(self.noted(write, true))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(self.claimed(claim))
    }

    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        Box::pin(async move {
            let answer = self.within.acquire(acquire).await?;
            if let Acquired::Held(taken) = &answer {
                self.got(taken);
            }
            Ok(answer)
        })
    }

    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        self.within.renew(renew)
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
        self.within.load(id)
    }

    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        self.within.list(query)
    }

    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.within.count(query)
    }

    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.within.delete(query)
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.close()
    }
}
