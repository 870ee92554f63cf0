//! A store under test, and short ways to ask it for what most rules need.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, Unit};

use super::{
    builders::{Creation, HOUR, claim, send_message, write},
    check::{Fault, Outcome, same},
    subject::Source,
};
use crate::{
    base::clock::{add, after},
    model::state::NodeRow,
    store::{
        Acquire, Acquired, Claim, Claimed, Due, ExecutionQuery, HeldExecution, Lease, LeaseAfter,
        Message, MessageReceipt, Queue, Renew, Renewal, SendMessage, Store, StoreError,
        StoredExecution, TakeOver, Write, Written,
    },
};

/// A store under test.
#[derive(Clone)]
pub(super) struct Fixture {
    source: Arc<dyn Source>,
    pub(super) store: Arc<dyn Store>,
}

impl Fixture {
    pub(super) async fn new(source: Arc<dyn Source>) -> Self {
        let store = source.open().await;
        Self { source, store }
    }

    /// Opens the same database once more; returns `None` if it can't be opened twice.
    pub(super) async fn again(&self) -> Option<Self> {
        if !self.source.reopens() {
            return None;
        }
        Some(Self::new(self.source.clone()).await)
    }

    /// Opens the same database once more, for the calls of a second process. If it can't be opened
    /// twice, the one store has to do.
    pub(super) async fn rival(&self) -> Self {
        self.again().await.unwrap_or_else(|| self.clone())
    }

    /// Returns the time by the store's clock, to the microsecond.
    pub(super) async fn now(&self) -> Outcome<Timestamp> {
        let mut claim = claim("clock");
        claim.limit = 0;
        Ok(micros(self.store.claim(claim).await?.now))
    }

    /// Returns a time in the future, to the microsecond.
    pub(super) async fn later(&self, by: Duration) -> Outcome<Timestamp> {
        Ok(add(self.now().await?, by))
    }

    /// Lets time pass by the store's clock.
    pub(super) async fn lapse(&self, time: Duration) -> Outcome {
        let until = add(self.now().await?, time + Duration::from_millis(1));
        while let Some(left) = after(self.now().await?, until) {
            self.source.pass(left).await;
        }
        Ok(())
    }

    /// Sets the wall clock forward, or back. Returns whether that is possible.
    pub(super) async fn set_forward(&self, by: SignedDuration) -> bool {
        self.source.set_forward(by).await
    }

    /// Creates an execution.
    pub(super) async fn create(&self, creation: Creation) -> Outcome<Lease> {
        let id = creation.new.id.clone();
        match self.store.write(creation.write()).await? {
            Written::Created(lease) => Ok(lease),
            other => Err(Fault::new(&format!("making {id:?}"), "Created", other)),
        }
    }

    /// Creates an execution that is due.
    pub(super) async fn due(&self, id: &str) -> Outcome {
        self.create(Creation::new(id)).await.map(drop)
    }

    /// Creates an execution that a worker holds.
    pub(super) async fn held(&self, id: &str) -> Outcome<Lease> {
        self.create(Creation::new(id).held("maker", HOUR)).await
    }

    /// Writes under a lease that is good, when no message has come.
    pub(super) async fn write(&self, write: Write) -> Outcome {
        match self.store.write(write).await? {
            Written::Kept => Ok(()),
            other => Err(Fault::new("a write under a lease", "Kept", other)),
        }
    }

    /// Writes and releases the lease, when a message has come that its holder has not seen.
    pub(super) async fn recalled(&self, write: Write) -> Outcome {
        match self.store.write(write).await? {
            Written::Recalled => Ok(()),
            other => Err(Fault::new("a rest after a message", "Recalled", other)),
        }
    }

    /// Writes nodes and keeps the lease.
    pub(super) async fn keep(&self, lease: Lease, nodes: Vec<NodeRow>) -> Outcome {
        self.write(write(lease, nodes, LeaseAfter::Keep)).await
    }

    /// Releases a lease, whatever is in the inbox.
    pub(super) async fn rest(&self, lease: Lease, due: Due) -> Outcome {
        let then = LeaseAfter::Release {
            due,
            last_message: 0,
        };
        match self.store.write(write(lease, Vec::new(), then)).await? {
            Written::Kept | Written::Recalled => Ok(()),
            other => Err(Fault::new("a rest", "Kept or Recalled", other)),
        }
    }

    /// Claims all that is due of the default flow.
    pub(super) async fn claim(&self, worker: &str) -> Outcome<Vec<HeldExecution>> {
        Ok(self.claimed(claim(worker)).await?.taken)
    }

    pub(super) async fn claimed(&self, claim: Claim) -> Outcome<Claimed> {
        Ok(self.store.claim(claim).await?)
    }

    /// Claims, and expects just the execution of this id.
    pub(super) async fn claim_one(&self, worker: &str, id: &str) -> Outcome<HeldExecution> {
        self.claim_one_with(claim(worker), id).await
    }

