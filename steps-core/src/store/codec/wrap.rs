//! The store in front of another one: each method has the values encoded that go in, and decodes those that
//! come out.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use super::{Codec, held::AllHeld, inward::Inward, outward::Outward, query};
use crate::base::{clock::ServerClock, json::Json};
use crate::store::{
    Acquire, Acquired, BoxFuture, Change, ChangeQuery, CheckReport, Claim, Claimed, Duty,
    DutyQuery, DutySet, ExecutionInfo, ExecutionQuery, FlowClaim, FlowLimited, Form, InTransaction,
    LabelQuery, Lease, LimitFlow, LimitedFlow, LogQuery, MessageReceipt, NewLines, NoteChange,
    Notes, Notices, Renew, Renewal, SendMessage, SetDuty, Settled, Statistics, StatisticsQuery,
    Store, StoreError, StoredExecution, StoredLog, Subscription, SubscriptionInfo, TakeOver,
    Transacted, Write, Written,
};

/// A store whose values pass through a [`Codec`]: what [`Builder::codec`](crate::engine::Builder::codec)
/// puts in front of the store of an engine.
///
/// * What one process can't decode, it refuses as if it did not fit the program: a claim does not give it,
///   and it is left to a process whose codec has another [identity](Codec::identity). So a missing key
///   holds up nothing else, and loses nothing.
/// * [`load`](Store::load) and [`acquire`](Store::acquire) of such an execution are
///   [`ErrorKind::NoKey`](crate::store::ErrorKind::NoKey), or
///   [`ErrorKind::Corrupt`](crate::store::ErrorKind::Corrupt) if the value is not what was encoded for its place.
///   A list has it, and [says so](ExecutionInfo::unreadable). An acquire that takes over
///   [any](TakeOver::Any) lease gives it, too, with the values as they are, so that it can be ended and
///   deleted by force.
/// * A query that looks into encoded values is [`ErrorKind::Rejected`](crate::store::ErrorKind::Rejected).
/// * A claim's [`Share`](crate::store::Share) is of what the store reads: what was compressed is larger then.
/// * A lease is used with the `CodecStore` that has given it.
#[derive(Clone)]
pub struct CodecStore {
    pub(super) inner: Arc<dyn Store>,
    codec: Arc<dyn Codec>,
    pub(super) held: Arc<AllHeld>,
    /// The executions of which the log has told that they can't be decoded.
    pub(super) told: Arc<Mutex<HashSet<String>>>,
}

impl CodecStore {
    /// Puts a codec in front of a store.
    pub fn new(inner: Arc<dyn Store>, codec: Arc<dyn Codec>) -> Self {
        Self {
            inner,
            codec,
            held: Arc::default(),
            told: Arc::default(),
        }
    }

    pub(super) fn inward(&self) -> Inward<'_> {
        Inward {
            codec: &*self.codec,
            mark: self.codec.identity(),
        }
    }

    pub(super) fn outward(&self) -> Outward<'_> {
        Outward {
            codec: &*self.codec,
            mark: self.codec.identity(),
        }
    }
}

