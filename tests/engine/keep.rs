//! `loop keep n` on an engine: rows of rounds that were let go are deleted, in each store.

use std::{sync::Arc, time::Duration};

use steps::{
    Status,
    engine::{Engine, EngineError},
    prelude::*,
};

use crate::{
    between::{Between, Counts},
    support::{Db, World, act, failure, is, on_each_store, wait_for},
};

/// Milliseconds: longer than a turn waits for itself.
const PAUSE: u64 = 25;

#[flow]
async fn beats(world: &World, pause: u64) -> Result<(), String> {
    steps! {
        first = act(cx, world, "first");
        beat = loop keep 4 {
            n     = act(cx, world, &(prev.map_or(0, |prev| prev.n.parse::<usize>().unwrap()) + 1).to_string());
            odd   = if n.ends_with('5') { told = act(cx, world, &format!("{n} is odd")); }
            pause = steps::sleep(Duration::from_millis(pause));
        }
    }
    let _ = (first, beat);
    Ok(())
}

#[flow]
async fn votes() -> Result<u32, String> {
    steps! {
        beat = loop keep 1 {
            vote = steps::signal::<u32>();
            let sum: u32 = prev.map_or(0, |prev| prev.sum) + vote;
        } until vote == 0;
    }
    Ok(beat.sum)
}

async fn engine(db: &Db, world: &Arc<World>) -> (Engine, Arc<Counts>) {
    let counts = Arc::default();
    let store = Between::counting(db.store().await, &counts);
    let engine = Engine::with_store(store).serve(beats::with(Arc::clone(world)));
    (engine.start().await.unwrap(), counts)
}

fn undone(world: &World) -> Vec<String> {
    let log = world.log().into_iter();
    log.filter(|line| line.starts_with("undo ")).collect()
}

on_each_store! {
    /// What an execution that never ends has in the store, and what is read when it wakes.
    async fn keep_rows_do_not_grow_with_the_rounds(db) {
        let world = World::new();
        let (one, counts) = engine(&db, &world).await;
        let run = one.start(beats::input(PAUSE)).id("b").await.unwrap();
        world.saw("40").await;
        // The root, two lines, and five rounds of at most five nodes.
        let most = 3 + 5 * 5;
        let claimed = counts.claimed.lock().unwrap().clone();
        assert!(claimed.len() > 30 && claimed.iter().all(|rows| *rows <= most), "{claimed:?}");
        is(&run, Status::Waiting).await;
        assert!(run.tree().await.unwrap().walk().count() <= most);
        one.shutdown(Duration::from_secs(10)).await.unwrap();

        // In another process, with all that the store has.
        let (two, _) = engine(&db, &world).await;
        world.saw("45").await;
        let run = two.execution::<beats>("b").await.unwrap();
        let error = run.undo().await.unwrap_err();
        assert!(matches!(&error, EngineError::PastPivot { pivot, .. } if pivot == "beat"), "{error}");
        run.stop_and_wait(Duration::from_secs(10)).await.unwrap();
        let mut acts = world.log();
        let all = acts.len();
        acts.sort();
        acts.dedup();
        assert_eq!(acts.len(), all, "each once");
        let tree = run.tree().await.unwrap();
        let rounds = &tree.get("beat").unwrap().states;
        assert!((4..=5).contains(&rounds.len()), "{}", rounds.len());
        run.recover().await.unwrap();
        let next = rounds.last().unwrap().name.parse::<usize>().unwrap() + 2;
        world.saw(&next.to_string()).await;
        run.stop_and_wait(Duration::from_secs(10)).await.unwrap();
    }

    /// The numbers of rounds count on, and a round that was let go is done.
    async fn keep_a_round_that_was_let_go_takes_no_signal(db) {
        let engine = db.engine().await.serve(votes::with()).start().await.unwrap();
        let run = engine.start(votes::input()).await.unwrap();
        for _ in 0..5 {
            run.signal(votes::STEPS.beat.vote.any(), &1).await.unwrap();
        }
        wait_for("the sixth round", async || {
            let tree = run.tree().await.unwrap();
            tree.get("beat").is_some_and(|beat| beat.states.last().is_some_and(|last| last.name == "6"))
        })
        .await;
        is(&run, Status::Waiting).await;
        for (round, why) in [("1", "`beat.1` is done"), ("7", "`beat` has had 6 rounds so far")] {
            let error = run.signal(votes::STEPS.beat.vote.at(round), &1).await.unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        run.signal(votes::STEPS.beat.vote.at("6"), &0).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), 5);
    }

    /// In one turn, which never waits for long.
    async fn keep_a_failure_undoes_what_is_recorded(db) {
        let world = World::new();
        world.breaks("30");
        let (engine, _) = engine(&db, &world).await;
        let run = engine.start(beats::input(0)).await.unwrap();
        let failed = failure(run.outcome().await);
        assert_eq!((failed.step(), failed.status()), (Some("beat.30.n"), Status::Undone));
        let rounds = &failed.state.get("beat").unwrap().states;
        assert_eq!((rounds.len(), &*rounds[0].name), (5, "26"));
        assert_eq!(undone(&world), ["undo 29", "undo 28", "undo 27"]);
        let tree = run.tree().await.unwrap();
        assert_eq!(tree.get("beat").unwrap().states.len(), 5);
        engine.check().await.unwrap();
    }
}
