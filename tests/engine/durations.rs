//! Durations at their ends: none, and all there is.

use std::{sync::Arc, time::Duration};

use steps::{
    Engine, State, Status,
    clock::TestClock,
    engine::{Builder, EngineError},
    prelude::*,
    testing::FakeClock,
};

use crate::support::{World, asks, is, job, on_each_store};

const ENDS: [Duration; 2] = [Duration::ZERO, Duration::MAX];

fn with(builder: Builder, world: &Arc<World>, duration: Duration) -> Builder {
    builder
        .serve(job::with(world.clone()))
        .serve(asks::with(world.clone()))
        .lease(duration)
        .poll(duration)
}

on_each_store! {
    async fn every_duration_of_an_engine_has_ends(db) {
        for duration in ENDS {
            let world = World::new();
            let engine = with(db.engine().await, &world, duration).start().await.expect("it starts");
            let run = engine.start(job::input("x".into())).await.expect("it starts");
            run.outcome().await.expect("done");
            // Those that did not start it ask the store, too.
            let other = engine.execution::<job>(run.id()).await.expect("it is there");
            other.outcome().await.expect("done");
            other.ended().await.expect("it has ended");

            let run = engine.start(asks::input("y".into())).await.expect("it starts");
            let other = engine.execution::<asks>(run.id()).await.expect("it is there");
            let follow = tokio::spawn(async move {
                let mut watch = other.watch();
                while let Some(seen) = watch.next().await {
                    seen.expect("it is there");
                }
                other.outcome().await.expect("done")
            });
            is(&run, Status::Waiting).await;
            run.signal(asks::STEPS.answer, &7).await.expect("it is kept");
            assert_eq!(run.outcome().await.expect("done"), 7);
            assert_eq!(follow.await.expect("nobody panicked"), 7);

            let run = engine.start(asks::input("z".into())).await.expect("it starts");
            is(&run, Status::Waiting).await;
            match run.stop_and_wait(duration).await {
                Ok(status) => assert_eq!(status, Status::Stopped),
                Err(EngineError::TimedOut { after, .. }) => assert_eq!(after, Duration::ZERO),
                Err(error) => panic!("{error}"),
            }
            engine.shutdown(duration).await.expect("it ends");
        }
    }

    async fn regression_a_poll_of_all_time_made_an_outcome_panic(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = with(db.engine().await, &world, Duration::MAX).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        let other = engine.execution::<job>(run.id()).await.expect("it is there");
        let ends = tokio::spawn(async move {
            let (outcome, ended) = tokio::join!(other.outcome(), other.ended());
            (outcome.expect("done"), ended.expect("it has ended").status)
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        world.opens();
        run.outcome().await.expect("done");
        assert_eq!(ends.await.expect("nobody panicked").1, Status::Done);
    }

    async fn a_start_after_all_time_never_begins(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let now = engine.start(job::input("x".into())).after(Duration::ZERO).await.expect("it starts");
        now.outcome().await.expect("done");
        let never = engine.start(job::input("y".into())).after(Duration::MAX).await.expect("it starts");
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(never.status().await.expect("it is there"), Status::Pending);
        assert_eq!(never.stop_and_wait(Duration::MAX).await.expect("it stops"), Status::Stopped);
    }
}

#[step(timeout = "18000000000000000000s")]
async fn quick() -> Result<(), String> {
    Ok(())
}

#[step(
    retry(times = 3, every = "18000000000000000000s", backoff = 2.0),
    timeout = "0s"
)]
async fn flaky(cx: &Cx) -> Result<u32, String> {
    if cx.attempt() < 3 {
        return Err("not yet".to_owned());
    }
    Ok(cx.attempt())
}

#[step(poll(every = "18000000000000000000s"))]
async fn asked(cx: &Cx) -> Result<Option<u32>, String> {
    Ok((cx.attempt() > 2).then_some(cx.attempt()))
}

#[flow]
async fn patient(pause: Duration) -> Result<u32, String> {
    steps! {
        quick();
        slept = steps::sleep(pause);
        flaky = flaky(cx);
        asked = asked(cx);
    }
    let () = slept;
    Ok(flaky + asked)
}

#[tokio::test]
async fn a_flow_may_wait_for_all_time() {
    for pause in ENDS {
        let clock = FakeClock::new();
        let done = patient(pause).clock(Arc::new(clock.clone())).await;
        assert_eq!(done.expect("done"), 6);
        let now = clock.now();
        clock.advance(Duration::MAX);
        clock.sleep(Duration::MAX).await;
        assert!(clock.now() >= now);
    }
    // By the system's clock it waits, and says so.
    let pass = patient(Duration::MAX).advance().await.expect("it waits");
    assert!(pass.requeue_after().expect("a time") > Duration::from_secs(1 << 32));
    let engine = Engine::open("memory:")
        .await
        .expect("it opens")
        .serve(patient::with());
    let engine = engine.start().await.expect("it starts");
    let run = engine
        .start(patient::input(Duration::MAX))
        .await
        .expect("it starts");
    is(&run, Status::Waiting).await;
    let tree = run.tree().await.expect("it is there");
    State::from_json(&tree.to_json()).expect("its own JSON");
}
