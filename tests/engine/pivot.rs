//! An undo on request past the `#[pivot]`, the point of no return.

use std::time::Duration;

use steps::{Cause, Control, State, Status, engine::EngineError, prelude::*};

use crate::support::{World, act, failure, is, on_each_store};

#[flow]
async fn ships(world: &World, name: String) -> Result<String, String> {
    steps! {
        a = act(cx, world, &format!("{name}.a"));
        packed = {
            #[pivot]
            sent = act(cx, world, &format!("{name}.sent"));
        }
        told = act(cx, world, &format!("{name}.told"));
        answer = if name.starts_with("asks") { it = steps::signal::<u32>(); }
    }
    let _ = (packed, told, answer);
    Ok(a)
}

#[flow(on_failure = "hold")]
async fn holds(world: &World, name: String) -> Result<String, String> {
    steps! {
        a = act(cx, world, &format!("{name}.a"));
        #[pivot]
        sent = act(cx, world, &format!("{name}.sent"));
        told = act(cx, world, &format!("{name}.told"));
        last = act(cx, world, &format!("{name}.last"));
    }
    let _ = (sent, told, last);
    Ok(a)
}

fn is_refused(undone: Result<(), EngineError>, pivot: &str) {
    let error = undone.expect_err("it is past its pivot");
    assert!(
        matches!(&error, EngineError::PastPivot { pivot: path, .. } if path == pivot),
        "{error}"
    );
    let text = format!("can't be undone: its pivot `{pivot}` is done");
    assert!(error.to_string().ends_with(&text), "{error}");
}

on_each_store! {
    async fn undo_past_the_pivot_is_refused(db) {
        let world = World::new();
        let engine = db.engine().await.serve(ships::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(ships::input("x".into())).id("x").await.expect("it starts");
        run.outcome().await.expect("done");
        is_refused(run.undo().await, "packed.sent");
        is_refused(engine.get("x").await.expect("it is there").undo().await, "packed.sent");
        assert_eq!(run.status().await.expect("it is there"), Status::Done);
        assert_eq!(run.outcome().await.expect("it is still done"), "x.a");

        // One that waits after its pivot, and one that was stopped there.
        let waits = engine.start(ships::input("asks".into())).await.expect("it starts");
        is(&waits, Status::Waiting).await;
        is_refused(waits.undo().await, "packed.sent");
        waits.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        is_refused(waits.undo().await, "packed.sent");
        waits.recover().await.expect("it goes on");
        waits.signal_path("answer.it", &1).await.expect("it is given");
        assert_eq!(waits.outcome().await.expect("done"), "asks.a");
        assert!(world.log().iter().all(|line| !line.starts_with("undo")));
    }

    async fn an_undo_that_the_pivot_overtakes_has_no_effect(db) {
        let world = World::new();
        world.closes("x.sent");
        // The step that is the pivot does not look at its `cx`.
        let engine = db.engine().await.serve(sends::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(sends::input("x".into())).await.expect("it starts");
        world.saw("x.sent").await;
        run.undo().await.expect("it is not past its pivot yet");
        world.opens();
        assert_eq!(run.outcome().await.expect("it goes on"), "x.a");
        assert_eq!(world.log(), ["x.a", "x.sent", "x.told"]);
        is_refused(run.undo().await, "sent");
        // A process that does not know the flow can't tell; the worker does.
        let client = db.engine().await.start().await.expect("it starts");
        let untyped = client.get(run.id()).await.expect("it is there");
        let _ = untyped.undo().await;
        assert_eq!(run.ended().await.expect("it is there").status, Status::Done);
        assert_eq!(run.outcome().await.expect("it is still done"), "x.a");
    }

    async fn what_has_failed_is_undone_up_to_its_pivot(db) {
        let world = World::new();
        world.breaks("x.last");
        let engine = db.engine().await.serve(holds::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(holds::input("x".into())).await.expect("it starts");
        assert_eq!(failure(run.outcome().await).status(), Status::Failed);
        run.undo().await.expect("it has failed");
        is(&run, Status::Undone).await;
        assert_eq!(world.log(), ["x.a", "x.sent", "x.told", "x.last", "undo x.told"]);
    }
}

#[step]
async fn send(world: &World, name: &str) -> Result<String, String> {
    world.act(None, name.to_owned()).await?;
    Ok(name.to_owned())
}

#[flow]
async fn sends(world: &World, name: String) -> Result<String, String> {
    steps! {
        a = act(cx, world, &format!("{name}.a"));
        #[pivot]
        sent = send(world, &format!("{name}.sent"));
        told = act(cx, world, &format!("{name}.told"));
    }
    let _ = (sent, told);
    Ok(a)
}

#[tokio::test]
async fn in_memory_an_undo_past_the_pivot_is_refused() {
    let world = World::new();
    let (_, state) = ships(&world, "x".into()).with_state().await.expect("done");
    let state = State::from(state);
    let failure = ships(&world, "x".into())
        .resume(state.clone())
        .undo()
        .await
        .expect_err("it is refused");
    assert!(
        matches!(&failure.cause, Cause::PastPivot { pivot } if pivot == "packed.sent"),
        "{failure}"
    );
    assert_eq!(
        failure.to_string(),
        "flow `ships` can't be undone: its pivot `packed.sent` is done"
    );
    assert_eq!(*failure.state, state);

    // While it runs: before the pivot is done it is undone, and after that it goes on.
    let control = Control::new();
    let run = sends(&world, "y".into()).control(&control);
    world.closes("y.told");
    let told = async {
        world.saw("y.told").await;
        control.undo();
        world.opens();
    };
    let (done, ()) = tokio::join!(run, told);
    assert_eq!(done.expect("it goes on"), "y.a");
}

#[flow]
async fn nothing_to_undo(world: &World) -> Result<(), String> {
    steps! {
        group = { sent = send(world, "sent"); }
        last = act(cx, world, "last");
    }
    let _ = (group, last);
    Ok(())
}

#[tokio::test]
async fn only_what_was_undone_is_told_as_undone() {
    let world = World::new();
    world.breaks("last");
    let failure = nothing_to_undo(&world).await.expect_err("it fails");
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(
        failure.to_string(),
        "flow `nothing_to_undo` failed at `last`: can't last"
    );
    let tree = failure.state.tree().to_string();
    assert!(!tree.contains('↺'), "{tree}");

    world.mends();
    world.breaks("x.told");
    let failure = sends(&world, "x".into()).await.expect_err("it fails");
    assert!(!failure.to_string().contains("undone"), "{failure}");

    world.mends();
    world.breaks("y.sent");
    let failure = sends(&world, "y".into()).await.expect_err("it fails");
    assert!(
        failure
            .to_string()
            .ends_with("(what had been done was undone)"),
        "{failure}"
    );
    let tree = failure.state.tree().to_string();
    assert_eq!(tree.matches('↺').count(), 2, "{tree}");
}
