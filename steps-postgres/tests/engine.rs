//! Engines on a server: flows that are done and flows that are undone, and executions that go from one engine to
//! another.

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use common::server::{Server, schema};
use steps::{Engine, Status, prelude::*};

/// What was done in the world, in order.
#[derive(Clone, Default)]
struct World(Arc<Mutex<Vec<String>>>);

impl World {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn told(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[step]
async fn upload(world: &World, site: &str) -> Result<String, String> {
    world.note(format!("upload {site}"));
    Ok(format!("{site}-1"))
}

#[undo(upload)]
async fn remove(world: &World, _site: &str, release: &String) -> Result<(), String> {
    world.note(format!("remove {release}"));
    Ok(())
}

#[step]
async fn switch(world: &World, release: &str) -> Result<u32, String> {
    world.note(format!("switch to {release}"));
    Ok(7)
}

#[undo(switch)]
async fn switch_back(world: &World, _release: &str, before: &u32) -> Result<(), String> {
    world.note(format!("switch back to {before}"));
    Ok(())
}

#[step]
async fn probe(world: &World, release: &str) -> Result<(), String> {
    world.note(format!("probe {release}"));
    if release.starts_with("bad") {
        return Err("it answers 500".to_owned());
    }
    Ok(())
}

#[flow]
async fn deploy(world: &World, site: String) -> Result<String, String> {
    steps! {
        release = upload(world, &site);
        before = switch(world, &release);
        pause = steps::sleep("50ms");
        probed = probe(world, &release);
    }
    Ok(format!("{release} in place of {before}"))
}

#[flow]
async fn approve(world: &World, site: String) -> Result<String, String> {
    steps! {
        release = upload(world, &site);
        by = steps::signal::<String>();
        switched = switch(world, &release);
    }
    Ok(format!("{by}: {switched}"))
}

fn url(schema: &str) -> String {
    format!("{}&schema={schema}", Server::shared().url())
}

async fn engine(schema: &str, world: &World) -> Engine {
    let builder = Engine::open(&url(schema)).await.unwrap();
    let builder = builder.serve(deploy::with(world.clone()));
    let builder = builder.serve(approve::with(world.clone()));
    builder.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_is_done_and_another_one_is_undone() {
    let (schema, world) = (schema(), World::default());
    let engine = engine(&schema, &world).await;
    let good = engine.start(deploy::input("good".into())).id("good");
    let good = good.await.unwrap();
    assert_eq!(good.outcome().await.unwrap(), "good-1 in place of 7");
    let bad = engine.start(deploy::input("bad".into())).id("bad");
    let failed = bad.await.unwrap().outcome().await.unwrap_err();
    assert!(failed.to_string().contains("it answers 500"), "{failed}");
    let told = world.told();
    let bad: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .filter(|what| !what.contains("good"))
        .collect();
    let expected = [
        "upload bad",
        "switch to bad-1",
        "probe bad-1",
        "switch back to 7",
        "remove bad-1",
    ];
    assert_eq!(bad, expected);
    let info = engine.get("bad").await.unwrap().info().await.unwrap();
    assert_eq!(info.status, Status::Undone);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_engine_has_begun_another_one_ends() {
    let (schema, world) = (schema(), World::default());
    let first = engine(&schema, &world).await;
    let run = first.start(approve::input("shop".into())).id("shop");
    let run = run.await.unwrap();
    while run.info().await.unwrap().status != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = engine(&schema, &world).await;
    first.shutdown(Duration::from_secs(5)).await.unwrap();
    let run = second.execution::<approve>("shop").await.unwrap();
    let by = "ann".to_owned();
    run.signal(approve::STEPS.by, &by).await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), "ann: 7");
    assert_eq!(world.told(), ["upload shop", "switch to shop-1"]);
    second.shutdown(Duration::from_secs(5)).await.unwrap();
}

/// Many at once, so that their writes go in groups, on two engines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_is_done_once_by_two_engines() {
    const MANY: usize = 100;
    let (schema, world) = (schema(), World::default());
    let engines = [engine(&schema, &world).await, engine(&schema, &world).await];
    let mut runs = Vec::new();
    for n in 0..MANY {
        let start = engines[n % 2].start(deploy::input(format!("site {n:03}")));
        runs.push(start.id(format!("{n:03}")).await.unwrap());
    }
    for (n, run) in runs.iter().enumerate() {
        let expected = format!("site {n:03}-1 in place of 7");
        assert_eq!(run.outcome().await.unwrap(), expected);
    }
    let mut uploads = world.told();
    uploads.retain(|what| what.starts_with("upload"));
    uploads.sort();
    let expected: Vec<String> = (0..MANY).map(|n| format!("upload site {n:03}")).collect();
    assert_eq!(uploads, expected);
    for engine in engines {
        engine.shutdown(Duration::from_secs(5)).await.unwrap();
    }
}
