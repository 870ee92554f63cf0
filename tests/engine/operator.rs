//! What an operator may do in each status: the guide's table, cell by cell.

use std::time::Duration;

use steps::{
    Status,
    engine::{Engine, EngineError, Handle},
};

use crate::support::{World, asks, failure, held, is, job, on_each_store};

pub(crate) const LONG: Duration = Duration::from_secs(20);
const HOUR: Duration = Duration::from_hours(1);

/// The cells of the table in the guide: the status, the call, and what comes of it.
fn table() -> Vec<(String, String, String)> {
    let guide = include_str!("../../src/guide/durable.md");
    let rows = guide
        .lines()
        .skip_while(|line| !line.starts_with("| status | `stop` |"));
    let rows: Vec<Vec<&str>> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let (head, rows) = rows.split_first().expect("the table is there");
    let mut cells = Vec::new();
    for row in &rows[1..] {
        for (calls, outcome) in head[1..].iter().zip(&row[1..]) {
            for call in calls.split(", ") {
                let call = call.trim_matches('`').to_owned();
                cells.push((row[0].to_owned(), call, (*outcome).to_owned()));
            }
        }
    }
    cells
}

/// An execution in this status.
pub(crate) async fn in_status(engine: &Engine, world: &World, status: &str, name: &str) -> Handle {
    let breaks = |what: &str| world.breaks(&format!("{what}{name}.c"));
    match status {
        "waiting" | "stopped" => {
            let run = engine
                .start(asks::input(name.into()))
                .id(name)
                .await
                .expect("it starts");
            is(&run, Status::Waiting).await;
            if status == "stopped" {
                run.stop_and_wait(LONG).await.expect("it stops");
            }
        }
        "failed" => {
            world.breaks(&format!("{name}.b"));
            let run = engine
                .start(held::input(name.into()))
                .id(name)
                .await
                .expect("it starts");
            is(&run, Status::Failed).await;
        }
        _ => {
            let start = engine.start(job::input(name.into())).id(name);
            match status {
                "pending" => drop(start.after(HOUR).await.expect("it starts")),
                "running" => {
                    world.closes(&format!("{name}.b"));
                    start.await.expect("it starts");
                    world.saw(&format!("{name}.b")).await;
                }
                "done" => drop(
                    start
                        .await
                        .expect("it starts")
                        .outcome()
                        .await
                        .expect("done"),
                ),
                "undoing" => {
                    breaks("");
                    world.closes(&format!("undo {name}.b"));
                    start.await.expect("it starts");
                    world.saw(&format!("undo {name}.b")).await;
                }
                "undone" | "stuck" => {
                    breaks("");
                    if status == "stuck" {
                        world.breaks(&format!("undo {name}.b"));
                    }
                    let run = start.await.expect("it starts");
                    is(&run, Status::from_name(status).expect("a status")).await;
                }
                other => panic!("no execution is {other}"),
            }
        }
    }
    let run = engine.get(name).await.expect("it is there");
    if Status::from_name(status).is_some_and(Status::is_final) {
        // Its last record is there, too.
        run.ended().await.expect("it has ended");
    }
    assert_eq!(run.status().await.expect("it is there").as_str(), status);
    run
}

async fn call(run: &Handle, call: &str) -> Result<(), EngineError> {
    match call {
        "stop" => run.stop().await,
        "undo" => run.undo().await,
        "recover" => run.recover().await.map(drop),
        "retry_from" => run.retry_from_path("a").await.map(drop),
        "retry_undo" => run.retry_undo().await.map(drop),
        "skip_undo" => run.skip_undo_path("b").await,
        "mark_undone" => run.mark_undone_path("b").await,
        "delete" => run.delete().await,
        "force_stop" => run.force_stop().await.map(drop),
        "force_delete" => run.force_delete().await,
        other => panic!("there is no call `{other}`"),
    }
}

