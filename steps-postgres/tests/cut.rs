//! The connection is cut at each request of a call, before the server gets it, and when the server has done it and the
//! answer is still to come: the call has done all or nothing, and what it says is true.

mod common;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use common::{
    cutting::{Cut, Cutting},
    proxy::Proxy,
    server::{Server, schema},
    writes::{claim, created, due, held, step},
};
use steps::{Engine, Status, prelude::*};
use steps_core::{
    Json,
    store::{
        ErrorKind, ExecutionQuery, Lease, Message, Queue, SendMessage, Store, StoreError,
        StoredExecution,
    },
};
use steps_postgres::{PostgresOptions, PostgresStore};

/// Opens it with one connection, so that each call that is cut is followed by one on a new connection.
async fn open(url: &str, schema: &str) -> PostgresStore {
    let options = PostgresOptions::from_url(url).unwrap();
    let options = options.schema(schema).connections(1);
    options.open().await.unwrap()
}

/// What is there before a call that is cut.
struct Before {
    id: String,
    lease: Option<Lease>,
}

/// Cuts a call at each of its requests, on both sides of it. `prepare` makes what the call needs, and `is_done` says
/// whether the call has done what it does.
async fn is_whole_or_not_there(
    prepare: impl AsyncFn(&PostgresStore, String) -> Before,
    call: impl AsyncFn(&PostgresStore, &Before) -> Result<(), StoreError>,
    is_done: impl Fn(Option<&StoredExecution>) -> bool,
) {
    let schema = schema();
    let direct = open(&Server::shared().url(), &schema).await;
    let proxy = Proxy::start(Server::shared().folder(), Cutting::default()).await;
    let store = open(&proxy.url(), &schema).await;
    // How many were cut and had done nothing, and how many were and had done all.
    let (mut nothing, mut all) = (0, 0);
    for side in [Cut::Before, Cut::After] {
        for request in 0.. {
            let cut = side(request);
            let before = prepare(&direct, format!("{cut:?}")).await;
            proxy.between().cut_at(cut);
            let called = call(&store, &before).await;
            let has_cut = proxy.between().has_cut();
            let found = direct.load(before.id.clone()).await.unwrap();
            let is_done = is_done(found.as_ref());
            match called {
                Ok(()) => assert!(is_done, "{cut:?}: it was acknowledged"),
                Err(error) => {
                    assert!(has_cut, "{cut:?}: {error}");
                    assert_eq!(error.kind(), ErrorKind::Busy, "{cut:?}: {error}");
                    *if is_done { &mut all } else { &mut nothing } += 1;
                }
            }
            if !has_cut {
                assert!(request > 0, "it was never cut");
                break;
            }
        }
    }
    // That the commit was lost, and that its answer was.
    assert!(
        nothing > 0 && all > 0,
        "{nothing} had done nothing, {all} all"
    );
    for store in [store, direct] {
        store.close().await.unwrap();
    }
}

async fn made(store: &PostgresStore, id: String) -> Before {
    let lease = Some(created(store.write(held(&id)).await.unwrap()));
    Before { id, lease }
}

