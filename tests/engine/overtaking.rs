//! What is started while others wait for a place: it does not overtake them, whether the engine's
//! places are taken or the flow's own.

use std::time::Duration;

use steps::{
    engine::{Concurrency, Engine},
    prelude::*,
};

use crate::support::{World, on_each_store, wait_for};

#[step]
async fn works(world: &World, name: &str) -> Result<(), String> {
    world.act(None, name.to_owned()).await?;
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(())
}

#[flow]
async fn work(world: &World, name: String) -> Result<(), String> {
    steps! { works(world, &name); }
    Ok(())
}

/// How many wait in the queue.
const QUEUE: usize = 40;

/// Fills the queue, and starts others of this priority at each moment until it is empty. None of
/// them may begin before the last of the queue.
async fn check(engine: &Engine, world: &World, priority: i32) {
    let late = format!("of priority {priority}");
    for _ in 0..QUEUE {
        engine
            .start(work::input("queue".into()))
            .await
            .expect("it starts");
    }
    wait_for("the queue", async || {
        let start = engine.start(work::input(late.clone()));
        start.priority(priority).await.expect("it starts");
        world.log().iter().filter(|line| *line == "queue").count() == QUEUE
    })
    .await;
    wait_for("the others", async || world.log().contains(&late)).await;
    let order = world.log();
    let first = order
        .iter()
        .position(|line| *line == late)
        .expect("it is there");
    assert_eq!(first, QUEUE, "{order:?}");
}

on_each_store! {
    async fn scale_barge_a_start_does_not_overtake_what_waits_for_a_place(db) {
        let world = World::new();
        let engine = db.engine().await.serve(work::with(world.clone()));
        let engine = engine.concurrency(Concurrency::fixed(2)).start().await.expect("it starts");
        check(&engine, &world, -5).await;
    }

    async fn scale_barge_a_start_does_not_overtake_others_of_its_priority(db) {
        let world = World::new();
        let engine = db.engine().await.serve(work::with(world.clone()));
        let engine = engine.concurrency(Concurrency::fixed(2)).start().await.expect("it starts");
        check(&engine, &world, 0).await;
    }

    async fn scale_barge_a_start_does_not_overtake_what_waits_for_its_flows_own_bound(db) {
        let world = World::new();
        let engine = db.engine().await.serve(work::with(world.clone()).concurrency(2));
        let engine = engine.concurrency(Concurrency::fixed(8)).start().await.expect("it starts");
        check(&engine, &world, -5).await;
    }
}
