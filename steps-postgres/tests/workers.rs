//! Three worker processes on one database, of which one is killed again and again: whatever they do, each step follows
//! the one before it that is recorded as done, and runs again only if its process has died.
//!
//! `STEPS_KILLS=200` sets how many kills there are.

mod common;

use std::{
    collections::{HashMap, HashSet},
    env,
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    process::{Child, Command, ExitCode},
    sync::Arc,
    time::Duration,
};

use common::server::{Server, Sync, schema};
use steps::{
    Engine,
    engine::{EngineError, Execution},
    prelude::*,
};

/// The first argument of a worker.
const WORKER: &str = "--worker";

/// How many executions are under way at once.
const AT_ONCE: usize = 24;

/// Where each step says what it does, in lines that are written whole.
#[derive(Clone)]
struct World(Arc<File>);

impl World {
    fn open(path: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Self(Arc::new(file.expect("a log")))
    }

    fn say(&self, what: &str, execution: &str, step: u32) -> Result<(), String> {
        let line = format!("{} {what} {execution} {step}\n", std::process::id());
        let written = (&*self.0).write_all(line.as_bytes());
        written.map_err(|error| error.to_string())
    }
}

#[step]
async fn act(world: &World, execution: &str, step: u32) -> Result<u32, String> {
    world.say("begin", execution, step)?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.say("end", execution, step)?;
    Ok(step)
}

#[flow]
async fn work(world: &World, execution: String) -> Result<u32, String> {
    steps! {
        a = act(world, &execution, 1);
        b = act(world, &execution, a + 1);
        pause = steps::sleep("30ms");
        c = act(world, &execution, b + 1);
        d = act(world, &execution, c + 1);
    }
    Ok(d)
}

fn main() -> ExitCode {
    const NAME: &str = "killed_workers_lose_and_repeat_nothing_that_was_recorded";
    let args: Vec<String> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let [first, url, log] = &*args
        && first == WORKER
    {
        runtime.block_on(worker(url, log.as_ref()));
        return ExitCode::SUCCESS;
    }
    let mut filters = args.iter().filter(|arg| !arg.starts_with("--"));
    if args.iter().any(|arg| arg == "--list") {
        println!("{NAME}: test");
    } else if filters.all(|filter| NAME.contains(filter.as_str())) {
        runtime.block_on(killed_workers());
        println!("test {NAME} ... ok");
    }
    ExitCode::SUCCESS
}

/// Works until it is killed.
async fn worker(url: &str, log: &Path) {
    let builder = Engine::open(url).await.expect("the database");
    let builder = builder.lease(Duration::from_millis(900));
    let builder = builder.serve(work::with(World::open(log)));
    let _engine = builder.start().await.expect("an engine");
    std::future::pending::<()>().await;
}

fn start(url: &str, log: &Path) -> Child {
    let program = env::current_exe().expect("this program");
    let mut worker = Command::new(program);
    worker.arg(WORKER).arg(url).arg(log);
    worker.spawn().expect("a worker")
}

/// A worker that dies with the test.
struct Workers(Vec<Child>);

impl Drop for Workers {
    fn drop(&mut self) {
        for worker in &mut self.0 {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}

async fn killed_workers() {
    let kills = env::var("STEPS_KILLS").map_or(12, |kills| kills.parse().expect("a number"));
    let server = Server::start(Sync::On);
    let url = format!("{}&schema={}", server.url(), schema());
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let client = Engine::open(&url).await.unwrap().start().await.unwrap();
    let mut workers = Workers((0..3).map(|_| start(&url, &log)).collect());
    let mut killed = HashSet::new();
    let mut ended = 0;
    let mut open = Vec::new();
    for kill in 0..kills {
        while open.len() < AT_ONCE {
            let id = format!("e{}", ended + open.len());
            open.push(client.start(work::input(id.clone())).id(&id).await.unwrap());
        }
        // A moment of its own each time.
        tokio::time::sleep(Duration::from_millis(300 + 37 * (kill % 11))).await;
        let which = usize::try_from(kill % 3).unwrap();
        let worker = &mut workers.0[which];
        killed.insert(worker.id());
        worker.kill().unwrap();
        worker.wait().unwrap();
        *worker = start(&url, &log);
        let all = open.len();
        open = unfinished(open).await;
        ended += all - open.len();
    }
    let all = ended + open.len();
    for run in open {
        let outcome = tokio::time::timeout(Duration::from_mins(2), run.outcome());
        let outcome = outcome
            .await
            .unwrap_or_else(|_| panic!("{} hangs", run.id()));
        assert_eq!(outcome.unwrap(), 4);
    }
    drop(workers);
    let log = std::fs::read_to_string(&log).unwrap();
    let again = check(&log, all, &killed);
    println!("{all} executions, {kills} kills, {again} steps run again");
    assert!(again > 0, "no kill struck a step");
    client.shutdown(Duration::from_secs(5)).await.unwrap();
}

/// Returns those that have not ended.
async fn unfinished(runs: Vec<Execution<work>>) -> Vec<Execution<work>> {
    let mut left = Vec::new();
    for run in runs {
        match tokio::time::timeout(Duration::ZERO, run.outcome()).await {
            Ok(outcome) => assert_eq!(
                outcome.map_err(|error: EngineError| error.to_string()),
                Ok(4)
            ),
            Err(_) => left.push(run),
        }
    }
    left
}

/// Compares what happened with what had to. Returns how many steps have run again.
fn check(log: &str, executions: usize, killed: &HashSet<u32>) -> usize {
    /// The last that is known of an execution: its step, who has begun it, and whether that has ended.
    struct Last<'a> {
        step: u32,
        by: &'a str,
        ended: bool,
    }
    let mut all: HashMap<&str, Last<'_>> = HashMap::new();
    let mut again = 0;
    for line in log.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [by, what, execution, step] = *words else {
            panic!("{line}")
        };
        let step: u32 = step.parse().unwrap();
        let last = all.entry(execution).or_insert(Last {
            step: 0,
            by,
            ended: true,
        });
        if what == "end" {
            assert!(last.step == step && last.by == by && !last.ended, "{line}");
            last.ended = true;
            continue;
        }
        if step == last.step {
            // It may have ended, and its record was lost with its process.
            let by_dead = last.by.parse().is_ok_and(|pid| killed.contains(&pid));
            assert!(
                by_dead && last.by != by,
                "{line}: again, and {} lives",
                last.by
            );
            again += 1;
        } else {
            assert!(
                step == last.step + 1 && last.ended,
                "{line} after {}",
                last.step
            );
        }
        (last.step, last.by, last.ended) = (step, by, false);
    }
    assert_eq!(all.len(), executions);
    for (execution, last) in &all {
        assert!(
            last.step == 4 && last.ended,
            "{execution} stops at {}",
            last.step
        );
    }
    again
}
