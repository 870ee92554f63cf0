//! Stopping, undoing, recovering, and what an operator may do about a stuck rollback.

use std::time::Duration;

use steps::{
    Cause, Status,
    engine::EngineError,
    store::{Acquire, Acquired, Due, LeaseAfter, TakeOver, Target, Write},
};

use crate::support::{World, asks, failure, held, is, job, on_each_store};

const LONG: Duration = Duration::from_secs(20);

on_each_store! {
    async fn a_stop_lets_the_running_step_finish_and_begins_no_other(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
        assert_eq!(world.log(), ["x.a", "x.b", "x.b sees the stop"]);
        let state = run.state().await.expect("it is there");
        assert_eq!((state.b.status(), state.c.status()), (Status::Done, Status::Pending));
        let stopped = failure(run.outcome().await);
        assert_eq!(stopped.status(), Status::Stopped);

        assert!(run.recover().await.expect("it goes on") > 0);
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b x.c");
        assert_eq!(world.log().last().map(String::as_str), Some("x.c"));
    }

    async fn a_stop_that_takes_longer_than_one_waits_is_told(db) {
        let world = World::new();
        let engine = db.engine().await.serve(asks::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(asks::input("x".into())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
        // A second stop changes nothing.
        assert_eq!(run.stop_and_wait(LONG).await.expect("it is stopped"), Status::Stopped);
    }

    async fn what_has_ended_is_not_stopped(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        run.outcome().await.expect("done");
        let error = run.stop().await.expect_err("it is done");
        assert!(matches!(error, EngineError::Status { status: Status::Done, .. }), "{error}");
        assert!(error.to_string().contains("can't be stopped"), "{error}");
    }

    async fn an_undo_takes_back_what_runs(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        run.undo().await.expect("it is undone");
        let failure = failure(run.outcome().await);
        assert!(matches!(failure.cause, Cause::Undone), "{failure}");
        assert_eq!(failure.status(), Status::Undone);
        assert_eq!(
            world.log(),
            ["x.a", "x.b", "x.b sees the stop", "undo x.b", "undo x.a"]
        );
    }

    async fn an_undo_takes_back_what_waits_is_done_stopped_or_held(db) {
        let world = World::new();
        world.breaks("held.b");
        let engine = db
            .engine()
            .await
            .serve(asks::with(world.clone()))
            .serve(job::with(world.clone()))
            .serve(held::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let waits = engine.start(asks::input("waits".into())).await.expect("it starts");
        is(&waits, Status::Waiting).await;
        let stopped = engine.start(asks::input("stopped".into())).await.expect("it starts");
        stopped.stop_and_wait(LONG).await.expect("it stops");
        let done = engine.start(job::input("done".into())).await.expect("it starts");
        done.outcome().await.expect("done");
        let held = engine.start(held::input("held".into())).await.expect("it starts");
        assert_eq!(failure(held.outcome().await).status(), Status::Failed);

        for execution in [&*waits, &*stopped, &*done, &*held] {
            execution.undo().await.expect("it is undone");
            is(execution, Status::Undone).await;
            let error = execution.undo().await.expect_err("it has been");
            assert!(matches!(error, EngineError::Status { .. }), "{error}");
        }
        let log = world.log();
        for undone in ["undo waits.a", "undo done.c", "undo done.b", "undo done.a", "undo held.a"] {
            assert_eq!(log.iter().filter(|line| *line == undone).count(), 1, "{undone} in {log:?}");
        }
    }

    async fn a_held_failure_is_recovered(db) {
        let world = World::new();
        world.breaks("x.b");
        let engine = db.engine().await.serve(held::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(held::input("x".into())).await.expect("it starts");
        assert_eq!(failure(run.outcome().await).step(), Some("b"));
        world.mends();
        run.recover().await.expect("it goes on");
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b");
        assert_eq!(world.log(), ["x.a", "x.b", "x.b"]);
        let error = run.recover().await.expect_err("it is done");
        assert!(matches!(error, EngineError::Status { .. }), "{error}");
    }

    async fn it_is_begun_again_from_a_step(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        run.outcome().await.expect("done");
        run.retry_from(job::STEPS.b).await.expect("it is there");
        run.outcome().await.expect("done");
        assert_eq!(world.log(), ["x.a", "x.b", "x.c", "x.b", "x.c"]);
    }

    async fn a_stuck_rollback_is_tried_again(db) {
        let world = World::new();
        world.breaks("x.c");
        world.breaks("undo x.b");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        let failed = failure(run.outcome().await);
        assert_eq!(failed.status(), Status::Stuck);
        assert_eq!(failed.undo_failed().len(), 1);
        world.mends();
        assert_eq!(run.retry_undo().await.expect("it is stuck"), 1);
        is(&run, Status::Undone).await;
        assert_eq!(world.log(), ["x.a", "x.b", "x.c", "undo x.b", "undo x.b", "undo x.a"]);
        let no_more = run.retry_undo().await.expect_err("it is stuck no more");
        assert!(matches!(no_more, EngineError::NotStuck { status: Status::Undone, .. }), "{no_more}");
    }

    async fn a_stuck_step_is_skipped_or_marked(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        for (name, skip) in [("x", true), ("y", false)] {
            world.breaks(&format!("{name}.c"));
            world.breaks(&format!("undo {name}.b"));
            let run = engine.start(job::input(name.into())).await.expect("it starts");
            is(&run, Status::Stuck).await;
            assert!(run.skip_undo(job::STEPS.a).await.is_err(), "that one did not fail");
            if skip {
                run.skip_undo(job::STEPS.b).await.expect("it is stuck");
            } else {
                run.mark_undone(job::STEPS.b).await.expect("it is stuck");
            }
            is(&run, Status::Undone).await;
            let undo = run.tree().await.expect("it is there").get("b").and_then(|b| b.undo.clone());
            assert!(undo.expect("its undo").resolved.is_some());
        }
    }

    async fn a_running_one_is_not_changed(db) {
        let world = World::new();
        world.closes("x.b");
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        let error = run.retry_from(job::STEPS.a).await.expect_err("it runs");
        assert!(matches!(error, EngineError::Busy { .. }), "{error}");
        world.opens();
        run.outcome().await.expect("done");
    }

    /// As a worker is that looks at a message which came late: who recovered it then was told that it was busy.
    async fn regression_one_that_has_ended_and_is_held_for_a_moment_was_not_changed(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = engine.start(job::input("x".into())).await.expect("it starts");
        run.outcome().await.expect("done");
        let store = db.store().await;
        let hold = async || {
            let lease = Acquire {
                id: run.id().to_owned(),
                worker: "another".to_owned(),
                lease: Duration::from_hours(1),
                over: TakeOver::Ended,
            };
            match store.acquire(lease).await.expect("an answer") {
                Acquired::Held(held) => held.lease,
                other => panic!("{other:?}"),
            }
        };
        let give_back = async |lease| {
            let then = LeaseAfter::Release { due: Due::Never, last_message: i64::MAX };
            store.write(Write::new(Target::Held(lease), then)).await.expect("it is given back");
        };
        let lease = hold().await;
        let later = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            give_back(lease).await;
        };
        let (changed, ()) = tokio::join!(run.retry_from(job::STEPS.a), later);
        changed.expect("it has ended");
        run.outcome().await.expect("done");

        // Not for ever.
        hold().await;
        let error = run.retry_from(job::STEPS.a).await.expect_err("it is held");
        assert!(matches!(&error, EngineError::Busy { worker, .. } if worker == "another"), "{error}");
    }
}
