//! Steps, undos and handlers that take their process with them: attempts that died are bounded, and
//! other executions get on.

use std::{sync::Arc, time::Duration};

use steps::{Engine, External, Flow, Input, RunLimits, Status, prelude::*};

use crate::support::{Db, World, act, failure, is, on_each_store};

const LEASE: Duration = Duration::from_millis(100);

#[step(retry(times = 2, every = "1ms"), deaths = 3)]
async fn parse(world: &World, name: &str) -> Result<u32, String> {
    world.act(None, name.to_owned()).await?;
    Ok(1)
}

#[undo(parse, deaths = 2)]
async fn forget(world: &World, name: &str, _: &u32) -> Result<(), String> {
    world.act(None, format!("undo {name}")).await
}

#[flow]
async fn import(world: &World, name: String) -> Result<u32, String> {
    steps! {
        first = act(cx, world, &format!("{name}.first"));
        parsed = parse(world, &format!("{name}.parsed"));
    }
    let _ = first;
    Ok(parsed)
}

#[on_done(import)]
async fn tell(world: &World, name: &String, _: &u32) -> Result<(), String> {
    world.act(None, format!("{name} is done")).await
}

#[step(deaths = 2)]
async fn book(world: &World, name: &str) -> Result<u32, String> {
    world.act(None, name.to_owned()).await?;
    Ok(1)
}

#[verify(book)]
async fn booked(world: &World, name: &str) -> Option<u32> {
    let _ = world.act(None, format!("verify {name}")).await;
    world.log().iter().any(|line| line == name).then_some(2)
}

#[step(external, deaths = 2)]
async fn scan(world: &World, name: &str) -> Result<External<u32>, String> {
    world.act(None, name.to_owned()).await?;
    Ok(External::submitted())
}

#[stop(scan)]
async fn stop_scan(world: &World, name: &str) -> Result<(), String> {
    world.act(None, format!("stop {name}")).await
}

#[flow]
async fn scans(world: &World, name: String) -> Result<u32, String> {
    steps! { flaws = scan(world, &name); }
    Ok(flaws)
}

#[flow]
async fn trip(world: &World, name: String) -> Result<u32, String> {
    steps! { booked = book(world, &name); }
    Ok(booked)
}

async fn engine(db: &Db, world: &Arc<World>) -> Engine {
    let builder = db.engine().await.lease(LEASE);
    let builder = builder.serve(import::with(world.clone()));
    let builder = builder.serve(trip::with(world.clone()));
    let builder = builder.serve(scans::with(world.clone()));
    builder.start().await.expect("it starts")
}

fn times(world: &World, what: &str) -> usize {
    world.log().iter().filter(|line| *line == what).count()
}

/// Starts an execution with this id, whose process dies where it comes to what has these words in the log.
async fn starts_and_dies<F: Flow>(
    db: &Db,
    world: &Arc<World>,
    input: Input<F>,
    id: &str,
    what: &str,
) {
    world.closes(what);
    let engine = engine(db, world).await;
    engine.start(input).id(id).await.expect("it starts");
    world.saw(what).await;
}

/// Lets the process die as often as it comes to what has these words in the log.
async fn dies_at(db: &Db, world: &Arc<World>, what: &str, deaths: usize) {
    world.closes(what);
    let before = times(world, what);
    for death in 1..=deaths {
        let engine = engine(db, world).await;
        crate::support::wait_for(what, async || times(world, what) == before + death).await;
        // Dropped, an engine stops as if its process had been killed.
        drop(engine);
    }
    world.opens();
}

