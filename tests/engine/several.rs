//! Several engines on one store, each as a process of its own would be.

use std::time::Duration;

use steps::{
    Status,
    engine::{Concurrency, EngineError, Filter},
};

use crate::support::{World, asks, is, job, on_each_store, sleeps, wait_for};

/// The flow of a version before, and of one after.
mod before {
    use steps::prelude::*;

    #[step]
    pub(super) async fn count() -> Result<u32, String> {
        Ok(1)
    }

    #[flow(name = "versions")]
    pub(super) async fn versions() -> Result<u32, String> {
        steps! {
            first  = count();
            answer = steps::signal::<u32>();
        }
        Ok(first + answer)
    }
}

mod after {
    use steps::prelude::*;

    #[step]
    pub(super) async fn count() -> Result<u32, String> {
        Ok(1)
    }

    #[flow(name = "versions")]
    pub(super) async fn versions() -> Result<u32, String> {
        steps! {
            other  = count();
            answer = steps::signal::<u32>();
        }
        Ok(other + answer)
    }
}

mod later {
    use steps::prelude::*;

    #[step]
    pub(super) async fn count() -> Result<u32, String> {
        Ok(1)
    }

    #[flow(name = "versions")]
    pub(super) async fn versions() -> Result<u32, String> {
        steps! {
            third  = count();
            answer = steps::signal::<u32>();
        }
        Ok(third + answer)
    }
}

