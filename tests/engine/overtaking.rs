//! What is started while others wait for a place: it does not overtake them, whether the engine's
//! places are taken or the flow's own.

use std::{sync::Arc, time::Duration};

use steps::{
    engine::{Concurrency, Engine},
    prelude::*,
    store::MemoryStore,
};
use tokio::sync::Semaphore;

use crate::{
    between::Between,
    support::{World, on_each_store, wait_for},
};

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

#[step]
async fn passes(world: &World, gate: &Arc<Semaphore>, name: &str) -> Result<(), String> {
    world.act(None, name.to_owned()).await?;
    gate.acquire().await.map_err(|_| "closed")?.forget();
    Ok(())
}

#[flow]
async fn gated(world: &World, gate: &Arc<Semaphore>, name: String) -> Result<(), String> {
    steps! { passes(world, gate, &name); }
    Ok(())
}

/// A claim took all free places for one start that was left in the store. Those that came while it was
/// made found none, and were left as well.
#[tokio::test]
async fn regression_a_claim_for_one_start_left_no_place_for_the_next() {
    let (world, gate) = (World::new(), Arc::new(Semaphore::new(0)));
    let (here, on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (at, go) = (here.clone(), on.clone());
    let store = Between::taken(Arc::new(MemoryStore::new()), move || {
        at.add_permits(1);
        let go = go.clone();
        async move { go.acquire().await.expect("it is open").forget() }
    });
    let engine = Engine::with_store(store).serve(gated::with(world.clone(), gate.clone()));
    let engine = engine
        .concurrency(Concurrency::fixed(3))
        .start()
        .await
        .expect("it starts");
    for name in ["a", "b", "c", "left"] {
        engine
            .start(gated::input(name.into()))
            .await
            .expect("it starts");
    }
    wait_for("the first", async || world.log().len() == 3).await;
    gate.add_permits(2);
    here.acquire().await.expect("it is open").forget();
    // One of two free places is for the start that was left, and whose claim is being made.
    engine
        .start(gated::input("next".into()))
        .await
        .expect("it starts");
    wait_for("the next", async || {
        world.log().contains(&"next".to_owned())
    })
    .await;
    assert_eq!(world.log().len(), 4, "{:?}", world.log());
    on.add_permits(1);
    wait_for("all", async || world.log().len() == 5).await;
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
