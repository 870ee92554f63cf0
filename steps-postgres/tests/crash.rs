//! The server ends in the middle of a load, as by `pg_ctl stop -m immediate`, and is started again: nothing that was
//! acknowledged is lost, and stores and engines go on by themselves.

mod common;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{
    load::Load,
    server::{Server, Sync, schema},
};
use steps::{Engine, prelude::*};
use steps_core::store::ErrorKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost() {
    let server = Server::start(Sync::On);
    let schema = schema();
    let load = Load::begin(&server, &schema, 1, &[ErrorKind::Busy]).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        tokio::task::block_in_place(|| {
            server.crash();
            server.restart();
        });
        load.goes_on().await;
    }
    let made = load.check(&server, &schema).await;
    assert!(made > 16, "only {made} were made");
}

/// How often each step of each execution was run.
#[derive(Clone, Default)]
struct World(Arc<Mutex<HashMap<String, u32>>>);

#[step]
async fn act(world: &World, what: &str) -> Result<String, String> {
    *world.0.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(what.to_owned())
}

#[flow]
async fn three(world: &World, name: String) -> Result<String, String> {
    steps! {
        a = act(world, &format!("{name} a"));
        b = act(world, &format!("{name} b"));
        c = act(world, &format!("{name} c"));
    }
    Ok(format!("{a}, {b}, {c}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_goes_on_when_its_server_has_crashed() {
    const MANY: u32 = 40;
    let server = Server::start(Sync::On);
    let url = format!("{}&schema={}", server.url(), schema());
    let world = World::default();
    let builder = Engine::open(&url).await.unwrap();
    let builder = builder.lease(Duration::from_secs(2));
    let builder = builder.serve(three::with(world.clone()));
    let engine = builder.start().await.unwrap();
    let mut runs = Vec::new();
    for n in 0..MANY {
        let start = engine.start(three::input(n.to_string()));
        runs.push(start.id(format!("run {n}")).await.unwrap());
        if n == MANY / 2 {
            tokio::task::block_in_place(|| {
                server.crash();
                server.restart();
            });
        }
    }
    for (n, run) in runs.iter().enumerate() {
        let outcome = tokio::time::timeout(Duration::from_mins(1), async {
            loop {
                match run.outcome().await {
                    Ok(outcome) => break outcome,
                    // Asking came just as the server was away.
                    Err(error) => assert!(error.to_string().contains("connection"), "{error}"),
                }
            }
        });
        let outcome = outcome.await.unwrap();
        assert_eq!(outcome, format!("{n} a, {n} b, {n} c"));
    }
    let ran = std::mem::take(&mut *world.0.lock().unwrap());
    assert_eq!(ran.len(), 3 * runs.len());
    let twice = ran.values().filter(|count| **count > 1).count();
    // What had begun at the crash and was not recorded as done runs again, and only that.
    assert!(ran.values().all(|count| *count <= 2), "{ran:?}");
    assert!(twice <= 21, "{twice} ran twice");
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}
