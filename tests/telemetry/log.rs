//! What an operator needs is logged once, at the level that the guide names, with the execution's id. It is the
//! only test of its program: with subscribers of other threads, `tracing` may take a place for one that nobody
//! wants, for a moment.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

#[path = "../engine/between.rs"]
#[expect(dead_code, reason = "the tests of the engine use it all")]
mod between;

use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use steps::{
    engine::{Missed, OnChange, StatusChange},
    prelude::*,
    signal,
    store::{Acquire, MemoryStore, Store, TakeOver},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::between::Between;

/// One line: its level, the execution that it is about, and what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    level: Option<Level>,
    execution: Option<String>,
    says: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}");
        match field.name() {
            "message" => self.says = value,
            "execution" => self.execution = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "execution" {
            self.execution = Some(value.to_owned());
        }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Line>>>);

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() <= Level::INFO && metadata.target().starts_with("steps_core") {
            let mut line = Line::default();
            event.record(&mut line);
            line.level = Some(*metadata.level());
            self.0.lock().expect("nobody panicked").push(line);
        }
    }
}

impl Log {
    /// Keeps what this thread logs from now on.
    fn keep() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn with(&self, text: &str) -> Vec<Line> {
        let mut lines = self.0.lock().expect("nobody panicked").clone();
        lines.retain(|line| line.says.contains(text));
        lines
    }

    /// Waits for the line with this in it.
    async fn told(&self, text: &str) -> Line {
        for _ in 0..2000 {
            if let [line, ..] = &self.with(text)[..] {
                return line.clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nothing of {text:?} in {:#?}", self.with(""));
    }

    /// Checks that there is just one line with this in it, of this level, about this execution.
    async fn told_once(&self, text: &str, level: Level, execution: Option<&str>) {
        self.told(text).await;
        let expected = (Some(level), execution);
        let lines = self.with(text);
        let found: Vec<_> = lines
            .iter()
            .map(|line| (line.level, line.execution.as_deref()))
            .collect();
        assert_eq!(found, [expected], "{text}: {lines:#?}");
    }
}

#[step]
async fn work() -> Result<(), String> {
    Ok(())
}

#[step]
async fn waits(open: &AtomicBool) -> Result<(), String> {
    while !open.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[step]
async fn opens() -> Result<(), String> {
    Ok(())
}

#[undo(opens)]
async fn jams((): &()) -> Result<(), String> {
    Err("jammed".to_owned())
}

#[step]
async fn fails() -> Result<(), String> {
    Err("no".to_owned())
}

#[flow]
async fn small() -> Result<(), String> {
    steps! { work(); }
    Ok(())
}

#[flow]
async fn slow(open: &Arc<AtomicBool>) -> Result<(), String> {
    steps! { waits(open); }
    Ok(())
}

#[flow]
async fn jammed() -> Result<(), String> {
    steps! { opens(); fails(); }
    Ok(())
}

#[flow(name = "reshaped")]
async fn before() -> Result<(), String> {
    steps! { one = work(); go = signal::<()>(); }
    Ok(())
}

#[flow(name = "reshaped")]
async fn after() -> Result<(), String> {
    steps! { other = work(); go = signal::<()>(); }
    Ok(())
}

#[tokio::test]
async fn what_needs_somebody_is_logged_once() {
    let (log, _guard) = Log::keep();
    let memory = MemoryStore::new();
    let fails = Arc::new(AtomicBool::new(false));
    let store = Between::failing(Arc::new(memory.reopen()), &fails);
    let open = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicBool::new(false));
    let on = OnChange::new()
        .flow::<small>()
        .status(Status::Done)
        .pauses("1ms", "1ms");
    let engine = Engine::with_store(store)
        .serve(small::with())
        .serve(slow::with(Arc::clone(&open)))
        .serve(jammed::with())
        .serve(before::with())
        .on_execution_change("tell", on, move |_: StatusChange| {
            let is_first = !calls.swap(true, Ordering::Relaxed);
            async move { if is_first { Err("busy") } else { Ok(()) } }
        })
        .lease(Duration::from_millis(60))
        .poll(Duration::from_millis(10));
    let engine = engine.start().await.expect("it starts");

    let run = engine
        .start(jammed::input())
        .id("stuck")
        .await
        .expect("it starts");
    run.outcome().await.expect_err("it is stuck");
    log.told_once("stuck: flow `jammed`", Level::WARN, Some("stuck"))
        .await;

    engine
        .start(small::input())
        .id("changed")
        .await
        .expect("it starts");
    log.told_once(
        "told in vain, and is told again",
        Level::WARN,
        Some("changed"),
    )
    .await;

    let run = engine
        .start(slow::input())
        .id("lost")
        .await
        .expect("it starts");
    let acquire = Acquire {
        id: "lost".to_owned(),
        worker: "another".to_owned(),
        lease: Duration::from_millis(1),
        over: TakeOver::Any,
    };
    memory.acquire(acquire).await.expect("it is there");
    log.told("taken over: its lease had ended").await;
    open.store(true, Ordering::Relaxed);
    run.outcome().await.expect("done");
    log.told_once("taken over: its lease had ended", Level::INFO, Some("lost"))
        .await;
    // By somebody else, or by this engine, whichever the turn that has lost its lease finds out; it may do so
    // after the other one has ended.
    log.told_once("has taken it ", Level::WARN, Some("lost"))
        .await;

    open.store(false, Ordering::Relaxed);
    let run = engine
        .start(slow::input())
        .id("unwritten")
        .await
        .expect("it starts");
    fails.store(true, Ordering::Relaxed);
    log.told_once("the leases can't be renewed", Level::ERROR, None)
        .await;
    log.told_once("the store gives no work", Level::ERROR, None)
        .await;
    open.store(true, Ordering::Relaxed);
    log.told_once("records can't be written", Level::ERROR, Some("unwritten"))
        .await;
    fails.store(false, Ordering::Relaxed);
    run.ended().await.expect("it goes on");
    log.told_once("records are written again", Level::INFO, None)
        .await;

    let run = engine
        .start(before::input())
        .id("old")
        .await
        .expect("it starts");
    while run.status().await.expect("it is there") != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let schedule = engine
        .schedule("often", small::input())
        .every("1s")
        .missed(Missed::Skip)
        .late("300ms");
    schedule.await.expect("it is there");
    let tick = log.told("a tick").await;
    assert_eq!(tick.level, Some(Level::INFO));
    assert!(tick.execution.is_some_and(|id| id.contains("often")));
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");

    tokio::time::sleep(Duration::from_millis(2200)).await;
    let engine = Engine::with_store(memory)
        .serve(after::with())
        .serve(small::with());
    let engine = engine.start().await.expect("it starts");
    let run = engine.get("old").await.expect("it is there");
    run.signal_path("go", &()).await.expect("it is sent");
    log.told_once(
        "incompatible, and left as it was",
        Level::ERROR,
        Some("old"),
    )
    .await;
    let left_out = log.told("ticks were left out").await;
    assert_eq!(left_out.level, Some(Level::WARN));
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
}
