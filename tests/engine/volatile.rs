//! Volatile steps in executions that the engine puts aside and takes up again.

use std::sync::Arc;

use steps::{Status, prelude::*};

use crate::support::{World, failure, is, on_each_store};

/// Not a serde value.
struct Session;

#[step(volatile, retry(times = 1, every = "5ms"))]
async fn log_in(world: &World) -> Result<Session, String> {
    world.act(None, "log in".to_owned()).await?;
    Ok(Session)
}

#[undo(log_in)]
async fn log_out(world: &World, _session: &Session) -> Result<(), String> {
    world.act(None, "log out".to_owned()).await
}

#[step]
async fn list(world: &World, _session: &Session) -> Result<u32, String> {
    world.act(None, "list".to_owned()).await?;
    Ok(1)
}

#[flow]
async fn job(world: &World) -> Result<u32, String> {
    steps! {
        s = log_in(world);
        go = steps::signal::<bool>();
        n = list(world, s);
    }
    let _ = go;
    Ok(n)
}

on_each_store! {
    async fn claim_volatile(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(Arc::clone(&world)));
        let engine = engine.start().await.unwrap();

        let run = engine.start(job::input()).id("a").await.unwrap();
        is(&run, Status::Waiting).await;
        world.breaks("log in");
        run.signal(job::STEPS.go, &true).await.unwrap();
        let failed = failure(run.outcome().await);
        assert_eq!((failed.step(), failed.status()), (Some("s"), Status::Undone));
        assert_eq!(world.log(), ["log in"; 3], "the first, and two that fail");

        world.mends();
        run.recover().await.unwrap();
        is(&run, Status::Done).await;
        assert_eq!(world.log()[3..], ["log in", "list"]);

        let run = engine.start(job::input()).id("b").await.unwrap();
        is(&run, Status::Waiting).await;
        let before = world.log().len();
        run.undo().await.unwrap();
        is(&run, Status::Undone).await;
        assert_eq!(world.log()[before..], ["log in", "log out"], "each is taken back once");
    }
}
