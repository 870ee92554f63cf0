//! `#[on_stopped]`: called when an execution was stopped, once, also across a crash.

use std::{sync::Arc, time::Duration};

use steps::{Control, State, Status, engine::EngineError, prelude::*};

use crate::support::{World, act, is, on_each_store};

const LONG: Duration = Duration::from_secs(20);

#[flow]
async fn asks(world: &World, name: String) -> Result<u32, String> {
    steps! {
        a      = act(cx, world, &format!("{name}.a"));
        answer = steps::signal::<u32>();
    }
    let _ = a;
    Ok(answer)
}

#[on_stopped(asks)]
async fn tell(world: &World, name: &String, stopped: &Failure) -> Result<(), String> {
    let (status, done) = (stopped.status(), stopped.state.succeeded("a"));
    world.act(None, format!("{name} {status} {done}")).await
}

on_each_store! {
    async fn on_stopped_is_called_once_for_each_stop(db) {
        let world = World::new();
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(asks::input("x".into())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
        run.stop().await.expect("it is stopped");
        assert_eq!(run.ended().await.expect("it is there").status, Status::Stopped);
        assert_eq!(world.log(), ["x.a", "x stopped true"]);

        run.recover().await.expect("it goes on");
        is(&run, Status::Waiting).await;
        world.breaks("x stopped true");
        assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
        let state = run.tree().await.expect("it is there");
        assert_eq!(state.on_stopped_err.as_deref(), Some("can't x stopped true"));
        run.undo().await.expect("it is undone");
        is(&run, Status::Undone).await;
        assert_eq!(world.log(), ["x.a", "x stopped true", "x stopped true", "undo x.a"]);
        let error = run.stop().await.expect_err("it has ended");
        assert!(matches!(error, EngineError::Status { .. }), "{error}");
    }

    async fn on_stopped_is_called_after_a_crash(db) {
        let world = World::new();
        world.closes("x stopped true");
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(asks::input("x".into())).id("x").await.expect("it starts");
        is(&run, Status::Waiting).await;
        run.stop().await.expect("it stops");
        world.saw("x stopped true").await;
        drop((run, engine));
        world.opens();
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let run = engine.execution::<asks>("x").await.expect("it is there");
        assert_eq!(run.ended().await.expect("it is there").status, Status::Stopped);
        assert_eq!(world.log(), ["x.a", "x stopped true", "x stopped true"]);
    }
}

#[tokio::test]
async fn in_memory_on_stopped_is_called_once() {
    let world: Arc<World> = World::new();
    let control = Control::new();
    control.stop();
    let stopped = asks(&world, "x".into())
        .control(&control)
        .await
        .expect_err("it is stopped");
    assert_eq!(stopped.status(), Status::Stopped);
    assert_eq!(world.log(), ["x stopped false"]);
    let again = asks(&world, "x".into())
        .resume(State::clone(&stopped.state))
        .await
        .expect_err("it is stopped");
    assert_eq!(again.status(), Status::Stopped);
    assert_eq!(world.log().len(), 1);
}
