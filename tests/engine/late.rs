//! What comes in the moment between two others: a request while an execution is being claimed or
//! ends, a claim while the program ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use steps::{Status, engine::Engine};
use tokio::sync::Semaphore;

use crate::{
    between::Between,
    support::{Db, World, failure, held, job, on_each_store, wait_for},
};

on_each_store! {
    async fn regression_an_outcome_was_told_as_one_that_runs(db) {
        let world = World::new();
        world.breaks("x.b");
        let worker = db.engine().await.serve(held::with(world.clone())).start().await.expect("it starts");
        let run = worker.start(held::input("x".into())).id("x").await.expect("it starts");
        assert_eq!(failure(run.outcome().await).status(), Status::Failed);
        world.mends();
        // Somebody recovers it between the two looks at the store.
        let worker = Arc::new(run);
        let store = Between::loads(db.store().await, move || {
            let run = worker.clone();
            async move {
                if run.recover().await.is_ok() {
                    run.outcome().await.expect("done");
                }
            }
        });
        let front = Engine::with_store(store).start().await.expect("it starts");
        let same = front.execution::<held>("x").await.expect("it is there");
        assert_eq!(same.outcome().await.expect("done"), "x.a x.b");
    }

    async fn regression_an_old_failure_was_told_of_one_that_was_recovered(db) {
        let world = World::new();
        world.breaks("x.b");
        let (here, on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (at, go) = (here.clone(), on.clone());
        // The end is in the store, and the turn does not know it yet.
        let store = Between::released(db.store().await, move || {
            at.add_permits(1);
            let go = go.clone();
            async move { go.acquire().await.expect("it is open").forget() }
        });
        let engine = Engine::with_store(store).serve(held::with(world.clone()));
        let engine = engine.start().await.expect("it starts");
        let run = engine.start(held::input("x".into())).id("x").await.expect("it starts");
        here.acquire().await.expect("it has failed").forget();
        world.mends();
        let recovered = tokio::spawn({
            let run = engine.execution::<held>("x").await.expect("it is there");
            async move { run.recover().await }
        });
        here.acquire().await.expect("it is recovered").forget();
        let outcome = tokio::spawn(async move { run.outcome().await });
        // The turn that failed, the recovery, and the turn that ends well are answered in this order.
        on.add_permits(3);
        assert_eq!(recovered.await.expect("no panic").expect("it had failed"), 2);
        assert_eq!(outcome.await.expect("no panic").expect("done"), "x.a x.b");
    }

    async fn regression_an_earlier_turns_trouble_was_told_of_one_that_had_gone_on(db) {
        let world = World::new();
        world.closes("x.b");
        world.closes("x.c");
        let fails = Arc::new(AtomicBool::new(false));
        let store = Between::failing(db.store().await, &fails);
        let engine = Engine::with_store(store).serve(job::with(world.clone()));
        let engine = engine.lease(Duration::from_mins(5)).poll(Duration::from_millis(10));
        let engine = engine.start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).id("x").await.expect("it starts");
        let same = engine.execution::<job>("x").await.expect("it is there");
        world.saw("x.b").await;
        fails.store(true, Ordering::Relaxed);
        world.opens();
        world.closes("x.c");
        // The handle that started it does not ask while its first turn ends, which can't be recorded.
        let held_up = same.outcome().await.expect_err("it is held up");
        assert!(held_up.to_string().contains("the disk is full"), "{held_up}");
        fails.store(false, Ordering::Relaxed);
        world.saw("x.c").await;
        let outcome = tokio::spawn(async move { run.outcome().await });
        world.opens();
        assert_eq!(outcome.await.expect("no panic").expect("done"), "x.a x.b x.c");
    }

    async fn what_panics_again_and_again_is_left_as_it_was(db) {
        let world = World::new();
        let within = db.store().await;
        // The records of a turn that go on; not those that give its lease back.
        let store = Between::panics(Arc::clone(&within));
        let engine = Engine::with_store(store).serve(job::with(world.clone()));
        let engine = engine.lease(Duration::from_millis(200)).poll(Duration::from_millis(10));
        let engine = engine.start().await.expect("it starts");
        let start = engine.start(job::input("x".into())).id("x").after(Duration::from_millis(1));
        let run = start.await.expect("it starts");
        wait_for("its refusal", async || {
            run.info().await.expect("it is there").refused.is_some()
        })
        .await;
        let outcome = run.outcome().await.expect_err("it is left");
        assert!(outcome.to_string().contains("panicked in 4 of its turns"), "{outcome}");
        assert_eq!(world.log(), [""; 0], "no step began without its record");
        drop(engine);
        // Another build takes it up.
        let other = Engine::with_shared_store(within).build("mended").serve(job::with(world));
        let other = other.start().await.expect("it starts");
        let run = other.execution::<job>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b x.c");
    }

    async fn regression_nothing_was_claimed_any_more_after_a_store_had_panicked(db) {
        let first = AtomicBool::new(true);
        let store = Between::taken(db.store().await, move || {
            let is_first = first.swap(false, Ordering::Relaxed);
            assert!(!is_first, "the store panics, as the test wants");
            std::future::ready(())
        });
        let engine = Engine::with_store(store).serve(job::with(World::new()));
        let engine = engine.lease(Duration::from_millis(100)).start().await.expect("it starts");
        let start = engine.start(job::input("x".into())).after(Duration::from_millis(1));
        let run = start.await.expect("it starts");
        let outcome = tokio::time::timeout(Duration::from_secs(20), run.outcome()).await;
        outcome.expect("it is claimed again").expect("done");
    }

    async fn regression_a_stop_was_not_heard_while_the_execution_was_being_claimed(db) {
        let world = World::new();
        let (here, on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (at, go) = (here.clone(), on.clone());
        let store = Between::taken(db.store().await, move || {
            at.add_permits(1);
            let go = go.clone();
            async move { go.acquire().await.expect("it is open").forget() }
        });
        let engine = Engine::with_store(store).serve(job::with(world.clone()));
        // No heartbeat brings it meanwhile.
        let engine = engine.lease(Duration::from_mins(5)).start().await.expect("it starts");
        let start = engine.start(job::input("x".into())).after(Duration::from_millis(1));
        let run = start.await.expect("it starts");
        here.acquire().await.expect("it is claimed").forget();
        run.stop().await.expect("it is kept");
        on.add_permits(1);
        let rest = tokio::time::timeout(Duration::from_secs(20), run.ended()).await;
        let rest = rest.expect("the stop is heard").expect("it rests");
        assert_eq!(rest.status, Status::Stopped);
        assert_eq!(world.log(), [""; 0], "no step began after the stop was acknowledged");
    }

    async fn regression_an_outcome_was_told_of_one_that_is_to_be_undone(db) {
        let world = World::new();
        world.closes("x.c");
        let front = db.engine().await.start().await.expect("it starts");
        let worker = db.engine().await.serve(job::with(world.clone()));
        // The request of another process reaches this one with no heartbeat before the end.
        let worker = worker.lease(Duration::from_mins(5)).start().await.expect("it starts");
        let run = worker.start(job::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.c").await;
        let same = front.execution::<job>("x").await.expect("it is there");
        same.undo().await.expect("it is kept");
        world.opens();
        let failure = failure(run.outcome().await);
        assert_eq!(failure.status(), Status::Undone);
        assert_eq!(same.status().await.expect("it is there"), Status::Undone);
        wait_for("all is undone", async || world.log().len() == 6).await;
        let expected = ["x.a", "x.b", "x.c", "undo x.c", "undo x.b", "undo x.a"];
        assert_eq!(world.log(), expected);
    }
}

/// The task of what is taken up is dropped at once then, on the thread that begins it.
#[test]
fn regression_what_was_claimed_while_the_runtime_ended_kept_a_thread_for_ever() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    };
    let (there, is_there) = mpsc::channel();
    let (ended, has_ended) = mpsc::channel::<()>();
    let has_ended = std::sync::Mutex::new(has_ended);
    let db = Db::memory();
    let outside = runtime();
    let store = outside.block_on(db.store());
    let store = Arc::new(Between::taken(store, move || {
        there.send(()).expect("the test waits");
        // With no await: the thread is at this task until it is let go.
        let ended = has_ended.lock().expect("nobody panicked");
        ended.recv().expect("the test says so");
        std::future::ready(())
    }));
    let left = Arc::downgrade(&store);
    let (bell, rings) = mpsc::channel::<()>();
    let inside = runtime();
    inside.block_on(async {
        let engine = Engine::with_shared_store(store).serve(job::with(World::new()));
        let engine = engine.start().await.expect("it starts");
        let start = engine
            .start(job::input("x".into()))
            .after(Duration::from_millis(1));
        start.await.expect("it starts");
        // As a task that still runs has it, which the runtime drops when it ends.
        tokio::spawn(async move {
            let _all = (engine, bell);
            std::future::pending::<()>().await;
        });
    });
    is_there
        .recv_timeout(Duration::from_secs(20))
        .expect("it is claimed");
    inside.shutdown_background();
    let rings = rings.recv_timeout(Duration::from_secs(20));
    assert_eq!(
        rings,
        Err(mpsc::RecvTimeoutError::Disconnected),
        "the runtime takes no more tasks"
    );
    ended.send(()).expect("the store waits");
    let begun = Instant::now();
    while left.strong_count() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the engine is still there"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}
