//! The server's file system is full in the middle of a load: errors say so, nothing of it is a step's failure, nothing
//! that was acknowledged is lost, and when there is room again, stores and engines go on by themselves.
#![cfg(target_os = "linux")]

mod common;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use common::{
    load::Load,
    server::{Server, SmallDisk, schema},
};
use steps::{
    Engine, Status,
    engine::{EngineError, Execution, Filter},
    prelude::*,
};
use steps_core::store::ErrorKind;

/// How long it may take until the file system is full, and until all is done once it is not.
const PATIENCE: Duration = Duration::from_mins(2);

/// How many executions are at work meanwhile.
const MANY: u32 = 12;

/// How often each step of each execution was run.
#[derive(Clone, Default)]
struct World(Arc<Mutex<HashMap<String, u32>>>);

#[step]
async fn act(world: &World, what: &str) -> Result<String, String> {
    *world.0.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok("x".repeat(5_000))
}

/// What is left is to be found out about, not done twice.
#[undo(act)]
async fn undo_act(world: &World, what: &str, _: &String) -> Result<(), String> {
    let what = format!("undo {what}");
    *world.0.lock().unwrap().entry(what).or_default() += 1;
    Ok(())
}

/// Goes round until it is told that it is enough.
#[flow]
async fn work(world: &World, name: String) -> Result<u32, String> {
    steps! {
        rounds = loop keep 1 {
            let n: u32 = prev.map_or(1, |prev| prev.n + 1);
            done = act(world, &format!("{name} {n}"));
        } until n == 40;
        last = act(world, &format!("{name} last"));
    }
    drop(last);
    Ok(rounds.n)
}

async fn start(engine: &Engine, n: u32) -> Result<Execution<work>, EngineError> {
    let start = engine.start(work::input(n.to_string()));
    start.id(format!("work {n}")).await
}

/// Makes a load until the file system is full, lets `mend` make room, and looks what became of all.
async fn is_full(disk: SmallDisk, may_fail: &'static [ErrorKind], mend: impl FnOnce(&Server)) {
    let server = tokio::task::block_in_place(|| Server::on_small_disk(disk));
    let (of_load, of_engine) = (schema(), schema());
    let world = World::default();
    let url = format!("{}&schema={of_engine}", server.url());
    let builder = Engine::open(&url).await.unwrap();
    let builder = builder.lease(Duration::from_secs(2));
    let builder = builder.serve(work::with(world.clone()));
    let engine = builder.start().await.unwrap();
    let mut runs = Vec::new();
    for n in 0..MANY {
        runs.push(start(&engine, n).await.unwrap());
    }

    let mut load = Load::begin(&server, &of_load, 50_000, may_fail).await;
    let begun = Instant::now();
    while !load.failed().contains(&ErrorKind::Full) && !is_gone(&server) {
        assert!(begun.elapsed() < PATIENCE, "it is not full");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let log = server.log();
    assert!(log.contains("No space left on device"), "{log}");
    if disk == SmallDisk::Tables {
        assert_eq!(refused(&engine).await, ErrorKind::Full);
    }
    load.stop().await;
    tokio::task::block_in_place(|| mend(&server));

    let more = tokio::time::timeout(PATIENCE, load.more(10));
    more.await.expect("there is room again");
    let made = load.check(&server, &of_load).await;
    assert!(made > 16, "only {made} were made");
    for run in &runs {
        let outcome = tokio::time::timeout(PATIENCE, ended(run)).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("{} hangs", run.id()));
        assert_eq!(outcome, 40, "{}", run.id());
    }
    let done = Filter::new().flow::<work>().status(Status::Done);
    assert_eq!(engine.count(done).await.unwrap(), u64::from(MANY));
    let ran = std::mem::take(&mut *world.0.lock().unwrap());
    assert_eq!(ran.len(), (MANY * 41) as usize, "each step, and no undo");
    // What was under way and could not be recorded runs again.
    let again: Vec<_> = ran.iter().filter(|(_, count)| **count > 1).collect();
    println!("{made} executions of the load; run again: {again:?}");
    engine.shutdown(Duration::from_secs(5)).await.unwrap();
}

/// Whether the server has ended, or begun anew, as its log can't be written.
fn is_gone(server: &Server) -> bool {
    server.log().contains("PANIC")
}

/// Starts what has no room, until that is refused, and returns how.
async fn refused(engine: &Engine) -> ErrorKind {
    let begun = Instant::now();
    loop {
        let input = "x".repeat(100_000);
        match engine.start(work::input(input)).after(PATIENCE * 100).await {
            // Some room was left over.
            Ok(run) => assert!(begun.elapsed() < PATIENCE, "{} has room", run.id()),
            Err(EngineError::Store(error)) => {
                let said = error.to_string();
                assert!(said.contains("no space left: make room"), "{said}");
                return error.kind();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// The outcome, also if the server was away when it was asked for.
async fn ended(run: &Execution<work>) -> u32 {
    loop {
        match run.outcome().await {
            Ok(outcome) => return outcome,
            // What ran here was given up, and nobody was told of its end.
            Err(EngineError::Store(error) | EngineError::StoreFailed { error, .. }) => {
                let kind = error.kind();
                let is_for_a_while = matches!(kind, ErrorKind::Busy | ErrorKind::Full);
                assert!(is_for_a_while, "{}: {error}", run.id());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{}: {error}", run.id()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_room_for_tables() {
    is_full(SmallDisk::Tables, &[ErrorKind::Full], Server::make_room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_room_for_the_log_and_the_server_ends() {
    let may_fail = &[ErrorKind::Busy, ErrorKind::Full];
    is_full(SmallDisk::Log, may_fail, |server| {
        assert!(server.log().contains("PANIC"), "{}", server.log());
        server.crash();
        server.make_room();
        server.restart();
    })
    .await;
}
