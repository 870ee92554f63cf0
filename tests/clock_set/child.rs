//! What the processes do: each line that starts with `> ` is for the scenario.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use steps::{
    Failure, Open as _, Status,
    engine::{Builder, Engine, EngineError},
};
use steps_test_support::faketime;

use crate::flows;

/// The first argument of a child.
pub(crate) const CHILD: &str = "child";

/// How long something may take that takes a second or two on an idle machine: much less than the
/// hour by which clocks are set.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) fn run(role: &str, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match role {
            "back" => back(folder).await,
            "forward" => forward(folder).await,
            "worker" => worker(folder).await,
            "front" => front(folder).await,
            other => panic!("no role: {other}"),
        }
    });
}

async fn builder(folder: &Path) -> Builder {
    let url = format!("sqlite:{}", folder.join("steps.db").display());
    let engine = Engine::open(&url).await.expect("it opens");
    engine.poll(Duration::from_millis(50))
}

async fn serving(folder: &Path) -> Engine {
    let engine = builder(folder)
        .await
        .serve(flows::timeout::with())
        .serve(flows::retry::with())
        .serve(flows::poll::with())
        .serve(flows::nap::with())
        .serve(flows::long_nap::with())
        .serve(flows::undo::with())
        .serve(flows::work::with());
    engine.start().await.expect("it starts")
}

/// The seconds that the wall clock shows.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.expect("it is after 1970").as_secs()).expect("it is before the end")
}

/// Returns when the wall clock has been set by this many seconds since then.
async fn was_set((wall, moment): (i64, Instant), seconds: i64) {
    let shown = || now() - wall - i64::try_from(moment.elapsed().as_secs()).expect("few");
    while (shown() - seconds).abs() > 60 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Sets the clock after a moment, when all waits have begun.
fn set_later(folder: &Path, seconds: i64) {
    let folder = folder.to_owned();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        faketime::set(&folder, seconds);
    });
}

fn of_engine(outcome: Result<(), EngineError>) -> Status {
    match outcome {
        Ok(()) => Status::Done,
        Err(EngineError::Failed { failure, .. }) => failure.status(),
        Err(other) => panic!("{other}"),
    }
}

fn of_run(outcome: Result<(), Failure>) -> Status {
    outcome.map_or_else(|failure| failure.status(), |()| Status::Done)
}

/// Set back: nothing waits for an hour.
async fn back(folder: &Path) {
    let engine = serving(folder).await;
    let begun = (now(), Instant::now());
    set_later(folder, -3600);
    macro_rules! both {
        ($($flow:ident: $status:ident,)*) => {
            tokio::join!($(async {
                let run = engine.start(flows::$flow::input()).await.expect("it starts");
                let (here, there) = tokio::join!(flows::$flow(), run.outcome());
                let what = stringify!($flow);
                assert_eq!(of_run(here), Status::$status, "{what} in memory");
                assert_eq!(of_engine(there), Status::$status, "{what} by an engine");
            },)*)
        };
    }
    let all = async {
        both! {
            timeout: Undone,
            retry: Done,
            poll: Done,
            nap: Done,
            undo: Undone,
        };
        let start = engine
            .start(flows::nap::input())
            .after(Duration::from_secs(1));
        let later = start.await.expect("it starts");
        later.outcome().await.expect("done");
        was_set(begun, -3600).await;
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .expect("nothing waits for an hour");
    println!("> all is done");
}

/// Set forward: nothing that was begun here ends early, but for what waits in the store for a time
/// that the clock shows now.
async fn forward(folder: &Path) {
    let engine = serving(folder).await;
    let begun = (now(), Instant::now());
    set_later(folder, 3600);
    let all = async {
        let work = engine.start(flows::work::input()).await.expect("it starts");
        let nap = engine
            .start(flows::long_nap::input())
            .await
            .expect("it starts");
        let in_memory = std::pin::pin!(flows::long_nap().into_future());
        let others = async {
            let (here, there, nap) = tokio::join!(flows::work(), work.outcome(), nap.outcome());
            here.expect("in memory, it has half an hour");
            there.expect("by an engine, it has half an hour");
            nap.expect("its time has come");
        };
        let others = std::pin::pin!(others);
        tokio::select! {
            _ = in_memory => panic!("half an hour was over within seconds"),
            () = others => {}
        }
        was_set(begun, 3600).await;
    };
    tokio::time::timeout(PATIENCE, all).await.expect("it ends");
    println!("> all is done");
}

/// Serves the flow that is held until the scenario says so. Ends with its standard input.
async fn worker(folder: &Path) {
    let engine = builder(folder).await.lease(Duration::from_secs(5));
    let engine = engine.serve(flows::hold::with(folder.to_owned()));
    let engine = engine.start().await.expect("it starts");
    println!("> up at {}", now());
    // Not on a thread of the runtime, whose end would wait for it.
    let (ends, mut end) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            drop(ends.send(line.expect("a line")));
        }
    });
    while let Some(id) = end.recv().await {
        let run = engine.start(flows::hold::input()).id(id).await;
        run.expect("it starts");
    }
}

/// Starts an execution that others run, and ends.
async fn front(folder: &Path) {
    let engine = builder(folder).await.start().await.expect("it starts");
    let run = engine.start(flows::hold::input()).id("x").await;
    println!("> started {}", run.expect("it starts").id());
}