    pub(super) async fn claim_one_with(&self, claim: Claim, id: &str) -> Outcome<HeldExecution> {
        let what = format!(
            "a claim by {:?} while only {id:?} is to be had",
            claim.worker
        );
        let mut taken = self.claimed(claim).await?.taken;
        same(&what, &ids(&taken), &vec![id])?;
        taken.pop().ok_or_else(|| Fault::new(&what, id, ()))
    }

    /// Claims, and expects nothing.
    pub(super) async fn claim_nothing(&self, what: &str) -> Outcome {
        let taken = self.claim("idle").await?;
        same(&format!("a claim: {what}"), &ids(&taken), &Vec::new())
    }

    pub(super) async fn acquire(
        &self,
        id: &str,
        worker: &str,
        lease: Duration,
    ) -> Outcome<Acquired> {
        self.acquire_over(id, worker, lease, TakeOver::Ended).await
    }

    pub(super) async fn acquire_over(
        &self,
        id: &str,
        worker: &str,
        lease: Duration,
        over: TakeOver,
    ) -> Outcome<Acquired> {
        let acquire = Acquire {
            id: id.to_owned(),
            worker: worker.to_owned(),
            lease,
            over,
        };
        Ok(self.store.acquire(acquire).await?)
    }

    /// Acquires an execution that nobody holds.
    pub(super) async fn take(
        &self,
        id: &str,
        worker: &str,
        lease: Duration,
    ) -> Outcome<HeldExecution> {
        match self.acquire(id, worker, lease).await? {
            Acquired::Held(taken) => Ok(*taken),
            other => Err(Fault::new(
                &format!("holding {id:?}"),
                "HeldExecution",
                other,
            )),
        }
    }

    /// Renews one lease for this long.
    pub(super) async fn renew(&self, held: Lease, seen: i64, lease: Duration) -> Outcome<Renewal> {
        let held = vec![(held, seen)];
        let mut answers = self.store.renew(Renew::some(lease, held)).await?;
        same("how many answers one renewal has", &answers.len(), &1)?;
        answers
            .pop()
            .ok_or_else(|| Fault::new("a renewal", "an answer", ()))
    }

    /// Renews all leases of a worker for this long: these, each with the newest message that the worker knows.
    pub(super) async fn renew_all(
        &self,
        worker: &str,
        held: &[(Lease, i64)],
        lease: Duration,
    ) -> Outcome<Vec<Renewal>> {
        let renew = Renew {
            all_of: Some(worker.to_owned()),
            ..Renew::some(lease, held.to_vec())
        };
        let answers = self.store.renew(renew).await?;
        same("how many answers there are", &answers.len(), &held.len())?;
        Ok(answers)
    }

    /// Sends a message to an execution, whatever its status, in the place of those like it.
    pub(super) async fn send(&self, id: &str, message: Message) -> Outcome<i64> {
        match self.store.send(send_message(id, message)).await? {
            MessageReceipt::Stored(number) => Ok(number),
            other => Err(Fault::new("a message", "Kept", other)),
        }
    }

    /// Sends a message behind those like it, if there are fewer than `most`.
    pub(super) async fn queue(
        &self,
        id: &str,
        message: Message,
        most: usize,
    ) -> Outcome<MessageReceipt> {
        let message = SendMessage {
            queue: Queue::Behind(most),
            ..send_message(id, message)
        };
        Ok(self.store.send(message).await?)
    }

    /// Loads an execution that exists.
    pub(super) async fn load(&self, id: &str) -> Outcome<StoredExecution> {
        let saved = self.store.load(id.to_owned()).await?;
        saved.ok_or_else(|| Fault::new(&format!("loading {id:?}"), "Some", ()))
    }

    /// Returns the ids of what a query finds.
    pub(super) async fn list(&self, query: ExecutionQuery) -> Outcome<Vec<String>> {
        let found = self.store.list(query).await?;
        Ok(found.into_iter().map(|info| info.id).collect())
    }

    /// Repeats a call as long as the store is busy.
    pub(super) async fn patiently<T, F>(
        &self,
        call: impl Fn(Arc<dyn Store>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut patience = 1000;
        loop {
            match call(self.store.clone()).await {
                Err(error) if error.kind().is_transient() && patience > 0 => {
                    patience -= 1;
                    self.source.pass(Duration::from_millis(5)).await;
                }
                other => return other,
            }
        }
    }
}

/// Returns the ids of what was claimed, in that order.
pub(super) fn ids(taken: &[HeldExecution]) -> Vec<&str> {
    taken.iter().map(|taken| &*taken.info.id).collect()
}

/// Rounds a time down to the microsecond.
pub(super) fn micros(time: Timestamp) -> Timestamp {
    let round = jiff::TimestampRound::new()
        .smallest(Unit::Microsecond)
        .mode(jiff::RoundMode::Floor);
    time.round(round).unwrap_or(time)
}
