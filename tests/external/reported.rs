//! External tasks: somebody else runs them and reports, as often and in whatever order.

use std::{sync::Arc, time::Duration};

use steps::{
    External, Gone, ReportError, Reported, Status, Task, TaskId, TaskReport, TaskStatus,
    engine::{Engine, EngineError, Handle},
    prelude::*,
};

use crate::support::{Db, World, act, failure, is, on_each_store, wait_for};

#[step(external, retry(times = 2, every = "1ms"))]
async fn scan(world: &World, image: &str, cx: &Cx) -> Result<External<u32>, String> {
    world.act(None, format!("submit {}", cx.task_id())).await?;
    world.act(Some(cx), format!("submitted {image}")).await?;
    Ok(External::submitted())
}

#[undo(scan)]
async fn forget(world: &World, image: &str, _cx: &Cx, flaws: &u32) -> Result<(), String> {
    world.act(None, format!("forget {flaws} of {image}")).await
}

#[stop(scan)]
async fn stop_scan(world: &World, image: &str, cx: &Cx) -> Result<(), String> {
    world
        .act(None, format!("stop {image} {}", cx.task_id()))
        .await
}

#[on_check_in(scan)]
async fn progress(world: &World, image: &str, _cx: &Cx, percent: &u8) {
    let _ = world.act(None, format!("{image} at {percent}")).await;
}

#[flow]
async fn publish(world: &World, image: String) -> Result<String, String> {
    steps! {
        a     = act(cx, world, "a");
        flaws = scan(world, &image, cx);
        b     = act(cx, world, &format!("b{flaws}"));
    }
    Ok(format!("{a} {flaws} {b}"))
}

/// Neither stopped nor told of progress.
#[step(external)]
async fn bare(world: &World, cx: &Cx) -> Result<External<()>, String> {
    world.act(Some(cx), "bare".to_owned()).await?;
    Ok(External::submitted())
}

#[flow(on_failure = "hold")]
async fn plain(world: &World) -> Result<(), String> {
    steps! { it = bare(world, cx); }
    let () = it;
    Ok(())
}

#[flow]
async fn many(world: &World) -> Result<Vec<u32>, String> {
    steps! {
        a = act(cx, world, "a");
        each = for image in ["x", "y"] by image parallel {
            flaws = scan(world, image, cx);
        }
        alone = if a == "a" { last = scan(world, "z", cx); }
    }
    let alone = alone.map_or(0, |it| it.last);
    Ok(each.iter().map(|it| it.flaws).chain([alone]).collect())
}

#[flow]
async fn raced(world: &World, image: String) -> Result<u32, String> {
    steps! {
        first = race {
            flaws = scan(world, &image, cx);
            told  = steps::signal::<u32>();
        }
    }
    Ok(match first {
        RacedFirst::Flaws(flaws) => flaws,
        RacedFirst::Told(told) => told,
    })
}

#[flow]
async fn soon(world: &World, image: String) -> Result<u32, String> {
    steps! {
        #[deadline("200ms")]
        flaws = scan(world, &image, cx);
    }
    Ok(flaws)
}

/// The task of the step at this path, once it was submitted.
async fn task(execution: &Handle, path: &str) -> Task {
    let mut found = None;
    wait_for("a task", async || {
        let tree = execution.tree().await.expect("there is one");
        let node = tree.get(path).filter(|node| node.status == Status::Waiting);
        found = node.and_then(|node| node.task.as_deref().cloned());
        found.is_some()
    })
    .await;
    found.expect("it was found")
}

async fn started(db: &Db, world: &Arc<World>) -> Engine {
    let engine = db.engine().await.serve(publish::with(world.clone()));
    let engine = engine
        .serve(plain::with(world.clone()))
        .serve(many::with(world.clone()));
    let engine = engine
        .serve(raced::with(world.clone()))
        .serve(soon::with(world.clone()));
    engine.start().await.expect("it starts")
}

fn reported_error(answer: Result<Reported, EngineError>) -> ReportError {
    match answer {
        Err(EngineError::Report { error, .. }) => error,
        other => panic!("it is refused, and was not: {other:?}"),
    }
}

async fn taken(engine: &Engine, task: &TaskId, report: TaskReport) {
    let answer = engine.report(task, report).await.expect("it is reported");
    assert_eq!(answer, Reported::Taken);
}

fn done(revision: u64, flaws: u32) -> TaskReport {
    TaskReport::done(revision, &flaws).expect("it can be saved")
}

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
