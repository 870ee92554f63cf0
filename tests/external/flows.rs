//! The flows with external tasks of these tests, and what is asked of them.

use std::sync::Arc;

use steps::{
    External, ReportError, Reported, Status, Task, TaskId, TaskReport,
    engine::{Engine, EngineError, Handle},
    prelude::*,
};

use crate::support::{Db, World, act, wait_for};

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
pub(crate) async fn publish(world: &World, image: String) -> Result<String, String> {
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
pub(crate) async fn plain(world: &World) -> Result<(), String> {
    steps! { it = bare(world, cx); }
    let () = it;
    Ok(())
}

#[flow]
pub(crate) async fn many(world: &World) -> Result<Vec<u32>, String> {
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
pub(crate) async fn raced(world: &World, image: String) -> Result<u32, String> {
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
pub(crate) async fn soon(world: &World, image: String) -> Result<u32, String> {
    steps! {
        #[deadline("200ms")]
        flaws = scan(world, &image, cx);
    }
    Ok(flaws)
}

/// The task of the step at this path, once it was submitted.
pub(crate) async fn task(execution: &Handle, path: &str) -> Task {
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

pub(crate) async fn started(db: &Db, world: &Arc<World>) -> Engine {
    let engine = db.engine().await.serve(publish::with(world.clone()));
    let engine = engine
        .serve(plain::with(world.clone()))
        .serve(many::with(world.clone()));
    let engine = engine
        .serve(raced::with(world.clone()))
        .serve(soon::with(world.clone()));
    engine.start().await.expect("it starts")
}

pub(crate) fn reported_error(answer: Result<Reported, EngineError>) -> ReportError {
    match answer {
        Err(EngineError::Report { error, .. }) => error,
        other => panic!("it is refused, and was not: {other:?}"),
    }
}

pub(crate) async fn taken(engine: &Engine, task: &TaskId, report: TaskReport) {
    let answer = engine.report(task, report).await.expect("it is reported");
    assert_eq!(answer, Reported::Taken);
}

pub(crate) fn done(revision: u64, flaws: u32) -> TaskReport {
    TaskReport::done(revision, &flaws).expect("it can be saved")
}
