//! A lease that ends while its execution is at work: the heartbeat comes too late.

use std::{sync::Arc, time::Duration};

use steps::{
    engine::Engine,
    store::{
        BoxFuture, Claim, Claimed, FlowClaim, Held, Hold, Info, Query, Renew, Renewal, Saved,
        Store, StoreError, Tell, Told, Write, Written,
    },
};

use crate::support::{World, job, on_each_store};

/// A store that hears no heartbeat.
struct Deaf(Arc<dyn Store>);

impl Store for Deaf {
    fn renew(&self, _: Renew) -> BoxFuture<'_, Result<Vec<Renewal>, StoreError>> {
        Box::pin(std::future::pending())
    }
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Written, StoreError>> {
        self.0.write(write)
    }
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        self.0.claim(claim)
    }
    fn hold(&self, hold: Hold) -> BoxFuture<'_, Result<Held, StoreError>> {
        self.0.hold(hold)
    }
    fn tell(&self, tell: Tell) -> BoxFuture<'_, Result<Told, StoreError>> {
        self.0.tell(tell)
    }
    fn readmit(&self, flows: Vec<FlowClaim>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.readmit(flows)
    }
    fn load(&self, id: String) -> BoxFuture<'_, Result<Option<Saved>, StoreError>> {
        self.0.load(id)
    }
    fn list(&self, query: Query) -> BoxFuture<'_, Result<Vec<Info>, StoreError>> {
        self.0.list(query)
    }
    fn count(&self, query: Query) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.count(query)
    }
    fn delete(&self, query: Query) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.0.delete(query)
    }
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.close()
    }
}

on_each_store! {
    async fn regression_a_step_ran_beside_itself_after_its_lease_had_ended(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = Engine::on(Deaf(db.store().await))
            .serve(job::with(world.clone()))
            .lease(Duration::from_millis(50))
            .start()
            .await
            .expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b sees the stop").await;
        world.opens();
        // The older turn can't write, and tells nothing; the newer one goes on to the end.
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b x.c");
        let log = world.log();
        let seen = log.iter().position(|line| line == "x.b sees the stop").expect("it ended");
        assert_eq!(log[..seen].iter().filter(|line| *line == "x.b").count(), 1, "{log:?}");
        assert_eq!(log[seen..].iter().filter(|line| *line == "x.b").count(), 1, "{log:?}");
    }
}
