//! Tokio runtimes that end before the engine does, and beside it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use steps::{
    Cause, Status,
    engine::{Engine, EngineError, Filter},
    prelude::*,
};
use tokio::runtime::{Builder, Runtime};

use crate::support::{Db, World, asks, is, job};

const LONG: Duration = Duration::from_secs(20);

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

fn ended<T: std::fmt::Debug>(result: Result<T, EngineError>) {
    match result {
        Err(error @ EngineError::RuntimeEnded) => assert_eq!(
            error.to_string(),
            "the runtime that this engine was started in has ended"
        ),
        other => panic!("the runtime has ended, and yet: {other:?}"),
    }
}

/// What needs the engine's tasks is an error at once; what the store alone can tell is told.
fn engine_other_runtime(db: &Db) {
    let world = World::new();
    let first = runtime();
    let (engine, waits, done) = first.block_on(async {
        let engine = db.engine().await.serve(asks::with(world.clone()));
        let engine = engine.serve(job::with(world.clone())).start().await;
        let engine = engine.expect("it starts");
        let waits = engine
            .start(asks::input("x".into()))
            .id("x")
            .await
            .expect("it starts");
        is(&waits, Status::Waiting).await;
        let done = engine
            .start(job::input("y".into()))
            .await
            .expect("it starts");
        done.outcome().await.expect("done");
        (engine, waits, done)
    });
    let second = runtime();
    let hangs = waits.clone();
    let waiting = second.spawn(async move { hangs.outcome().await });
    drop(first);
    second.block_on(async {
        ended(waiting.await.expect("no panic"));
        ended(engine.start(job::input("z".into())).await);
        ended(engine.start(job::input("z".into())).after(LONG).await);
        ended(engine.start(asks::input("x".into())).id("x").await);
        ended(waits.signal(asks::STEPS.answer, &42).await);
        ended(waits.signal_path("answer", &42).await);
        ended(waits.stop().await);
        ended(waits.stop_and_wait(LONG).await);
        ended(waits.undo().await);
        ended(waits.recover().await);
        ended(waits.retry_from_path("a").await);
        ended(waits.outcome().await);
        ended(waits.ended().await);
        let mut watch = waits.watch();
        let now = watch
            .next()
            .await
            .expect("there is a state")
            .expect("it is read");
        assert_eq!(now.state.state().status, Status::Waiting);
        let Some(next) = watch.next().await else {
            panic!("it has not ended");
        };
        ended(next.map(|_| ()));
        assert!(watch.next().await.is_none());

        assert_eq!(waits.status().await.expect("it is there"), Status::Waiting);
        assert_eq!(
            waits.tree().await.expect("it is there").status,
            Status::Waiting
        );
        assert_eq!(done.outcome().await.expect("done"), "y.a y.b y.c");
        assert_eq!(done.ended().await.expect("done").status, Status::Done);
        assert_eq!(engine.list(Filter::new()).await.expect("a list").len(), 2);

        // Nothing that was refused is left in the store, and another engine goes on.
        let other = db
            .engine()
            .await
            .serve(asks::with(world.clone()))
            .start()
            .await;
        let other = other.expect("it starts");
        let run = other.execution::<asks>("x").await.expect("it is there");
        run.signal(asks::STEPS.answer, &7)
            .await
            .expect("it is sent");
        assert_eq!(run.outcome().await.expect("done"), 7);
        engine.shutdown(LONG).await.expect("nothing is left to do");
    });
}

#[test]
fn engine_other_runtime_memory() {
    engine_other_runtime(&Db::memory());
}

#[test]
fn engine_other_runtime_sqlite() {
    engine_other_runtime(&Db::sqlite());
}

/// An engine's work goes on when the runtime ends that it was only asked in.
#[test]
fn an_execution_runs_where_its_engine_was_started_and_not_where_it_was() {
    let world = World::new();
    world.closes("x.b");
    let home = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let home = home.expect("a runtime");
    let engine = home.block_on(async {
        let engine = Engine::open("memory:").await.expect("it opens");
        engine
            .serve(job::with(world.clone()))
            .start()
            .await
            .expect("it starts")
    });
    let visitor = runtime();
    let run = visitor.block_on(async {
        let run = engine
            .start(job::input("x".into()))
            .await
            .expect("it starts");
        world.saw("x.b").await;
        run
    });
    drop(visitor);
    world.opens();
    assert_eq!(
        runtime().block_on(run.outcome()).expect("done"),
        "x.a x.b x.c"
    );
}

