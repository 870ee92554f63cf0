//! `start` and `join`: executions that a line of a flow starts, and waits for without a place.

use std::{sync::Arc, time::Duration};

use steps::{
    Child, Failure, Status,
    engine::{Concurrency, Engine, Filter},
    prelude::*,
    state::{FailureCause, Until},
};

use crate::support::{Db, World, failure, is, on_each_store, wait_for};

#[step]
async fn work(world: &World, cx: &Cx, what: &str) -> Result<u32, String> {
    world.act(Some(cx), what.to_owned()).await?;
    Ok(u32::try_from(what.len()).unwrap_or_default())
}

#[undo(work)]
async fn unwork(world: &World, _cx: &Cx, what: &str, _: &u32) -> Result<(), String> {
    world.act(None, format!("undo {what}")).await
}

/// A child.
#[flow]
async fn bill(world: &World, user: String) -> Result<String, String> {
    steps! {
        charge = work(world, cx, &format!("charge {user}"));
        send   = work(world, cx, &format!("send {user}"));
    }
    Ok(format!("{user} paid {}", charge + send))
}

/// Starts a child, does something beside it, and joins it.
#[flow]
async fn order(world: &World, user: String) -> Result<String, String> {
    steps! {
        before = work(world, cx, "before");
        child  = start bill(user.clone()).id(format!("bill-{user}")).label("user", user);
        beside = work(world, cx, "beside");
        paid   = join child;
        after  = work(world, cx, "after");
    }
    Ok(format!("{paid} and {before}{beside}{after}"))
}

/// A child for each item, and all of them joined.
#[flow]
async fn album(world: &World, users: Vec<String>) -> Result<Vec<String>, String> {
    steps! {
        all = for user in users by user {
            child = start bill(user.clone());
        }
        paid = for one in &all by &one.child parallel {
            out = join one.child;
        }
    }
    Ok(paid.iter().map(|paid| paid.out.clone()).collect())
}

/// Leaves its child when it is undone.
#[flow]
async fn leaves(world: &World, user: String) -> Result<(), String> {
    steps! {
        child = start bill(user.clone()).id("left").detached();
        last  = work(world, cx, "last");
    }
    Ok(())
}

/// Starts what is not served.
#[flow]
async fn unserved(user: String) -> Result<String, String> {
    steps! {
        group = {
            child = start bill(user.clone());
            out   = join child;
        }
    }
    Ok(group.out.clone())
}

async fn serve(db: &Db, world: &Arc<World>) -> Engine {
    let builder = db.engine().await;
    let builder = builder
        .serve(bill::with(world.clone()))
        .serve(order::with(world.clone()))
        .serve(album::with(world.clone()))
        .serve(leaves::with(world.clone()))
        .concurrency(Concurrency::fixed(1));
    builder.start().await.expect("it starts")
}

/// A parent and its child's flow, as many at once as there are.
async fn serve_two(db: &Db, world: &Arc<World>) -> Engine {
    let builder = db.engine().await.serve(bill::with(world.clone()));
    let builder = builder.serve(order::with(world.clone()));
    builder.start().await.expect("it starts")
}

async fn status(engine: &Engine, id: &str) -> Status {
    let handle = engine.get(id).await.expect("it is there");
    handle.status().await.expect("it is there")
}

