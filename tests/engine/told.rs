//! What the engine tells in the log of what an operator must know: each thing once.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use steps::{
    engine::{Engine, EngineError},
    prelude::*,
    store::Store,
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

use crate::{
    between::Between,
    support::{World, job, on_each_store, wait_for},
};

/// Keeps what is told at `info` and above, a line each.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Keeps what this thread tells from now on.
    pub(crate) fn keep() -> (Self, DefaultGuard) {
        let log = Self::default();
        let guard = tracing::subscriber::set_default(log.clone());
        // A place that another test's thread registers at this very moment may count for ever as one
        // that nobody wants to hear of. By the end of the pause it is registered, and asked again.
        std::thread::sleep(Duration::from_millis(50));
        tracing::callsite::rebuild_interest_cache();
        (log, guard)
    }

    /// The lines with this in them.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        let lines = self.0.lock().expect("nobody panicked");
        let lines = lines.iter().filter(|line| line.contains(text));
        lines.cloned().collect()
    }

    /// The same, and forgets all.
    pub(crate) fn take(&self, text: &str) -> Vec<String> {
        let lines = self.with(text);
        self.0.lock().expect("nobody panicked").clear();
        lines
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("steps")
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Fields(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().expect("nobody panicked").push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[step]
async fn door() -> Result<(), String> {
    Ok(())
}

#[undo(door)]
async fn close((): &()) -> Result<(), String> {
    Err("jammed".to_owned())
}

#[step]
async fn fails() -> Result<(), String> {
    Err("no".to_owned())
}

#[flow]
async fn undone() -> Result<(), String> {
    steps! { fails(); }
    Ok(())
}

#[flow(on_failure = "hold")]
async fn failed() -> Result<(), String> {
    steps! { fails(); }
    Ok(())
}

#[flow]
async fn stuck() -> Result<(), String> {
    steps! { door(); fails(); }
    Ok(())
}

async fn has_ended(store: Arc<dyn Store>) {
    loop {
        let saved = store.load("x".to_owned()).await.expect("the store works");
        if saved.is_some_and(|saved| saved.info.status.is_final()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_each_store! {
    async fn scale_silent_stuck_how_an_execution_ended_is_told(db) {
        let (log, _guard) = Log::keep();
        let engine = db.engine().await.serve(undone::with()).serve(failed::with()).serve(stuck::with());
        let engine = engine.start().await.expect("it starts");
        macro_rules! ended {
            ($($flow:ident: $line:literal;)*) => {$(
                let id = stringify!($flow);
                let run = engine.start($flow::input()).id(id).await.expect("it starts");
                run.outcome().await.expect_err("it fails");
                let lines = log.with(&format!("execution=\"{id}\""));
                assert_eq!(lines, [$line]);
            )*};
        }
        ended! {
            undone: "INFO flow `undone` failed at `fails`: no execution=\"undone\" status=undone";
            failed: "INFO flow `failed` failed at `fails`: no execution=\"failed\" status=failed";
            stuck: "WARN stuck: flow `stuck` failed at `fails`: no (and its rollback failed at `door`: jammed) execution=\"stuck\"";
        }
    }

    /// An execution ends while its lease is being renewed.
    async fn scale_false_alarm_what_has_ended_was_taken_over_by_nobody(db) {
        let (log, _guard) = Log::keep();
        let world = World::new();
        world.closes("x.b");
        let inner = db.store().await;
        world.closes("y.b");
        let (ends, store) = (world.clone(), Arc::clone(&inner));
        let renewals = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&renewals);
        let store = Between::renews(inner, move || {
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                ends.opens();
                ends.closes("y.b");
            }
            has_ended(Arc::clone(&store))
        });
        let engine = Engine::with_store(store).serve(job::with(world.clone()));
        let engine = engine.lease(Duration::from_millis(600)).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).id("x").await.expect("it starts");
        run.outcome().await.expect("done");
        // What came of the first renewal has been told before the second one begins.
        engine.start(job::input("y".into())).await.expect("it starts");
        wait_for("another renewal", async || renewals.load(Ordering::Relaxed) > 1).await;
        assert_eq!(log.with("taken"), [""; 0]);
    }

    async fn trouble_with_the_store_is_told_when_it_begins_and_when_it_is_over(db) {
        let (log, _guard) = Log::keep();
        let fails = Arc::new(AtomicBool::new(false));
        let store = Between::failing(db.store().await, &fails);
        let world = World::new();
        world.closes("x.a");
        let engine = Engine::with_store(store).serve(job::with(world.clone()));
        let engine = engine.lease(Duration::from_millis(300)).poll(Duration::from_millis(10));
        let engine = engine.start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.a").await;
        fails.store(true, Ordering::Relaxed);
        world.opens();
        let outcome = run.outcome().await.expect_err("its records can't be written");
        assert!(matches!(outcome, EngineError::StoreFailed { .. }), "{outcome}");
        // Several claims and starts of others fail meanwhile.
        for _ in 0..3 {
            engine.start(job::input("y".into())).await.expect_err("the disk is full");
        }
        wait_for("a claim", async || !log.with("gives no work").is_empty()).await;
        fails.store(false, Ordering::Relaxed);
        run.ended().await.expect("it goes on");
        for (begins, over) in [
            ("records can't be written", "records are written again"),
            ("the store gives no work", "the store gives work again"),
        ] {
            assert_eq!(log.with(begins).len(), 1, "{:?}", log.with(""));
            wait_for(over, async || log.with(over).len() == 1).await;
        }
    }
}