on_each_store! {
    async fn one_starts_and_another_runs(db) {
        let world = World::new();
        let front = db.engine().await.start().await.expect("it starts");
        let worker = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = front.start(job::input("x".into())).await.expect("it starts");
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b x.c");
        drop(worker);
    }

    async fn a_signal_and_a_stop_reach_another_process(db) {
        let world = World::new();
        let front = db.engine().await.start().await.expect("it starts");
        let worker = db
            .engine()
            .await
            .serve(asks::with(world.clone()))
            .serve(job::with(world.clone()))
            .lease(Duration::from_millis(300))
            .start()
            .await
            .expect("it starts");
        let run = front.start(asks::input("x".into())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        run.signal(asks::STEPS.answer, &7).await.expect("it is kept");
        assert_eq!(run.outcome().await.expect("done"), 7);

        world.closes("y.b");
        let run = front.start(job::input("y".into())).await.expect("it starts");
        world.saw("y.b").await;
        let status = run.stop_and_wait(Duration::from_secs(20)).await.expect("it stops");
        assert_eq!(status, Status::Stopped);
        drop(worker);
    }

    async fn what_a_dead_process_left_is_taken_over(db) {
        let world = World::new();
        world.closes("x.b");
        let first = db
            .engine()
            .await
            .serve(job::with(world.clone()))
            .lease(Duration::from_millis(200))
            .start()
            .await
            .expect("it starts");
        let run = first.start(job::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.b").await;
        drop((run, first));
        world.opens();
        let second = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = second.execution::<job>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b x.c");
        assert_eq!(world.log(), ["x.a", "x.b", "x.b", "x.c"]);
    }

    async fn two_workers_share_the_work_and_do_none_twice(db) {
        let world = World::new();
        let front = db.engine().await.start().await.expect("it starts");
        let mut workers = Vec::new();
        for _ in 0..2 {
            let worker = db
                .engine()
                .await
                .serve(job::with(world.clone()))
                .concurrency(Concurrency::fixed(4))
                .poll(Duration::from_millis(10))
                .start();
            workers.push(worker.await.expect("it starts"));
        }
        let mut runs = Vec::new();
        for number in 0..40 {
            let input = job::input(format!("{number}"));
            runs.push(front.start(input).await.expect("it starts"));
        }
        for run in &runs {
            run.outcome().await.expect("done");
        }
        let mut log = world.log();
        log.sort();
        let all = log.len();
        log.dedup();
        assert_eq!((all, log.len()), (120, 120), "each step once");
    }

    async fn what_does_not_fit_is_left_for_a_program_that_it_fits(db) {
        let old = db.engine().await.serve(before::versions::with()).start().await.expect("it starts");
        let id = {
            let run = old.start(before::versions::input()).await.expect("it starts");
            is(&run, Status::Waiting).await;
            run.id().to_owned()
        };
        old.shutdown(Duration::from_secs(5)).await.expect("it ends");

        let world = World::new();
        let new = db
            .engine()
            .await
            .serve(after::versions::with())
            .serve(job::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let run = new.execution::<after::versions>(&*id).await.expect("it is there");
        run.signal(after::versions::STEPS.answer, &2).await.expect("it is kept");
        let error = run.outcome().await.expect_err("it does not fit");
        let EngineError::Incompatible { why, .. } = &error else { panic!("{error}") };
        assert!(why.contains("first"), "{why}");
        let found = new.list(Filter::new().incompatible()).await.expect("a list");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].status, Status::Waiting, "left as it was");
        // The others go on.
        let other = new.start(job::input("x".into())).await.expect("it starts");
        other.outcome().await.expect("done");
        drop((run, other));
        new.shutdown(Duration::from_secs(5)).await.expect("it ends");

        let fixed = db.engine().await.serve(before::versions::with()).start().await.expect("it starts");
        let run = fixed.execution::<before::versions>(id).await.expect("it is there");
        assert_eq!(run.outcome().await.expect("it fits"), 3);
    }

    async fn two_programs_that_it_does_not_fit_do_not_hand_it_to_and_fro(db) {
        let old = db.engine().await.serve(before::versions::with()).start().await.expect("it starts");
        let id = {
            let run = old.start(before::versions::input()).await.expect("it starts");
            is(&run, Status::Waiting).await;
            run.id().to_owned()
        };
        old.shutdown(Duration::from_secs(5)).await.expect("it ends");
        let newer = db.engine().await.serve(after::versions::with()).start().await.expect("it starts");
        let newest = db.engine().await.serve(later::versions::with()).start().await.expect("it starts");
        let run = newer.execution::<after::versions>(&*id).await.expect("it is there");
        run.signal(after::versions::STEPS.answer, &2).await.expect("it is kept");
        // Each claim makes a new fencing number, which no list shows; but who holds it is shown.
        let mut hands = Vec::new();
        for _ in 0..200 {
            let worker = run.info().await.expect("it is there").worker;
            if hands.last() != Some(&worker) {
                hands.push(worker);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(hands.len() <= 6, "{hands:?}");
        drop((newer, newest));
    }

    async fn a_shutdown_lets_the_running_step_finish_and_gives_the_rest_to_others(db) {
        let world = World::new();
        world.closes("x.b");
        let first = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        first.start(job::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.b").await;
        first.shutdown(Duration::from_secs(20)).await.expect("it ends");
        assert_eq!(world.log(), ["x.a", "x.b", "x.b sees the stop"]);
        let second = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = second.execution::<job>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), "x.a x.b x.c");
        assert_eq!(world.log().len(), 4, "{:?}", world.log());
    }

    async fn a_drain_lets_what_runs_end(db) {
        let world = World::new();
        world.closes("x.b");
        let first = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = first.start(job::input("x".into())).await.expect("it starts");
        world.saw("x.b").await;
        let draining = tokio::spawn({
            let first = first.clone();
            async move { first.drain().await }
        });
        wait_for("no more starts", async || {
            matches!(first.start(job::input("y".into())).await, Err(EngineError::Closed))
        })
        .await;
        assert!(!draining.is_finished());
        world.opens();
        draining.await.expect("it drains");
        assert_eq!(run.status().await.expect("it is there"), Status::Done);
    }

    async fn a_timer_of_a_dead_process_fires_in_another(db) {
        let world = World::new();
        let first = db.engine().await.serve(sleeps::with(world.clone())).start().await.expect("it starts");
        let run = first.start(sleeps::input("x".into(), 300)).id("x").await.expect("it starts");
        is(&run, Status::Waiting).await;
        drop((run, first));
        let second = db.engine().await.serve(sleeps::with(world.clone())).start().await.expect("it starts");
        let run = second.execution::<sleeps>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), 1);
        assert_eq!(world.log(), ["x.a", "x.b"]);
    }
}
