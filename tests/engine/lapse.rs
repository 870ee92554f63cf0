//! A lease that ends while its execution is at work: the heartbeat comes too late.

use std::time::Duration;

use steps::engine::Engine;

use crate::{
    between::Between,
    support::{World, job, on_each_store},
};

on_each_store! {
    async fn regression_a_step_ran_beside_itself_after_its_lease_had_ended(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = Engine::with_store(Between::deaf(db.store().await))
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
