//! Steps that look at `cx.cancel_reason()` and end early, with an error, as the documentation says.

use std::{sync::Arc, time::Duration};

use steps::{CancelReason, Status, prelude::*};

use crate::support::{World, on_each_store};

const LONG: Duration = Duration::from_secs(20);

/// Works until it is told to end, and then gives up. Its second attempt has nothing left to do.
#[step]
async fn copy(cx: &Cx, world: &Arc<World>) -> Result<(), String> {
    world.act(None, "copy".to_owned()).await?;
    for _ in 0..2_000 {
        if cx.attempt() > 1 {
            return Ok(());
        }
        match cx.cancel_reason() {
            None => tokio::time::sleep(Duration::from_millis(5)).await,
            Some(CancelReason::Shutdown) => return Err("ended early: shutdown".to_owned()),
            Some(CancelReason::Stop) => return Err("ended early: stop".to_owned()),
            Some(other) => return Err(format!("ended early: {other:?}")),
        }
    }
    Err("nobody asked".to_owned())
}

#[step]
async fn first(world: &Arc<World>) -> Result<(), String> {
    world.act(None, "first".to_owned()).await
}

#[undo(first)]
async fn first_back(world: &Arc<World>, (): &()) -> Result<(), String> {
    world.act(None, "undo first".to_owned()).await
}

#[flow]
async fn copies(world: &Arc<World>) -> Result<u32, String> {
    steps! {
        first(world);
        copy(cx, world);
    }
    Ok(7)
}

on_each_store! {
    async fn regression_a_step_that_ended_early_at_a_shutdown_rolled_the_execution_back(db) {
        let world = World::new();
        let engine = db.engine().await.serve(copies::with(world.clone())).start().await.expect("it starts");
        engine.start(copies::input()).id("x").await.expect("it starts");
        world.saw("copy").await;
        engine.shutdown(LONG).await.expect("it ends");
        assert_eq!(world.log(), ["first", "copy"]);

        let next = db.engine().await.serve(copies::with(world.clone())).start().await.expect("it starts");
        let run = next.execution::<copies>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), 7);
        assert_eq!(world.log(), ["first", "copy", "copy"]);
    }

    async fn regression_a_step_that_ended_early_at_a_stop_rolled_the_execution_back(db) {
        let world = World::new();
        let engine = db.engine().await.serve(copies::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(copies::input()).await.expect("it starts");
        world.saw("copy").await;
        assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
        let state = run.state().await.expect("it is there");
        assert_eq!((state.copy.status(), state.copy.error()), (Status::Waiting, None));
        assert_eq!(world.log(), ["first", "copy"]);

        assert!(run.recover().await.expect("it goes on") > 0);
        assert_eq!(run.outcome().await.expect("done"), 7);
        assert_eq!(world.log(), ["first", "copy", "copy"]);
    }

    async fn a_step_that_ends_early_because_of_an_undo_is_taken_back_with_the_others(db) {
        let world = World::new();
        let engine = db.engine().await.serve(copies::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(copies::input()).await.expect("it starts");
        world.saw("copy").await;
        run.undo().await.expect("it is undone");
        assert_eq!(run.ended().await.expect("it ends").status, Status::Undone);
        assert_eq!(world.log(), ["first", "copy", "undo first"]);
    }
}
