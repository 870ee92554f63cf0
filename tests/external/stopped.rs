//! External tasks whose steps are given up: somebody is asked to stop them.

use std::time::Duration;

use steps::Status;

use crate::{
    flows::{done, many, publish, raced, soon, started, taken, task},
    support::{World, failure, is, on_each_store, wait_for},
};

on_each_store! {
    async fn a_stop_is_passed_on_wherever_the_task_is(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(many::input()).await.expect("it starts");
        let x = task(&run, "each.x.flaws").await.id;
        let y = task(&run, "each.y.flaws").await.id;
        let status = run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        assert_eq!(status, Status::Stopped);
        for line in [format!("stop x {x}"), format!("stop y {y}")] {
            assert!(world.log().contains(&line), "{line}: {:?}", world.log());
        }
        // `x` was done all the same; `y` is submitted anew.
        taken(&engine, &x, done(1, 1)).await;
        run.recover().await.expect("it was stopped");
        let mut again = y.clone();
        wait_for("another task", async || {
            again = task(&run, "each.y.flaws").await.id;
            again != y
        }).await;
        taken(&engine, &again, done(1, 2)).await;
        let z = task(&run, "alone.last").await.id;
        run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        assert!(world.log().contains(&format!("stop z {z}")), "{:?}", world.log());
        taken(&engine, &z, done(1, 3)).await;
        run.recover().await.expect("it was stopped");
        assert_eq!(run.outcome().await.expect("done"), [1, 2, 3]);
        let stops = world.log().iter().filter(|line| line.starts_with("stop ")).count();
        assert_eq!(stops, 3, "each once");
    }

    async fn an_undo_asks_for_a_stop_and_undoes_what_is_done(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        run.undo().await.expect("it can be undone");
        is(&run, Status::Undone).await;
        assert_eq!(world.log().split_off(3), [format!("stop nginx {it}"), "undo a".into()]);

        let world = World::new();
        let engine = started(&db, &world).await;
        world.closes("b2");
        let run = engine.start(publish::input("alpine".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        taken(&engine, &it, done(1, 2)).await;
        world.saw("b2").await;
        run.undo().await.expect("it can be undone");
        world.opens();
        is(&run, Status::Undone).await;
        assert_eq!(world.log().split_off(world.log().len() - 2), ["forget 2 of alpine", "undo a"]);
    }

    async fn who_loses_a_race_or_is_late_is_asked_to_stop(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(raced::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "first.flaws").await.id;
        run.signal(raced::STEPS.first.told, &9).await.expect("it waits");
        assert_eq!(run.outcome().await.expect("done"), 9);
        assert!(world.log().contains(&format!("stop nginx {it}")), "{:?}", world.log());
        let late = engine.start(soon::input("late".into())).await.expect("it starts");
        let it = task(&late, "flaws").await.id;
        failure(late.outcome().await);
        assert!(world.log().contains(&format!("stop late {it}")), "{:?}", world.log());
    }

    /// What fails there is told in the tree.
    async fn a_stop_that_fails_is_noted(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        world.breaks(&format!("stop nginx {it}"));
        run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        let state = run.state().await.expect("one");
        let it = state.flaws.task().expect("one");
        assert!(it.stop_asked);
        assert!(it.stop_err.as_deref().is_some_and(|error| error.starts_with("can't stop nginx")), "{it:?}");
    }
}