impl Store for CodecStore {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.written_by(write, |store, write| store.write(write))
    }

    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.written_by(write, |store, write| store.write_in_place(write))
    }

    fn claim(&self, mut claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        let flows = claim.flows.clone();
        for flow in &mut claim.flows {
            self.outward().mark(&mut flow.refuser);
        }
        let claimed = self.inner.claim(claim);
        Box::pin(async move {
            let mut claimed = claimed.await?;
            let all = std::mem::take(&mut claimed.taken);
            for mut taken in all {
                match self.outward().held(&mut taken) {
                    Ok(()) => {
                        self.held.hold(taken.lease, &taken.info.id, false);
                        claimed.taken.push(taken);
                    }
                    Err(error) => self.refuse(&flows, taken, error).await,
                }
            }
            Ok(claimed)
        })
    }

    fn acquire(&self, acquire: Acquire) -> BoxFuture<'_, Result<Acquired, StoreError>> {
        Box::pin(async move {
            let is_forced = acquire.over == TakeOver::Any;
            // Before it is taken, so that an error changes nothing.
            if !is_forced && let Some(saved) = self.inner.load(acquire.id.clone()).await? {
                self.outward().stored(saved)?;
            }
            let mut acquired = self.inner.acquire(acquire).await?;
            if let Acquired::Held(taken) = &mut acquired {
                let decoded = self.outward().held(taken);
                self.held
                    .hold(taken.lease, &taken.info.id, decoded.is_err());
                if !is_forced {
                    decoded?;
                }
            }
            Ok(acquired)
        })
    }

    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        let leases: Vec<Lease> = renew.held.iter().map(|(lease, _)| *lease).collect();
        let renewals = self.inner.renew(renew);
        Box::pin(async move {
            let mut renewals = renewals.await?;
            for (lease, renewal) in leases.into_iter().zip(&mut renewals) {
                match renewal {
                    Renewal::Lost => self.held.let_go(lease),
                    Renewal::Held(messages) if messages.is_empty() => {}
                    Renewal::Held(messages) => {
                        let id = self.held.id(lease);
                        let id = id.as_deref().unwrap_or_default();
                        self.outward().arrived(id, lease.key, messages);
                    }
                }
            }
            Ok(renewals)
        })
    }

    fn send(&self, mut message: SendMessage) -> BoxFuture<'_, Result<MessageReceipt, StoreError>> {
        match self.inward().send(&mut message) {
            Ok(()) => self.inner.send(message),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn write_within<'a>(
        &'a self,
        write: Write,
        transaction: &'a mut (dyn std::any::Any + Send),
    ) -> BoxFuture<'a, Result<Written, StoreError>> {
        self.written_by(write, |store, write| store.write_within(write, transaction))
    }

    fn transact<'a>(
        &'a self,
        lease: Lease,
        name: String,
        work: Box<dyn InTransaction + 'a>,
    ) -> BoxFuture<'a, Result<Transacted, StoreError>> {
        Box::pin(self.transact_encoded(lease, name, work))
    }

    fn transacted(
        &self,
        lease: Lease,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Option<Json>>, StoreError>> {
        Box::pin(self.transacted_decoded(lease, name))
    }

    fn notices(&self) -> Notices {
        self.inner.notices()
    }

    fn clock(&self) -> Option<Arc<ServerClock>> {
        self.inner.clock()
    }

    fn annotate(
        &self,
        id: String,
        mut changes: Vec<NoteChange>,
    ) -> BoxFuture<'_, Result<Option<Notes>, StoreError>> {
        if let Err(error) = self.inward().notes(&id, &mut changes) {
            return Box::pin(std::future::ready(Err(error)));
        }
        Box::pin(async move {
            let mut notes = self.inner.annotate(id.clone(), changes).await?;
            if let Some(notes) = &mut notes {
                let query = ExecutionQuery {
                    id: Some(id.clone()),
                    brief: true,
                    ..ExecutionQuery::default()
                };
                // The change is made: what is noted is told as in a list, where some may be unreadable.
                if let Some(info) = self.inner.list(query).await?.first() {
                    self.outward().notes(&id, info.key, notes);
                }
            }
            Ok(notes)
        })
    }

    fn duty(&self, name: String) -> BoxFuture<'_, Result<Option<Duty>, StoreError>> {
        Box::pin(async move {
            let mut duty = self.inner.duty(name).await?;
            if let Some(duty) = &mut duty {
                self.outward().duty(duty)?;
            }
            Ok(duty)
        })
    }

    fn duties(&self, query: DutyQuery) -> BoxFuture<'_, Result<Vec<Duty>, StoreError>> {
        Box::pin(async move {
            let mut duties = self.inner.duties(query).await?;
            for duty in &mut duties {
                // One that can't be decoded stays as it is, and whoever reads it says so.
                let _ = self.outward().duty(duty);
            }
            Ok(duties)
        })
    }

    fn set_duty(&self, mut set: SetDuty) -> BoxFuture<'_, Result<DutySet, StoreError>> {
        if let Err(error) = self.inward().duty(&mut set) {
            return Box::pin(std::future::ready(Err(error)));
        }
        Box::pin(async move {
            let mut answer = self.inner.set_duty(set).await?;
            if let DutySet::Changed(Some(duty)) = &mut answer {
                self.outward().duty(duty)?;
            }
            Ok(answer)
        })
    }

    fn subscribe(&self, subscription: Subscription) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.subscribe(subscription)
    }

    fn unsubscribe(&self, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.inner.unsubscribe(name)
    }

    fn end_subscription(
        &self,
        name: String,
        why: String,
    ) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.inner.end_subscription(name, why)
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionInfo>, StoreError>> {
        self.inner.subscriptions()
    }

    fn changes(&self, query: ChangeQuery) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        self.with_errors(query)
    }

    fn settle(&self, settled: Settled) -> BoxFuture<'_, Result<(), StoreError>> {
        self.settle_encoded(settled)
    }

    fn limited_flows(&self) -> BoxFuture<'_, Result<Vec<LimitedFlow>, StoreError>> {
        self.limited()
    }

    fn limit_flow(&self, limit: LimitFlow) -> BoxFuture<'_, Result<FlowLimited, StoreError>> {
        self.limit(limit)
    }

    fn log(&self, lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        self.log_encoded(lines)
    }

    fn logged(&self, query: LogQuery) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        self.log_decoded(query)
    }

    fn label_values(&self, query: LabelQuery) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        self.inner.label_values(query)
    }

    fn keep_form(&self, form: Form) -> BoxFuture<'_, Result<i64, StoreError>> {
        self.inner.keep_form(form)
    }

    fn form(&self, number: i64) -> BoxFuture<'_, Result<Option<Form>, StoreError>> {
        self.inner.form(number)
    }

    fn forget_refusals(&self, mut flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        for flow in &mut flows {
            self.outward().mark(&mut flow.refuser);
        }
        self.inner.forget_refusals(flows)
    }

    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        let saved = self.inner.load(id);
        Box::pin(async move {
            let saved = saved.await?;
            saved.map(|saved| self.outward().stored(saved)).transpose()
        })
    }

    fn load_open(&self, id: String) -> BoxFuture<'_, Result<Option<StoredExecution>, StoreError>> {
        let saved = self.inner.load_open(id);
        Box::pin(async move {
            let saved = saved.await?;
            saved.map(|saved| self.outward().stored(saved)).transpose()
        })
    }

    fn list(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<Vec<ExecutionInfo>, StoreError>> {
        Box::pin(async move {
            query::check(&*self.codec, &query)?;
            let mut found = self.inner.list(query).await?;
            let outward = self.outward();
            for info in &mut found {
                outward.listed(info);
            }
            Ok(found)
        })
    }

    fn count(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            query::check(&*self.codec, &query)?;
            self.inner.count(query).await
        })
    }

    fn statistics(&self, query: StatisticsQuery) -> BoxFuture<'_, Result<Statistics, StoreError>> {
        self.inner.statistics(query)
    }

    fn delete(&self, query: ExecutionQuery) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            query::check(&*self.codec, &query)?;
            self.inner.delete(query).await
        })
    }

    fn backup(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.backup(to)
    }

    fn compact(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.compact()
    }

    fn check(&self) -> BoxFuture<'_, Result<CheckReport, StoreError>> {
        self.checked()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.close()
    }
}