on_each_store! {
    async fn a_child_is_started_and_joined(db) {
        let world = World::new();
        let engine = serve(&db, &world).await;
        let run = engine.start(order::input("ann".into())).id("o").await.expect("it starts");
        assert_eq!(run.outcome().await.expect("done"), "ann paid 18 and 665");
        let child = engine.execution::<bill>("bill-ann").await.expect("it is there");
        assert_eq!(child.outcome().await.expect("done"), "ann paid 18");
        let info = child.info().await.expect("it is there");
        assert_eq!(info.parent.as_deref(), Some("o"));
        assert_eq!(info.labels["user"], "ann");
        let children = engine.list(Filter::new().children_of("o")).await.expect("a list");
        assert_eq!(children.len(), 1);
        assert_eq!(children[0].id, "bill-ann");
        assert_eq!(engine.count(Filter::new().children_of("x")).await.expect("a count"), 0);
        let tree = run.tree().await.expect("a tree");
        let line = |path: &str| tree.get(path).and_then(|node| node.child_execution());
        assert_eq!(line("child").as_deref(), Some("bill-ann"));
        assert_eq!(line("paid").as_deref(), Some("bill-ann"));
        assert_eq!(line("beside"), None);
    }

    /// With one place for all: the parents wait without it.
    async fn child_deadlock_can_not_be_written_with_join(db) {
        let world = World::new();
        let engine = serve(&db, &world).await;
        let names: Vec<String> = (0..20).map(|number| format!("u{number}")).collect();
        let mut runs = Vec::new();
        for half in names.chunks(10) {
            runs.push(engine.start(album::input(half.to_vec())).await.expect("it starts"));
        }
        for (run, half) in runs.into_iter().zip(names.chunks(10)) {
            let paid = run.outcome().await.expect("done");
            assert_eq!(paid.len(), half.len());
            for (paid, user) in paid.iter().zip(half) {
                assert!(paid.starts_with(&format!("{user} paid")), "{paid}");
            }
        }
    }

    async fn a_join_waits_without_a_place_and_is_shown(db) {
        let world = World::new();
        world.closes("charge ann");
        let engine = serve_two(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        wait_for("the join", async || {
            let tree = run.tree().await.expect("a tree");
            tree.get("paid").is_some_and(|node| node.until == Some(Until::Child))
        }).await;
        is(&run, Status::Waiting).await;
        let tree = run.tree().await.expect("a tree").tree().to_string();
        assert!(tree.contains("for `bill-ann`"), "{tree}");
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), "ann paid 18 and 665");
    }

    async fn a_join_fails_with_its_child_and_what_was_done_is_undone(db) {
        let world = World::new();
        world.breaks("send ann");
        let engine = serve(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        let failure: Failure = failure(run.outcome().await);
        let failed = &failure.failed()[0];
        assert_eq!(failed.path, "paid");
        assert_eq!(failed.child(), Some("bill-ann"));
        let text = "child `bill-ann`: flow `bill` failed at `send`: can't send ann (what had been done was \
            undone)";
        assert_eq!(failed.error, text);
        assert_eq!(failure.status(), Status::Undone);
        let state = run.tree().await.expect("a tree");
        assert_eq!(state.get("paid").and_then(|node| node.cause), Some(FailureCause::Child));
        assert_eq!(status(&engine, "bill-ann").await, Status::Undone);
        let log = world.log();
        assert_eq!(log[log.len() - 3..], ["undo charge ann", "undo beside", "undo before"]);
    }

    async fn a_rollback_undoes_a_child_that_is_done(db) {
        let world = World::new();
        world.breaks("after");
        let engine = serve(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        let failure: Failure = failure(run.outcome().await);
        assert_eq!((failure.step(), failure.status()), (Some("after"), Status::Undone));
        assert_eq!(status(&engine, "bill-ann").await, Status::Undone);
        let log = world.log();
        let undone = ["undo beside", "undo send ann", "undo charge ann", "undo before"];
        assert_eq!(log[log.len() - 4..], undone);
    }

    async fn a_rollback_stops_a_child_that_runs(db) {
        let world = World::new();
        world.closes("charge ann");
        world.closes("beside");
        let engine = serve_two(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        world.saw("charge ann").await;
        world.saw("beside").await;
        run.undo().await.expect("it takes it");
        // The child sees that it is to be undone only when the parent undoes its line.
        world.saw("charge ann sees the stop").await;
        let failure: Failure = failure(run.outcome().await);
        assert_eq!(failure.status(), Status::Undone);
        assert_eq!(status(&engine, "bill-ann").await, Status::Undone);
        assert!(!world.log().contains(&"send ann".to_owned()));
        assert!(world.log().contains(&"undo charge ann".to_owned()));
    }

    async fn an_undo_that_fails_in_the_child_is_told_with_its_name(db) {
        let world = World::new();
        world.breaks("after");
        world.breaks("undo charge ann");
        let engine = serve(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        let stuck: Failure = failure(run.outcome().await);
        assert_eq!(stuck.status(), Status::Stuck);
        let failed = &stuck.undo_failed()[0];
        assert_eq!(failed.path, "child");
        assert!(failed.error.contains("the child `bill-ann` could not be undone"), "{failed:?}");
        assert!(failed.error.contains("can't undo charge ann"), "{failed:?}");
        // Once it can be undone, so can the parent.
        world.mends();
        let child = engine.get("bill-ann").await.expect("it is there");
        child.retry_undo().await.expect("it is stuck");
        child.ended().await.expect("it ends");
        run.retry_undo().await.expect("it is stuck");
        is(&run, Status::Undone).await;
    }

    async fn a_detached_child_is_left(db) {
        let world = World::new();
        world.breaks("last");
        let engine = serve(&db, &world).await;
        let run = engine.start(leaves::input("ann".into())).await.expect("it starts");
        assert_eq!(failure(run.outcome().await).status(), Status::Undone);
        let child = engine.execution::<bill>("left").await.expect("it is there");
        assert_eq!(child.outcome().await.expect("done"), "ann paid 18");
        let info = child.info().await.expect("it is there");
        assert_eq!(info.parent.as_deref(), Some(run.id()));
    }

    async fn an_id_that_is_taken_fails_the_line(db) {
        let world = World::new();
        let engine = serve(&db, &world).await;
        let other = engine.start(bill::input("ann".into())).id("bill-ann").await.expect("it starts");
        other.outcome().await.expect("done");
        let run = engine.start(order::input("ann".into())).id("o").await.expect("it starts");
        let failure: Failure = failure(run.outcome().await);
        assert_eq!(failure.step(), Some("child"));
        let error = &failure.failed()[0].error;
        assert!(error.contains("this id is that of an execution of its own, of the flow `bill`, \
            which is done"), "{error}");
        assert_eq!(status(&engine, "bill-ann").await, Status::Done, "it is left");
    }

    async fn a_child_of_a_flow_that_is_not_served_is_told(db) {
        let engine = db.engine().await.serve(unserved::with()).start().await.expect("it starts");
        let run = engine.start(unserved::input("ann".into())).id("o").await.expect("it starts");
        let failure: Failure = failure(run.outcome().await);
        let error = &failure.failed()[0].error;
        assert!(error.contains("does not serve the flow `bill`"), "{error}");
        assert!(error.contains("`o`") && error.contains("`group.child`"), "{error}");
    }

    /// A second doing of the line has a child of its own.
    async fn a_recovered_parent_starts_another_child(db) {
        let world = World::new();
        world.breaks("after");
        let engine = serve(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        assert_eq!(failure(run.outcome().await).status(), Status::Undone);
        world.mends();
        run.recover().await.expect("it has failed");
        assert_eq!(run.outcome().await.expect("done"), "ann paid 18 and 665");
        assert_eq!(status(&engine, "bill-ann").await, Status::Undone);
        assert_eq!(status(&engine, "bill-ann~1").await, Status::Done);
    }

    async fn a_child_that_is_deleted_before_it_is_joined_is_told(db) {
        let world = World::new();
        world.closes("beside");
        let engine = serve_two(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        world.saw("beside").await;
        let child = engine.get("bill-ann").await.expect("it is there");
        child.ended().await.expect("it ends");
        child.delete().await.expect("it has ended");
        world.opens();
        let failure: Failure = failure(run.outcome().await);
        assert!(failure.failed()[0].error.contains("the child `bill-ann` is gone"), "{failure}");
        assert_eq!(failure.status(), Status::Stuck, "what it did can't be taken back");
        assert!(failure.undo_failed()[0].error.contains("`bill-ann` is gone"), "{failure}");
    }

    /// What wakes the parent is in the store, so another process may be the one that is woken.
    async fn the_end_of_a_child_wakes_a_parent_in_another_process(db) {
        let world = World::new();
        let parents = db.engine().await
            .serve(order::with(world.clone())).serve(bill::with(world.clone()))
            .poll(Duration::from_millis(20))
            .start().await.expect("it starts");
        world.closes("charge ann");
        let run = parents.start(order::input("ann".into())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        parents.shutdown(Duration::ZERO).await.expect("it ends");
        world.opens();
        let children = db.engine().await.serve(bill::with(world.clone()))
            .start().await.expect("it starts");
        let child = children.execution::<bill>("bill-ann").await.expect("it is there");
        child.outcome().await.expect("done");
        let parents = db.engine().await.serve(order::with(world.clone()))
            .start().await.expect("it starts");
        let run = parents.execution::<order>(run.id().to_owned()).await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), "ann paid 18 and 665");
    }

    /// A stop of the parent leaves the child; the news of its end is kept until the parent goes on.
    async fn a_stopped_parent_hears_of_its_child_later(db) {
        let world = World::new();
        world.closes("charge ann");
        let engine = serve_two(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        world.opens();
        let child = engine.execution::<bill>("bill-ann").await.expect("it is there");
        child.outcome().await.expect("done");
        wait_for("it rests", async || {
            let info = run.info().await.expect("it is there");
            info.due.is_none()
        }).await;
        run.recover().await.expect("it is stopped");
        assert_eq!(run.outcome().await.expect("done"), "ann paid 18 and 665");
    }

    async fn a_child_that_is_ended_by_force_fails_the_join(db) {
        let world = World::new();
        world.closes("charge ann");
        let engine = serve_two(&db, &world).await;
        let run = engine.start(order::input("ann".into())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        let child = engine.get("bill-ann").await.expect("it is there");
        child.abandon("by hand").await.expect("it runs");
        world.opens();
        let failure: Failure = failure(run.outcome().await);
        assert_eq!(failure.failed()[0].child(), Some("bill-ann"));
        assert_eq!(failure.status(), Status::Undone);
    }
}

/// The value is the same to a step, and in the state.
#[tokio::test]
async fn a_child_is_a_value() {
    let world = World::new();
    let run = order(&world, "ann".into()).serve(bill::with(world.clone()));
    let (output, state) = run.with_state().await.expect("done");
    assert_eq!(output, "ann paid 18 and 665");
    let child: Child<bill> = state
        .child
        .output()
        .expect("it is read")
        .expect("it is done");
    assert_eq!(child.id(), "bill-ann");
    assert_eq!(
        format!("{child} {child:?}"),
        r#"bill-ann Child("bill-ann")"#
    );
}
