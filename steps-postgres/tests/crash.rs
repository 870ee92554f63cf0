//! The server ends in the middle of a load, as by `pg_ctl stop -m immediate`, and is started again: nothing that was
//! acknowledged is lost, and stores and engines go on by themselves.

mod common;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use common::{
    server::{Server, Sync, schema},
    writes::{created, held, step},
};
use steps::{Engine, prelude::*};
use steps_core::store::{ErrorKind, Store};
use steps_postgres::{PostgresOptions, PostgresStore};

/// Which nodes of an execution were acknowledged.
type Acknowledged = Arc<Mutex<HashMap<String, u32>>>;

async fn open(server: &Server, schema: &str) -> PostgresStore {
    let options = PostgresOptions::from_url(&server.url()).unwrap();
    options.schema(schema).open().await.unwrap()
}

/// Makes executions and writes their nodes, one after the other, until it is told to stop. What fails has to be for a
/// while only.
async fn load(store: Arc<PostgresStore>, task: u32, all: Acknowledged, stop: Arc<AtomicBool>) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let id = format!("{task}-{number}");
        let lease = match store.write(held(&id)).await {
            Ok(written) => created(written),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        all.lock().unwrap().insert(id.clone(), 0);
        for node in 1..=5 {
            match store.write(step(lease, node, "step")).await {
                Ok(_) => {
                    all.lock().unwrap().insert(id.clone(), node);
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
                    break;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost() {
    let server = Server::start(Sync::On);
    let schema = schema();
    let store = Arc::new(open(&server, &schema).await);
    let (all, stop) = (Acknowledged::default(), Arc::new(AtomicBool::new(false)));
    let tasks = (0..16).map(|task| {
        let (store, all, stop) = (Arc::clone(&store), Arc::clone(&all), Arc::clone(&stop));
        tokio::spawn(load(store, task, all, stop))
    });
    let tasks: Vec<_> = tasks.collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let before = all.lock().unwrap().len();
        tokio::task::block_in_place(|| {
            server.crash();
            server.restart();
        });
        // The same store goes on.
        while all.lock().unwrap().len() <= before {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let all = std::mem::take(&mut *all.lock().unwrap());
    assert!(all.len() > 16, "only {} were made", all.len());
    let other = open(&server, &schema).await;
    for (id, last) in all {
        let found = other.load(id.clone()).await.unwrap();
        let found = found.unwrap_or_else(|| panic!("{id} was acknowledged, and is gone"));
        let mut nodes: Vec<u32> = found.nodes.iter().map(|row| row.id).collect();
        nodes.sort_unstable();
        // One more may have been kept whose answer was lost.
        let kept = u32::try_from(nodes.len()).unwrap();
        assert!(kept == last || kept == last + 1, "{id}: {kept} of {last}");
        assert!(nodes.iter().copied().eq(1..=kept), "{id}: {nodes:?}");
    }
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
