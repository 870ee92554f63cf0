//! A store with something between it and the engine.

use std::sync::Arc;

use steps::store::{
    BoxFuture, Claim, Claimed, FlowClaim, Held, Hold, Info, Query, Renew, Renewal, Saved, Store,
    StoreError, Tell, Told, Write, Written,
};

/// What comes before the answer to a claim that took something.
type Before = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The store within, and what is between.
pub(crate) struct Between {
    within: Arc<dyn Store>,
    hears: bool,
    taken: Before,
}

impl Between {
    /// A store that hears no heartbeat.
    pub(crate) fn deaf(within: Arc<dyn Store>) -> Self {
        Self {
            within,
            hears: false,
            taken: Box::new(|| Box::pin(std::future::ready(()))),
        }
    }

    /// A store that does this after it has given executions away, and before it says so.
    pub(crate) fn taken<F: Future<Output = ()> + Send + 'static>(
        within: Arc<dyn Store>,
        before: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            within,
            hears: true,
            taken: Box::new(move || Box::pin(before())),
        }
    }
}

impl Store for Between {
    fn renew(&self, renew: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        if self.hears {
            return self.within.renew(renew);
        }
        Box::pin(std::future::pending())
    }
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        Box::pin(async move {
            let claimed = self.within.claim(claim).await?;
            if !claimed.taken.is_empty() {
                (self.taken)().await;
            }
            Ok(claimed)
        })
    }
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.within.write(write)
    }
    fn write_in_place(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.within.write_in_place(write)
    }
    fn hold(&self, hold: Hold) -> BoxFuture<'_, Result<Held, StoreError>> {
        self.within.hold(hold)
    }
    fn tell(&self, tell: Tell) -> BoxFuture<'_, Result<Told, StoreError>> {
        self.within.tell(tell)
    }
    fn readmit(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.readmit(flows)
    }
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<Saved>, StoreError>> {
        self.within.load(id)
    }
    fn list(&self, query: Query) -> BoxFuture<'_, Result<Vec<Info>, StoreError>> {
        self.within.list(query)
    }
    fn count(&self, query: Query) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.within.count(query)
    }
    fn delete(&self, query: Query) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.within.delete(query)
    }
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.within.close()
    }
}
