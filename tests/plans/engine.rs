//! Plans on an engine and each store.

use std::{sync::Arc, time::Duration};

use steps::{
    Plan, Status,
    engine::{Engine, EngineError, Handle},
};

use crate::{
    stores::{Db, on_each_store},
    support::{Volume, World, notes, provision, spec, usual},
    waits::gated,
};

async fn started(db: &Db, world: &Arc<World>) -> Engine {
    let engine = db.engine().await.serve(provision::with(world.clone()));
    let engine = engine.serve(gated::with(world.clone()));
    engine.start().await.expect("it starts")
}

async fn is(execution: &Handle, status: Status) {
    for _ in 0..4000 {
        if execution.status().await.expect("it is there") == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it is not {status}");
}

/// A volume, then somebody's word, then what is done at their word.
fn asking() -> Plan<gated> {
    let mut plan = gated::plan();
    let disk = plan.step("disk", gated::create_volume(spec(3)));
    plan.parallel("word", |word| {
        word.step("go", gated::go());
        word.step("beside", gated::create_volume(spec(4)));
    });
    plan.step("link", gated::attach(disk.at("/id"), "vm"));
    plan.build().expect("it is one")
}

on_each_store! {
    async fn a_plan_runs_to_its_end(db) {
        let world = Arc::new(World::default());
        let engine = started(&db, &world).await;
        let run = engine.start(provision::input(usual())).id("a").await.expect("it starts");
        let outputs = run.outcome().await.expect("it is done");
        assert_eq!(outputs.get::<u32>("report").unwrap(), Some(10));
        assert_eq!(world.log().len(), 4);
        let state = run.state().await.expect("there is one");
        assert_eq!(state.output::<Volume>("disk").unwrap().unwrap().gb, 10);
        // Whoever starts it again gets the same, as long as the plan is the same.
        let again = engine.start(provision::input(usual())).id("a").await.expect("it is there");
        assert_eq!(again.outcome().await.expect("it is done"), outputs);
        let other = engine.start(provision::input(notes(&["a"]))).id("a").await;
        assert!(matches!(other, Err(EngineError::OtherInput { .. })), "{other:?}");
    }

    async fn a_plan_is_rolled_back(db) {
        let world = Arc::new(World::default());
        world.fail("report vol-disk [\"x\"] vm-a/vol-disk");
        let engine = started(&db, &world).await;
        let run = engine.start(provision::input(usual())).await.expect("it starts");
        run.outcome().await.expect_err("it fails");
        assert_eq!(run.status().await.unwrap(), Status::Undone);
        assert_eq!(world.log().last().map(String::as_str), Some("delete vol-disk"));
        assert_eq!(world.log().len(), 6);
    }

    async fn another_process_takes_a_plan_up_and_needs_nothing_else(db) {
        let world = Arc::new(World::default());
        let engine = started(&db, &world).await;
        let run = engine.start(gated::input(asking())).id("a").await.expect("it starts");
        is(&run, Status::Waiting).await;
        engine.shutdown(Duration::from_secs(10)).await.expect("it ends");
        drop(run);

        let engine = started(&db, &world).await;
        let run = engine.execution::<gated>("a").await.expect("it is there");
        let go = asking().signal_ref::<bool>("word.go").expect("it is one");
        run.signal(go, &true).await.expect("it waits");
        let outputs = run.outcome().await.expect("it is done");
        assert_eq!(outputs.get::<String>("link").unwrap().as_deref(), Some("vm/vol-disk"));
        assert_eq!(world.log(), ["create vol-disk", "create vol-beside", "attach vol-disk to vm"]);
    }

    async fn a_plan_that_is_done_is_undone_on_request(db) {
        let world = Arc::new(World::default());
        let engine = started(&db, &world).await;
        let run = engine.start(provision::input(usual())).await.expect("it starts");
        run.outcome().await.expect("it is done");
        world.take_log();
        run.undo().await.expect("it is asked");
        is(&run, Status::Undone).await;
        let log = world.log();
        assert_eq!(log.len(), 3, "{log:?}");
        assert_eq!(log[2], "delete vol-disk");
    }

    async fn a_plan_that_waits_is_stopped_and_undone(db) {
        let world = Arc::new(World::default());
        let engine = started(&db, &world).await;
        let run = engine.start(gated::input(asking())).await.expect("it starts");
        is(&run, Status::Waiting).await;
        run.stop().await.expect("it is asked");
        is(&run, Status::Stopped).await;
        run.undo().await.expect("it is asked");
        is(&run, Status::Undone).await;
        assert_eq!(
            world.log(),
            ["create vol-disk", "create vol-beside", "delete vol-beside", "delete vol-disk"]
        );
    }

    async fn a_pivot_that_is_done_refuses_an_undo(db) {
        let world = Arc::new(World::default());
        let engine = started(&db, &world).await;
        let mut plan = provision::plan();
        plan.step("a", provision::note("a"));
        plan.pivot("live", provision::note("live"));
        let run = engine.start(provision::input(plan.build().unwrap())).await.expect("it starts");
        run.outcome().await.expect("it is done");
        run.undo().await.expect_err("it is past its pivot");
        assert_eq!(world.log(), ["a", "live"]);
        // One without a pivot is not refused.
        let run = engine.start(provision::input(notes(&["b"]))).await.expect("it starts");
        run.outcome().await.expect("it is done");
        run.undo().await.expect("it is asked");
        is(&run, Status::Undone).await;
    }
}
