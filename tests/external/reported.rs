//! External tasks: somebody else runs them and reports, as often and in whatever order.

use std::time::Duration;

use steps::{Gone, ReportError, Reported, Status, TaskId, TaskReport, TaskStatus, prelude::*};

use crate::{
    flows::{done, plain, publish, reported_error, started, taken, task},
    support::{World, failure, is, on_each_store, wait_for},
};

on_each_store! {
    async fn what_is_reported_ends_the_step(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await;
        assert_eq!((it.revision, it.status), (0, TaskStatus::Pending));
        assert_eq!(it.id.execution(), run.id());
        let drawn = run.tree().await.expect("one").tree().to_string();
        assert!(drawn.contains("for a report"), "{drawn}");
        taken(&engine, &it.id, TaskReport::running(1)).await;
        wait_for("running", async || {
            let state = run.state().await.expect("there is one");
            state.flaws.task().is_some_and(|it| it.status == TaskStatus::Running)
        }).await;
        taken(&engine, &it.id, done(1, 3)).await;
        assert_eq!(run.outcome().await.expect("done"), "a 3 b3");
        let state = run.state().await.expect("there is one");
        let it = state.flaws.task().expect("there is one");
        assert_eq!((it.revision, it.status, &it.output), (1, TaskStatus::Done, &None));
        assert_eq!(state.flaws.attempts(), 1);
        let log = ["a".to_owned(), format!("submit {}", it.id), "submitted nginx".into(), "b3".into()];
        assert_eq!(world.log(), log);
    }

    /// By a process that does not serve the flow, while nobody else runs.
    async fn a_report_waits_for_a_process(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await;
        let id = run.id().to_owned();
        drop((engine, run));
        let other = db.engine().await.start().await.expect("it starts");
        taken(&other, &it.id, TaskReport::running(1)).await;
        taken(&other, &it.id, done(1, 5)).await;
        let engine = started(&db, &world).await;
        let run = engine.execution::<publish>(id).await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), "a 5 b5");
    }

    async fn regression_a_report_that_comes_while_the_task_is_submitted_is_not_lost(db) {
        let world = World::new();
        world.closes("submitted nginx");
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        world.saw("submitted nginx").await;
        let state = run.state().await.expect("there is one");
        let it = state.flaws.task().expect("recorded before").id.clone();
        taken(&engine, &it, done(1, 3)).await;
        assert_eq!(run.status().await.expect("there is one"), Status::Running);
        world.opens();
        assert_eq!(run.outcome().await.expect("done"), "a 3 b3");
    }

    /// The process dies while it submits: it is made again, with the same id.
    async fn a_task_is_submitted_again_under_the_same_id(db) {
        let world = World::new();
        world.closes("submitted nginx");
        let engine = db.engine().await.serve(publish::with(world.clone()))
            .lease(Duration::from_millis(300)).start().await.expect("it starts");
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        world.saw("submitted nginx").await;
        let id = run.id().to_owned();
        drop((engine, run));
        world.opens();
        let engine = started(&db, &world).await;
        let run = engine.execution::<publish>(id).await.expect("it is there");
        let it = task(&run, "flaws").await;
        let submit = format!("submit {}", it.id);
        assert_eq!(world.log().iter().filter(|line| **line == submit).count(), 2);
        taken(&engine, &it.id, done(1, 3)).await;
        assert_eq!(run.outcome().await.expect("done"), "a 3 b3");
    }

    /// It dies as well, but the other side has reported: so it was submitted.
    async fn what_was_reported_is_not_submitted_again(db) {
        let world = World::new();
        world.closes("submitted nginx");
        let engine = db.engine().await.serve(publish::with(world.clone()))
            .lease(Duration::from_millis(300)).start().await.expect("it starts");
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        world.saw("submitted nginx").await;
        let state = run.state().await.expect("there is one");
        let it = state.flaws.task().expect("recorded before").id.clone();
        let id = run.id().to_owned();
        drop((engine, run));
        world.opens();
        let other = db.engine().await.start().await.expect("it starts");
        taken(&other, &it, TaskReport::running(1)).await;
        let engine = started(&db, &world).await;
        let run = engine.execution::<publish>(id).await.expect("it is there");
        assert_eq!(task(&run, "flaws").await.id, it);
        taken(&engine, &it, done(1, 3)).await;
        assert_eq!(run.outcome().await.expect("done"), "a 3 b3");
        let submits = world.log().iter().filter(|line| line.starts_with("submit ")).count();
        assert_eq!(submits, 1);
    }

    /// Every order of the reports of one sender, with each of them twice.
    async fn in_whatever_order_reports_come_the_step_ends_alike(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let sent = [
            TaskReport::new(1, TaskStatus::Scheduled),
            TaskReport::running(1),
            TaskReport::running(2),
            done(2, 7),
        ];
        for order in orders(sent.len()) {
            let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
            let it = task(&run, "flaws").await.id;
            for report in order.iter().flat_map(|at| [*at, *at]) {
                let answer = engine.report(&it, sent[report].clone()).await.expect("it is reported");
                // It may be looked at later.
                assert!(matches!(answer, Reported::Taken | Reported::Stale | Reported::Gone(Gone::Over | Gone::Ended)), "{answer:?}");
            }
            assert_eq!(run.outcome().await.expect("done"), "a 7 b7", "{order:?}");
            let state = run.state().await.expect("there is one");
            let it = state.flaws.task().expect("there is one");
            assert_eq!((it.revision, it.status), (2, TaskStatus::Done), "{order:?}");
        }
    }

    async fn a_task_that_has_failed_is_submitted_anew_as_another(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let first = task(&run, "flaws").await.id;
        taken(&engine, &first, TaskReport::failed(1, "no scanner")).await;
        let mut second = first.clone();
        wait_for("another task", async || {
            second = task(&run, "flaws").await.id;
            second != first
        }).await;
        // The first is gone, whatever is reported of it.
        for report in [TaskReport::failed(1, "no scanner"), TaskReport::running(2), done(9, 1)] {
            let answer = engine.report(&first, report).await.expect("it is reported");
            assert_eq!(answer, Reported::Gone(Gone::Unknown));
        }
        taken(&engine, &second, done(1, 4)).await;
        assert_eq!(run.outcome().await.expect("done"), "a 4 b4");
        assert_eq!(run.state().await.expect("one").flaws.attempts(), 2);
    }

    async fn a_step_fails_with_what_was_reported(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(plain::input()).await.expect("it starts");
        let it = task(&run, "it").await.id;
        taken(&engine, &it, TaskReport::failed(1, "no scanner")).await;
        let failed = failure(run.outcome().await);
        assert!(failed.to_string().contains("no scanner"), "{failed}");
        let ended = engine.report(&it, TaskReport::running(2)).await.expect("it is reported");
        assert_eq!(ended, Reported::Gone(Gone::Ended));
        // Recovered, it is another task.
        run.recover().await.expect("it failed");
        let next = task(&run, "it").await.id;
        assert_ne!(next, it);
        taken(&engine, &next, TaskReport::done(1, &()).expect("it can be saved")).await;
        run.outcome().await.expect("done");
    }

    async fn a_task_that_was_stopped_is_not_tried_again(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        taken(&engine, &it, TaskReport::stopped(1)).await;
        let failed = failure(run.outcome().await);
        assert!(failed.to_string().contains("was stopped"), "{failed}");
        assert_eq!(run.state().await.expect("one").flaws.attempts(), 1);
    }

    async fn who_reports_on_what_is_gone_is_told_so(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        let made_up: TaskId = format!("{:032x}.{}", 7, run.id()).parse().expect("an id");
        let told = |answer: Result<Reported, EngineError>| answer.expect("it is reported");
        assert_eq!(told(engine.report(&made_up, done(1, 1)).await), Reported::Gone(Gone::Unknown));
        run.undo().await.expect("it can be undone");
        is(&run, Status::Undone).await;
        assert_eq!(told(engine.report(&it, done(1, 1)).await), Reported::Gone(Gone::Ended));
        run.delete().await.expect("it has ended");
        assert_eq!(told(engine.report(&it, done(1, 1)).await), Reported::Gone(Gone::Unknown));
        // Another execution with its id is another.
        let again = engine.start(publish::input("nginx".into())).id(it.execution()).await.expect("it starts");
        task(&again, "flaws").await;
        assert_eq!(told(engine.report(&it, done(1, 1)).await), Reported::Gone(Gone::Unknown));
        let error = "x".parse::<TaskId>().expect_err("it is none").to_string();
        assert!(error.contains("no id of an external task"), "{error}");
    }

    async fn messages_about_the_progress_change_no_status(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        let tell = |revision, percent: u8| TaskReport::running(revision).check_in(&percent).expect("it can be saved");
        taken(&engine, &it, tell(1, 10)).await;
        world.saw("nginx at 10").await;
        wait_for("a note", async || {
            let state = run.state().await.expect("there is one");
            let told = state.flaws.task().and_then(|it| it.check_in.clone());
            told.is_some_and(|told| told.get() == "10") && state.flaws.status() == Status::Waiting
        }).await;
        let drawn = run.tree().await.expect("one").tree().to_string();
        assert!(drawn.contains("its task is running, told 10"), "{drawn}");
        taken(&engine, &it, tell(1, 90)).await;
        world.saw("nginx at 90").await;
        let wrong = TaskReport::running(1).check_in(&"much").expect("it can be saved");
        let error = reported_error(engine.report(&it, wrong).await);
        assert!(matches!(&error, ReportError::CheckIn { path, .. } if path == "flaws"), "{error}");
        taken(&engine, &it, done(1, 0)).await;
        run.outcome().await.expect("done");
        let told = world.log().into_iter().filter(|line| line.contains(" at "));
        assert_eq!(told.collect::<Vec<_>>(), ["nginx at 10", "nginx at 90"]);
    }

    async fn a_report_that_does_not_fit_changes_nothing(db) {
        let world = World::new();
        let engine = started(&db, &world).await;
        let run = engine.start(publish::input("nginx".into())).await.expect("it starts");
        let it = task(&run, "flaws").await.id;
        let before = run.tree().await.expect("one");
        let wrong = TaskReport::done(1, "three").expect("it can be saved");
        let error = reported_error(engine.report(&it, wrong).await).to_string();
        assert!(error.contains("`flaws` is no `u32`"), "{error}");
        let mut contradicts = TaskReport::running(1);
        contradicts.revision = 0;
        let error = reported_error(engine.report(&it, contradicts).await);
        assert!(matches!(error, ReportError::Malformed { .. }), "{error}");
        let bare = engine.start(plain::input()).await.expect("it starts");
        let other = task(&bare, "it").await.id;
        let tell = TaskReport::running(1).check_in(&1).expect("it can be saved");
        let error = reported_error(engine.report(&other, tell).await);
        assert_eq!(error, ReportError::NoCheckIns { path: "it".into() });
        assert_eq!(run.tree().await.expect("one"), before);
    }

    async fn who_waits_for_a_report_takes_no_place(db) {
        let world = World::new();
        let engine = db.engine().await.serve(publish::with(world.clone()))
            .concurrency(steps::engine::Concurrency::fixed(1)).start().await.expect("it starts");
        let mut runs = Vec::new();
        for image in ["x", "y", "z"] {
            runs.push(engine.start(publish::input(image.into())).await.expect("it starts"));
        }
        for run in &runs {
            let it = task(run, "flaws").await.id;
            taken(&engine, &it, done(1, 1)).await;
        }
        for run in &runs {
            run.outcome().await.expect("done");
        }
    }
}

/// Every order of so many numbers.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for number in 0..count {
        all = all
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, number);
                    longer
                })
            })
            .collect();
    }
    all
}