/// An engine that serves nothing has no tasks: it needs no runtime of its own.
#[test]
fn an_engine_that_only_starts_executions_outlives_its_runtime() {
    let db = Db::memory();
    let world = World::new();
    let client = runtime().block_on(async {
        let client = db.engine().await;
        client.start().await.expect("it starts")
    });
    let home = runtime();
    home.block_on(async {
        let engine = db
            .engine()
            .await
            .serve(asks::with(world.clone()))
            .start()
            .await;
        let _engine = engine.expect("it starts");
        let run = client
            .start(asks::input("x".into()))
            .await
            .expect("it starts");
        run.signal(asks::STEPS.answer, &3)
            .await
            .expect("it is sent");
        assert_eq!(run.outcome().await.expect("done"), 3);
    });
}

/// Tells where the step is, and ends when the runtime does.
#[derive(Default)]
struct Probe {
    attempts: AtomicU32,
    begun: OnceLock<mpsc::SyncSender<()>>,
}

/// Dropped with the task that it is in.
struct Dropped(mpsc::SyncSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// In its first attempt it is on its thread while the runtime ends, and sees that as an error.
#[step]
async fn sees_the_end(probe: &Probe, how: &str) -> Result<u32, String> {
    let attempt = probe.attempts.fetch_add(1, Ordering::SeqCst) + 1;
    if attempt > 1 {
        return Ok(attempt);
    }
    let (sender, dropped) = mpsc::sync_channel(1);
    let guard = Dropped(sender);
    let inner = tokio::spawn(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    probe
        .begun
        .get()
        .expect("a test")
        .send(())
        .expect("it waits");
    dropped.recv().expect("it is dropped");
    match how {
        "error" => inner.await.map_err(|error| error.to_string())?,
        _ => inner.await.expect("it is not cancelled"),
    }
    Ok(attempt)
}

#[undo(sees_the_end)]
async fn not_undone(_probe: &Probe, _how: &str, _attempt: &u32) -> Result<(), String> {
    Err("it is not undone".into())
}

#[verify(sees_the_end)]
async fn has_happened(probe: &Probe, _how: &str) -> Result<Option<u32>, String> {
    // Only the first attempt was cut off.
    let attempts = probe.attempts.load(Ordering::SeqCst);
    Ok((attempts > 1).then_some(attempts))
}

#[flow]
async fn outlasts(probe: &Probe, how: String) -> Result<u32, String> {
    steps! { it = sees_the_end(probe, &how); }
    Ok(it)
}

#[test]
fn a_runtime_that_ends_during_a_step_is_no_failure_of_the_step() {
    for how in ["error", "panic"] {
        let db = Db::sqlite();
        let probe = Arc::new(Probe::default());
        let (begun, begins) = mpsc::sync_channel(1);
        probe.begun.set(begun).expect("once");
        let first = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let first = first.expect("a runtime");
        first.block_on(async {
            let engine = db.engine().await.lease(Duration::from_millis(300));
            let engine = engine
                .serve(outlasts::with(Arc::clone(&probe)))
                .start()
                .await;
            let engine = engine.expect("it starts");
            let run = engine.start(outlasts::input(how.into())).id("x").await;
            run.expect("it starts");
            // Not dropped, as it would end its executions itself.
            std::mem::forget(engine);
        });
        begins.recv().expect("it begins");
        drop(first);
        runtime().block_on(async {
            let engine = db
                .engine()
                .await
                .serve(outlasts::with(Arc::clone(&probe)))
                .start()
                .await;
            let engine = engine.expect("it starts");
            let run = engine
                .execution::<outlasts>("x")
                .await
                .expect("it is there");
            assert_eq!(run.outcome().await.expect("done"), 2);
            let state = run.state().await.expect("it is there");
            assert_eq!(state.it.error(), None);
            assert_eq!(state.it.attempts(), 2);
        });
    }
}

#[step(retry(times = 3, every = "1ms"))]
async fn naps(begun: &mpsc::SyncSender<()>) -> Result<(), String> {
    let _ = begun.send(());
    tokio::time::sleep(Duration::from_hours(1)).await;
    Ok(())
}

#[flow]
async fn night(begun: &mpsc::SyncSender<()>) -> Result<(), String> {
    steps! { it = naps(begun); }
    let _ = it;
    Ok(())
}

/// A run on a thread that only borrows the runtime sees its timers end.
#[test]
fn a_runtime_that_ends_while_a_step_sleeps_leaves_the_step_unfinished() {
    let (begun, begins) = mpsc::sync_channel(8);
    let borrowed = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let borrowed = borrowed.expect("a runtime");
    let handle = borrowed.handle().clone();
    let runs = std::thread::spawn(move || handle.block_on(async { night(&begun).await }));
    begins.recv().expect("it begins");
    drop(borrowed);
    let failure = runs.join().expect("no panic").expect_err("it does not end");
    assert!(matches!(failure.cause, Cause::Journal(_)), "{failure:?}");
    assert!(failure.to_string().contains("runtime"), "{failure}");
    assert!(failure.failed().is_empty());
    assert_eq!(failure.state.states[0].status, Status::Running);
}