async fn cell(engine: &Engine, world: &World, (status, what, outcome): &(String, String, String)) {
    let name = format!("{status} {what}");
    let run = in_status(engine, world, status, &name).await;
    let before = run.tree().await.expect("it is there");
    let result = call(&run, what).await;
    if outcome == "–" {
        let error = result.expect_err(&name).to_string();
        assert!(error.contains(&format!("`{name}`")), "{name}: {error}");
        let says_why = error.contains(status.as_str()) || error.contains("`a`");
        assert!(says_why, "{name}: {error}");
        let after = run.tree().await.expect("it is there");
        assert!(after.diff(&before).is_empty(), "{name}: it has changed");
    } else {
        result.expect(&name);
    }
    world.mends();
    world.opens();
    match outcome.as_str() {
        "–" => {
            // Those that are under way go on.
            let next = match status.as_str() {
                "running" => "done",
                "undoing" => "undone",
                other => other,
            };
            is(&run, Status::from_name(next).expect(next)).await;
        }
        "deleted" => {
            let gone = engine.get(&*name).await.expect_err(&name);
            assert!(
                matches!(gone, EngineError::Unknown { .. }),
                "{name}: {gone}"
            );
            return;
        }
        "goes on" => {
            if matches!(status.as_str(), "waiting" | "stopped") {
                is(&run, Status::Waiting).await;
                run.signal_path("answer", &1_u32).await.expect("it waits");
            }
            is(&run, Status::Done).await;
        }
        other => is(&run, Status::from_name(other).expect(other)).await,
    }
    run.force_delete().await.expect(&name);
}

on_each_store! {
    async fn claim_retry_from_each_call_in_each_status_does_what_the_guide_says(db) {
        let world = World::new();
        let engine = db
            .engine()
            .await
            .serve(job::with(world.clone()))
            .serve(asks::with(world.clone()))
            .serve(held::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let cells = table();
        let statuses = Status::ALL.into_iter().filter(|status| {
            !matches!(status, Status::Skipped | Status::UndoFailed)
        });
        assert_eq!(cells.len(), 10 * statuses.count());
        for each in &cells {
            cell(&engine, &world, each).await;
        }
    }

    async fn claim_small_who_recovers_in_a_rollback_is_not_told_to_stop_it(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = in_status(&engine, &world, "undoing", "x").await;
        let error = run.recover().await.expect_err("a worker is at it").to_string();
        assert!(error.contains("`x` is undoing"), "{error}");
        assert!(!error.contains("stop it first"), "{error}");
        world.opens();
    }

    async fn claim_retry_from_a_step_behind_one_that_was_undone_names_it(db) {
        let world = World::new();
        let engine = db.engine().await.serve(job::with(world.clone())).start().await.expect("it starts");
        let run = in_status(&engine, &world, "undone", "x").await;
        let error = run.retry_from_path("c").await.expect_err("a was undone").to_string();
        assert_eq!(
            error,
            "execution `x`: can't begin again with `c`: `a` before it was undone; begin again \
             with that, or recover the execution"
        );
        let run = engine.execution::<job>("x").await.expect("it is there");
        assert_eq!(failure(run.outcome().await).step(), Some("c"), "it is still told");

        let run = in_status(&engine, &world, "stuck", "y").await;
        let error = run.recover().await.expect_err("it is stuck").to_string();
        assert!(error.starts_with("execution `y`: can't recover: the undo of `b` failed"), "{error}");
    }

    async fn regression_what_was_not_to_begin_for_an_hour_began_when_it_was_recovered(db) {
        let world = World::new();
        let engine = db
            .engine()
            .await
            .serve(job::with(world.clone()))
            .serve(asks::with(world.clone()))
            .start()
            .await
            .expect("it starts");
        let run = engine.start(asks::input("x".into())).after(HOUR).await.expect("it starts");
        let due = run.info().await.expect("it is there").due.expect("in an hour");
        // Whatever makes it due sooner.
        run.signal(asks::STEPS.answer, &1).await.expect("it is kept");
        settles(&run, due).await;
        for undo in [false, true] {
            if undo {
                run.undo().await.expect("it has not ended");
                is(&run, Status::Undone).await;
            } else {
                assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
            }
            assert!(run.recover().await.expect("it was stopped or undone") > 0);
            settles(&run, due).await;
        }
        run.stop_and_wait(LONG).await.expect("it stops");
        run.retry_from_path("").await.expect("it is stopped");
        settles(&run, due).await;
        run.force_stop().await.expect("by force");
        run.recover().await.expect("it was stopped");
        settles(&run, due).await;
        assert!(world.log().is_empty(), "{:?}", world.log());

        // One that is due soon begins then, whatever came in between.
        let soon = engine.start(asks::input("y".into())).after(Duration::from_millis(200)).await.expect("it starts");
        soon.stop_and_wait(LONG).await.expect("it stops");
        soon.recover().await.expect("it was stopped");
        soon.signal(asks::STEPS.answer, &3).await.expect("it is kept");
        assert_eq!(soon.outcome().await.expect("done"), 3);
    }
}

/// Waits until nobody is at it, and it is due at that time.
async fn settles(run: &Handle, due: jiff::Timestamp) {
    crate::support::wait_for("its time", async || {
        let info = run.info().await.expect("it is there");
        info.worker.is_none() && info.status == Status::Pending && info.due == Some(due)
    })
    .await;
}
