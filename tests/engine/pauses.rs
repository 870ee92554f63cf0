//! A rollback that pauses before it tries an undo again: what an operator may do meanwhile.

use std::{sync::Arc, time::Duration};

use steps::{
    Control, Engine, Status,
    engine::{EngineError, Execution},
    prelude::*,
};

use crate::support::{World, failure, is, on_each_store, wait_for};

#[step]
async fn reserve(world: &World, name: &str) -> Result<u32, String> {
    world.act(None, name.to_owned()).await?;
    Ok(1)
}

#[undo(reserve, retry(times = 24, every = "1h"))]
async fn release(world: &World, name: &str, _: &u32) -> Result<(), String> {
    world.act(None, format!("undo {name}")).await
}

#[flow]
async fn booking(world: &World) -> Result<(), String> {
    steps! {
        first = reserve(world, "first");
        seat = reserve(world, "seat");
        paid = steps::signal::<bool>();
    }
    let _ = (first, seat, paid);
    Ok(())
}

/// An execution whose rollback has failed once, and pauses for an hour.
async fn pausing(engine: &Engine, world: &Arc<World>, id: &str) -> Execution<booking> {
    world.breaks("undo seat");
    let run = engine
        .start(booking::input())
        .id(id)
        .await
        .expect("it starts");
    is(&run, Status::Waiting).await;
    run.undo().await.expect("it is undone");
    wait_for("its pause", async || {
        let info = run.info().await.expect("it is there");
        info.status == Status::Undoing && info.worker.is_none()
    })
    .await;
    run
}

/// Sleeps for an hour, and fails once, to be tried again after an hour.
#[flow]
async fn slow(world: &World) -> Result<(), String> {
    steps! {
        nap = steps::sleep(Duration::from_hours(1));
        flaky = flaky(world);
        asked = steps::signal::<bool>();
    }
    let _ = (flaky, asked);
    Ok(())
}

#[step(retry(times = 3, every = "1h"))]
async fn flaky(world: &World) -> Result<u32, String> {
    world.act(None, "flaky".to_owned()).await?;
    Ok(1)
}

on_each_store! {
    async fn try_now_ends_each_kind_of_pause(db) {
        let world = World::new();
        let engine = db.engine().await.serve(slow::with(world.clone())).serve(booking::with(world.clone()));
        let engine = engine.start().await.expect("it starts");
        world.breaks("flaky");
        let run = engine.start(slow::input()).after(Duration::from_hours(1)).await.expect("it starts");
        let at = async |path: &str, times: usize| {
            let (run, world) = (run.clone(), world.clone());
            wait_for(path, async move || {
                let tree = run.tree().await.expect("it is there");
                let waits = tree.get(path).is_some_and(|node| node.status == Status::Waiting);
                waits && world.log().len() == times && run.info().await.expect("it is there").worker.is_none()
            })
            .await;
        };
        assert_eq!(run.try_now().await.expect("it is to begin later"), 1);
        at("nap", 0).await;
        assert_eq!(run.try_now().await.expect("it sleeps"), 1);
        at("flaky", 1).await;
        world.mends();
        assert_eq!(run.try_now().await.expect("it pauses"), 1);
        at("asked", 2).await;
        let error = run.try_now().await.expect_err("a signal is no pause");
        assert!(error.to_string().contains("nothing in it pauses"), "{error}");

        let run = pausing(&engine, &world, "undone").await;
        world.mends();
        assert_eq!(run.try_now().await.expect("it pauses"), 1);
        failure(run.outcome().await);
        assert_eq!(run.status().await.expect("it is there"), Status::Undone);
        let error = run.try_now().await.expect_err("it has ended");
        assert!(matches!(error, EngineError::Status { .. }), "{error}");
    }

    async fn undo_pause_ends_with_each_call_of_an_operator(db) {
        let world = World::new();
        let engine = db.engine().await.serve(booking::with(world.clone())).start().await.expect("it starts");
        let run = pausing(&engine, &world, "retried").await;
        let other = run.skip_undo(booking::STEPS.first).await.expect_err("that one did not fail");
        assert!(matches!(other, EngineError::State { .. }), "{other}");
        assert_eq!(run.retry_undo().await.expect("it pauses"), 1);
        wait_for("another attempt", async || {
            world.log().iter().filter(|line| *line == "undo seat").count() == 2
        }).await;

        world.mends();
        wait_for("the next pause", async || run.retry_undo().await.is_ok()).await;
        is(&run, Status::Undone).await;
        let log = ["first", "seat", "undo seat", "undo seat", "undo seat", "undo first"];
        assert_eq!(world.log(), log);

        let run = pausing(&engine, &world, "undone again").await;
        world.mends();
        run.undo().await.expect("it tries again now");
        is(&run, Status::Undone).await;

        let run = pausing(&engine, &world, "skipped").await;
        run.skip_undo(booking::STEPS.seat).await.expect("it pauses");
        is(&run, Status::Undone).await;

        let run = pausing(&engine, &world, "marked").await;
        run.mark_undone(booking::STEPS.seat).await.expect("it pauses");
        is(&run, Status::Undone).await;
        let error = run.mark_undone(booking::STEPS.seat).await.expect_err("it is undone");
        assert!(matches!(error, EngineError::NotStuck { status: Status::Undone, .. }), "{error}");
    }

    async fn undo_pause_ends_stuck_with_a_stop(db) {
        let world = World::new();
        let engine = db.engine().await.serve(booking::with(world.clone())).start().await.expect("it starts");
        let run = pausing(&engine, &world, "stopped").await;
        let rest = run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        assert_eq!(rest, Status::Stuck);
        let failed = failure(run.outcome().await);
        assert_eq!(failed.undo_failed()[0].path, "seat");
        world.mends();
        assert_eq!(run.retry_undo().await.expect("it is stuck"), 1);
        is(&run, Status::Undone).await;

        let run = pausing(&engine, &world, "deleted").await;
        run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        run.delete().await.expect("it is at rest");
    }
}

#[tokio::test]
async fn in_memory_a_pause_ends_with_an_undo_and_with_a_stop() {
    for stop in [false, true] {
        let world = World::new();
        world.breaks("undo seat");
        let control = Control::new();
        let act = async {
            control.undo();
            world.saw("undo seat").await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            world.mends();
            if stop {
                control.stop();
            } else {
                control.undo();
            }
        };
        let (signals, run) = (steps::Signals::new(), booking(&world));
        let run = run.signals(&signals).control(&control);
        let (run, ()) = tokio::join!(run, act);
        let status = run.expect_err("it is undone").status();
        let wanted = if stop { Status::Stuck } else { Status::Undone };
        assert_eq!((status, stop), (wanted, stop));
    }
}