on_each_store! {
    async fn poison_fails_after_its_deaths_and_is_undone(db) {
        let world = World::new();
        starts_and_dies(&db, &world, import::input("x".into()), "x", "x.parsed").await;
        dies_at(&db, &world, "x.parsed", 2).await;
        let engine = engine(&db, &world).await;
        let run = engine.execution::<import>("x").await.expect("it is there");
        let failed = failure(run.outcome().await);
        assert_eq!(failed.status(), Status::Undone);
        assert_eq!(failed.failed()[0].path, "parsed");
        assert_eq!(failed.failed()[0].error, "its process died 3 times");
        assert_eq!(times(&world, "x.parsed"), 3);
        assert_eq!(times(&world, "undo x.first"), 1);
    }

    async fn poison_of_a_step_without_a_bound_goes_by_that_of_the_engine(db) {
        let world = World::new();
        world.closes("x.first");
        let limited = async || {
            let builder = db.engine().await.lease(LEASE).limits(RunLimits::DEFAULT.deaths(1));
            let builder = builder.serve(import::with(world.clone()));
            builder.start().await.expect("it starts")
        };
        let first = limited().await;
        first.start(import::input("x".into())).id("x").await.expect("it starts");
        world.saw("x.first").await;
        drop(first);
        let engine = limited().await;
        let run = engine.execution::<import>("x").await.expect("it is there");
        let failed = failure(run.outcome().await);
        assert_eq!(failed.failed()[0].path, "first");
        assert_eq!(failed.failed()[0].error, "its process died");
        assert_eq!(times(&world, "x.first"), 1);
    }

    async fn poison_that_had_its_effect_is_done(db) {
        let world = World::new();
        starts_and_dies(&db, &world, trip::input("y".into()), "y", "y").await;
        // The process dies at its verify, too: with this the bound is reached.
        dies_at(&db, &world, "verify y", 1).await;
        let engine = engine(&db, &world).await;
        let run = engine.execution::<trip>("y").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("its effect is found"), 2);
        assert_eq!((times(&world, "y"), times(&world, "verify y")), (1, 2));
    }

    async fn poison_in_a_submission_leaves_no_task_behind(db) {
        let world = World::new();
        starts_and_dies(&db, &world, scans::input("z".into()), "z", "z").await;
        dies_at(&db, &world, "z", 1).await;
        let engine = engine(&db, &world).await;
        let run = engine.execution::<scans>("z").await.expect("it is there");
        let failed = failure(run.outcome().await);
        assert_eq!(failed.failed()[0].error, "its process died 2 times");
        assert_eq!((times(&world, "z"), times(&world, "stop z")), (2, 1));
    }

    async fn poison_in_asking_a_task_to_stop_is_not_asked_again(db) {
        let world = World::new();
        starts_and_dies(&db, &world, scans::input("z".into()), "z", "z").await;
        dies_at(&db, &world, "z", 1).await;
        dies_at(&db, &world, "stop z", 1).await;
        let engine = engine(&db, &world).await;
        let run = engine.execution::<scans>("z").await.expect("it is there");
        let failed = failure(run.outcome().await);
        assert_eq!(failed.failed()[0].error, "its process died 3 times");
        assert_eq!((times(&world, "z"), times(&world, "stop z")), (2, 1));
    }

    async fn poison_in_an_undo_is_stuck(db) {
        let world = World::new();
        let first = engine(&db, &world).await;
        let run = first.start(import::input("x".into())).id("x").await.expect("it starts");
        run.outcome().await.expect("done");
        world.closes("undo x.parsed");
        run.undo().await.expect("it is undone");
        world.saw("undo x.parsed").await;
        drop((run, first));
        dies_at(&db, &world, "undo x.parsed", 1).await;
        let engine = engine(&db, &world).await;
        let run = engine.execution::<import>("x").await.expect("it is there");
        let failed = failure(run.outcome().await);
        assert_eq!(failed.status(), Status::Stuck);
        assert_eq!(failed.undo_failed()[0].error, "its process died 2 times");
        run.retry_undo().await.expect("it is stuck");
        is(&run, Status::Undone).await;
        assert_eq!(times(&world, "undo x.parsed"), 3);
    }

    async fn poison_in_a_handler_is_given_up(db) {
        let world = World::new();
        starts_and_dies(&db, &world, import::input("x".into()), "x", "x is done").await;
        dies_at(&db, &world, "x is done", 4).await;
        let engine = engine(&db, &world).await;
        let run = engine.execution::<import>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("it is done"), 1);
        let state = run.tree().await.expect("it is there");
        assert_eq!(state.on_done_err.as_deref(), Some("its process died 5 times"));
        assert_eq!((times(&world, "x is done"), times(&world, "x.parsed")), (5, 1));
    }

    /// The healthy one needs longer than the other one takes to kill the process.
    async fn poison_does_not_take_a_healthy_execution_along(db) {
        let world = World::new();
        world.closes("bad.parsed");
        let mut deaths = 0;
        loop {
            let engine = builder_with_naps(&db, &world).await;
            let good = engine.start(naps::input()).id("good").await.expect("it starts");
            let bad = engine.start(import::input("bad".into())).id("bad").await.expect("it starts");
            let ended = async {
                bad.ended().await.expect("it is there");
                good.ended().await.expect("it is there").status
            };
            let death = crate::support::wait_for("a death", async || {
                times(&world, "bad.parsed") > deaths
            });
            tokio::select! {
                status = ended => {
                    assert_eq!(status, Status::Done);
                    assert_eq!(bad.status().await.expect("it is there"), Status::Undone);
                    break;
                }
                () = death => deaths += 1,
            }
        }
        assert_eq!(deaths, 3);
    }

    async fn a_clean_shutdown_is_no_death(db) {
        let world = World::new();
        world.closes("x.parsed");
        for shutdowns in 1..=4 {
            let engine = engine(&db, &world).await;
            engine.start(import::input("x".into())).id("x").await.expect("it starts");
            crate::support::wait_for("x.parsed", async || times(&world, "x.parsed") == shutdowns).await;
            // The step does not end within the grace, and is cut off.
            engine.shutdown(Duration::ZERO).await.expect("it shuts down");
        }
        world.opens();
        let engine = engine(&db, &world).await;
        let run = engine.execution::<import>("x").await.expect("it is there");
        assert_eq!(run.outcome().await.expect("done"), 1);
    }
}

#[step]
async fn nap() -> Result<u32, String> {
    tokio::time::sleep(4 * LEASE).await;
    Ok(1)
}

#[flow]
async fn naps() -> Result<u32, String> {
    steps! { a = nap(); }
    Ok(a)
}

async fn builder_with_naps(db: &Db, world: &Arc<World>) -> Engine {
    let builder = db.engine().await.lease(LEASE);
    let builder = builder.serve(import::with(world.clone()));
    let builder = builder.serve(naps::with());
    builder.start().await.expect("it starts")
}
