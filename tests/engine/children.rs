//! Steps that start other executions and wait for them.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use steps::{
    Status,
    engine::{Concurrency, Engine, EngineError},
    prelude::*,
};

use crate::support::{is, on_each_store, wait_for};

const LONG: Duration = Duration::from_secs(20);

/// The engine that the steps use.
#[derive(Default)]
struct Farm(OnceLock<Engine>);

impl Farm {
    fn engine(&self) -> Engine {
        self.0.get().expect("a test sets it").clone()
    }

    async fn work(&self) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits in one of the ways there are.
#[step]
async fn descend(farm: &Farm, cx: &Cx, depth: u32, how: &str) -> Result<u32, String> {
    farm.work().await;
    if depth == 0 {
        return Ok(0);
    }
    let id = format!("{} {}", cx.idempotency_key(), depth - 1);
    let engine = farm.engine();
    let child = engine.start(family::input(depth - 1, how.to_owned()));
    let child = child.id(id).await.map_err(|error| error.to_string())?;
    match how {
        "watch" => {
            let mut states = child.watch();
            while let Some(state) = states.next().await {
                state.map_err(|error| error.to_string())?;
            }
        }
        "ended" => {
            child.ended().await.map_err(|error| error.to_string())?;
        }
        "given up" => {
            // The place is taken again, too, where the wait is dropped.
            let _ = tokio::time::timeout(Duration::from_millis(1), child.ended()).await;
        }
        _ => {}
    }
    let below = child.outcome().await.map_err(|error| error.to_string())?;
    farm.work().await;
    Ok(below + 1)
}

#[flow]
async fn family(farm: &Farm, depth: u32, how: String) -> Result<u32, String> {
    steps! {
        both = parallel {
            a = descend(farm, cx, depth, &how);
            b = descend(farm, cx, depth, &how);
        }
    }
    Ok(both.a.max(both.b))
}

#[flow]
async fn orphan() -> Result<u32, String> {
    steps! { answer = steps::signal::<u32>(); }
    Ok(answer)
}

#[step]
async fn sits(farm: &Farm) -> Result<u32, String> {
    let child = farm.engine().start(orphan::input()).id("orphan").await;
    let child = child.map_err(|error| error.to_string())?;
    let outcome = child.outcome().await;
    if let Err(error @ EngineError::WaitCalledOff { .. }) = &outcome {
        assert_eq!(
            error.to_string(),
            "execution `orphan` is not waited for any longer: the execution that waits must stop"
        );
    }
    outcome.map_err(|error| error.to_string())
}

#[flow]
async fn sitter(farm: &Farm) -> Result<u32, String> {
    steps! { it = sits(farm); }
    Ok(it)
}

#[flow]
async fn waits_at_the_end(farm: &Farm) -> Result<u32, String> {
    steps! { it = steps::sleep(Duration::ZERO); }
    let () = it;
    let child = farm.engine().start(orphan::input()).id("late orphan").await;
    let child = child.map_err(|error| error.to_string())?;
    child.outcome().await.map_err(|error| error.to_string())
}

on_each_store! {
    async fn the_code_after_the_steps_is_not_made_to_fail_by_a_stop(db) {
        let farm = Arc::new(Farm::default());
        let engine = db.engine().await.concurrency(Concurrency::fixed(1));
        let engine = engine.serve(waits_at_the_end::with(Arc::clone(&farm))).serve(orphan::with());
        let engine = engine.start().await.expect("it starts");
        farm.0.set(engine.clone()).ok();
        let run = engine.start(waits_at_the_end::input()).await.expect("it starts");
        wait_for("the child", async || engine.get("late orphan").await.is_ok()).await;
        let child = engine.get("late orphan").await.expect("it is there");
        is(&child, Status::Waiting).await;
        run.stop().await.expect("it is sent");
        child.signal_path("answer", &5).await.expect("it is sent");
        assert_eq!(run.outcome().await.expect("done"), 5);
    }

    async fn child_deadlock(db) {
        for (how, own_bound) in [
            ("outcome", false), ("ended", false), ("watch", false), ("given up", false), ("outcome", true),
        ] {
            let farm = Arc::new(Farm::default());
            let family_of = family::with(Arc::clone(&farm));
            let family_of = if own_bound { family_of.concurrency(1) } else { family_of };
            let bound = Concurrency::fixed(if own_bound { 8 } else { 1 });
            let engine = db.engine().await.concurrency(bound).serve(family_of);
            let engine = engine.start().await.expect("it starts");
            farm.0.set(engine.clone()).ok();
            // Parents of parents, and more of them than there are places.
            let mut runs = Vec::new();
            for _ in 0..3 {
                let run = engine.start(family::input(2, how.to_owned())).await;
                runs.push(run.expect("it starts"));
            }
            for run in runs {
                let outcome = tokio::time::timeout(LONG, run.outcome()).await;
                assert_eq!(outcome.expect("it ends").expect("done"), 2, "{how}");
            }
            engine.shutdown(LONG).await.expect("it shuts down");
        }
    }

    async fn child_deadlock_stop(db) {
        let farm = Arc::new(Farm::default());
        let engine = db.engine().await.concurrency(Concurrency::fixed(1));
        let engine = engine.serve(sitter::with(Arc::clone(&farm))).serve(orphan::with());
        let engine = engine.start().await.expect("it starts");
        farm.0.set(engine.clone()).ok();
        let run = engine.start(sitter::input()).await.expect("it starts");
        wait_for("the child", async || engine.get("orphan").await.is_ok()).await;
        let child = engine.get("orphan").await.expect("it is there");
        is(&child, Status::Waiting).await;
        assert_eq!(run.stop_and_wait(LONG).await.expect("it stops"), Status::Stopped);
        let state = run.state().await.expect("it is there");
        assert_eq!(state.it.error(), None);

        // The child goes on, and so does the parent.
        run.recover().await.expect("it goes on");
        child.signal_path("answer", &5).await.expect("it is sent");
        assert_eq!(run.outcome().await.expect("done"), 5);
    }

    async fn a_parent_that_waits_is_left_to_the_next_process_at_a_shutdown(db) {
        let farm = Arc::new(Farm::default());
        let build = async || {
            let engine = db.engine().await.serve(sitter::with(Arc::clone(&farm)));
            engine.serve(orphan::with()).start().await.expect("it starts")
        };
        let engine = build().await;
        farm.0.set(engine.clone()).ok();
        let run = engine.start(sitter::input()).id("parent").await.expect("it starts");
        wait_for("the child", async || engine.get("orphan").await.is_ok()).await;
        let child = engine.get("orphan").await.expect("it is there");
        is(&child, Status::Waiting).await;
        drop(run);
        engine.shutdown(LONG).await.expect("it shuts down");
        let other = db.engine().await.start().await.expect("it starts");
        let info = other.get("parent").await.expect("it is there").info().await;
        let info = info.expect("it is there");
        assert!(info.due.is_some() && info.status != Status::Undone, "{info:?}");
    }
}