async fn none(_: &PostgresStore, id: String) -> Before {
    Before { id, lease: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_execution() {
    let call = async |store: &PostgresStore, before: &Before| {
        store.write(held(&before.id)).await.map(drop)
    };
    is_whole_or_not_there(none, call, |found| found.is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_of_a_step() {
    let call = async |store: &PostgresStore, before: &Before| {
        let lease = before.lease.unwrap();
        store.write(step(lease, 1, "a")).await.map(drop)
    };
    let is_done = |found: Option<&StoredExecution>| !found.unwrap().nodes.is_empty();
    is_whole_or_not_there(made, call, is_done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_write_of_a_turn() {
    let call = async |store: &PostgresStore, before: &Before| {
        let mut last = step(before.lease.unwrap(), 1, "a");
        last.then = due("any").then;
        store.write(last).await.map(drop)
    };
    let is_done = |found: Option<&StoredExecution>| {
        let found = found.unwrap();
        let is_free = found.info.worker.is_none();
        assert_eq!(is_free, !found.nodes.is_empty(), "it is whole");
        is_free
    };
    is_whole_or_not_there(made, call, is_done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal() {
    let call = async |store: &PostgresStore, before: &Before| {
        let signal = SendMessage {
            id: before.id.clone(),
            message: Message::Signal {
                path: "approval".to_owned(),
                value: Json::parse("true").unwrap(),
            },
            if_status: Vec::new(),
            if_taken: None,
            queue: Queue::Replace,
        };
        store.send(signal).await.map(drop)
    };
    let is_done = |found: Option<&StoredExecution>| !found.unwrap().messages.is_empty();
    is_whole_or_not_there(made, call, is_done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim() {
    let prepare = async |store: &PostgresStore, id: String| {
        // No other is due.
        while !store.claim(claim()).await.unwrap().taken.is_empty() {}
        store.write(due(&id)).await.unwrap();
        Before { id, lease: None }
    };
    let call = async |store: &PostgresStore, _: &Before| store.claim(claim()).await.map(drop);
    let is_done = |found: Option<&StoredExecution>| found.unwrap().info.worker.is_some();
    is_whole_or_not_there(prepare, call, is_done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion() {
    let prepare = async |store: &PostgresStore, id: String| {
        let before = made(store, id).await;
        let mut last = step(before.lease.unwrap(), 0, "");
        let root = &mut last.nodes[0].node;
        root.status = Status::Done;
        root.started_at = Some(jiff::Timestamp::UNIX_EPOCH);
        root.done_at = root.started_at;
        last.then = due("any").then;
        store.write(last).await.unwrap();
        before
    };
    let call = async |store: &PostgresStore, before: &Before| {
        let mut query = ExecutionQuery::default();
        query.id = Some(before.id.clone());
        store.delete(query).await.map(drop)
    };
    is_whole_or_not_there(prepare, call, |found| found.is_none()).await;
}

/// The steps of each execution, in the order in which they were run.
#[derive(Clone, Default)]
struct World(Arc<Mutex<HashMap<String, Vec<u32>>>>);

#[step]
async fn act(world: &World, id: &str, number: u32) -> Result<u32, String> {
    tokio::time::sleep(Duration::from_millis(10)).await;
    let mut ran = world.0.lock().unwrap();
    let ran = ran.entry(id.to_owned()).or_default();
    ran.push(number);
    // Which of the runs of this step it is.
    Ok(u32::try_from(ran.iter().filter(|it| **it == number).count()).unwrap())
}

#[flow]
async fn four(world: &World, id: String) -> Result<[u32; 4], String> {
    steps! {
        a = act(world, &id, 1);
        b = act(world, &id, 2);
        c = act(world, &id, 3);
        d = act(world, &id, 4);
    }
    Ok([a, b, c, d])
}

/// Connections are cut again and again. What is recorded stays so: no execution goes back behind a step whose successor
/// has begun, and the value of each step is that of its last run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_whose_connections_are_cut_again_and_again() {
    let world = World::default();
    let proxy = Proxy::start(Server::shared().folder(), Cutting::default()).await;
    let schema = schema();
    let url = format!("{}&schema={schema}", proxy.url());
    let builder = Engine::open(&url).await.unwrap();
    let builder = builder.lease(Duration::from_millis(500));
    let engine = builder
        .serve(four::with(world.clone()))
        .start()
        .await
        .unwrap();
    let direct = format!("{}&schema={schema}", Server::shared().url());
    let looks = Engine::open(&direct).await.unwrap().start().await.unwrap();
    let over = AtomicBool::new(false);
    let cuts = AtomicU32::new(0);
    let cutting = async {
        while !over.load(Ordering::Relaxed) {
            let so_far = cuts.load(Ordering::Relaxed);
            proxy.between().cut_at(if so_far.is_multiple_of(2) {
                Cut::Before(so_far % 7)
            } else {
                Cut::After(so_far % 7)
            });
            tokio::time::sleep(Duration::from_millis(5)).await;
            if proxy.between().has_cut() {
                cuts.fetch_add(1, Ordering::Relaxed);
                // After each failure in a row, the engine pauses longer.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    };
    let working = async {
        // Each time some at once, until connections were cut often enough.
        let mut some = 0;
        while cuts.load(Ordering::Relaxed) < 12 {
            let ids: Vec<_> = (0..8).map(|n| format!("run {some} {n}")).collect();
            some += 1;
            for id in &ids {
                let start = looks.start(four::input(id.clone()));
                start.id(id.clone()).await.unwrap();
            }
            for id in ids {
                let run = looks.execution::<four>(&id).await.unwrap();
                let values = run.outcome().await.unwrap();
                let ran = world.0.lock().unwrap()[&id].clone();
                assert!(ran.is_sorted(), "{id} went back: {ran:?}");
                for (number, value) in (1..).zip(values) {
                    let runs = ran.iter().filter(|it| **it == number).count();
                    assert_eq!(usize::try_from(value).unwrap(), runs, "{id}, step {number}");
                }
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(cutting, working);
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
    looks.shutdown(Duration::from_secs(5)).await.unwrap();
}
