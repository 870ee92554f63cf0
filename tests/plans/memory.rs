//! Plans in memory: to their end, one pass at a time, and on from a saved state.

use steps::{Cause, Plan, State, Status, compat::Misfit, prelude::*};

use crate::support::{Volume, World, notes, provision, spec, usual};

#[tokio::test]
async fn a_plan_runs_and_gives_the_outputs_of_its_steps() {
    let world = World::default();
    let outputs = provision(&world, usual()).await.unwrap();
    let log = world.log();
    assert_eq!(log[0], "create vol-disk");
    let mut links = log[1..3].to_vec();
    links.sort();
    assert_eq!(
        links,
        ["attach vol-disk to vm-a", "attach vol-disk to vm-b"]
    );
    assert_eq!(log[3..], ["report vol-disk [\"x\"] vm-a/vol-disk"]);

    let disk: Volume = outputs.get("disk").unwrap().unwrap();
    assert_eq!((&*disk.id, disk.gb), ("vol-disk", 10));
    let link: Option<String> = outputs.get("links.b").unwrap();
    assert_eq!(link.as_deref(), Some("vm-b/vol-disk"));
    assert_eq!(outputs.get::<u32>("report").unwrap(), Some(10));
    assert_eq!(outputs.get::<u32>("links").unwrap(), None);
    outputs.get::<u32>("disk").unwrap_err();
    let paths: Vec<&str> = outputs.iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["disk", "links.a", "links.b", "report"]);
    assert_eq!(outputs.json("report").unwrap().get(), "10");
}

#[tokio::test]
async fn the_same_is_read_from_json() {
    let world = World::default();
    let plan = Plan::<provision>::from_json(
        r#"{
            "steps": [
                {"name": "disk", "step": "create_volume", "args": {"spec": {"gb": 10}}},
                {"name": "links", "parallel": [
                    {"name": "a", "step": "attach", "args": {"vm": "vm-a"}, "from": {"volume": {"step": "disk", "at": "/id"}}},
                    {"name": "b", "step": "attach", "args": {"vm": "vm-b"}, "from": {"volume": {"step": "disk", "at": "/id"}}}
                ]},
                {"step": "report", "args": {"links": ["x"]}, "from": {"volume": "disk", "note": "links.a"}}
            ]
        }"#,
    );
    let plan = plan.unwrap();
    assert_eq!(plan, usual());
    let outputs = provision(&world, plan).await.unwrap();
    assert_eq!(outputs.get::<u32>("report").unwrap(), Some(10));
    assert_eq!(world.log().len(), 4);
}

#[tokio::test]
async fn a_plan_gives_only_what_it_was_asked_for() {
    let world = World::default();
    let mut plan = provision::plan();
    plan.step("big", provision::create_volume(spec(1)));
    let small = plan.step("small", provision::create_volume(spec(2)));
    plan.gives(&small);
    let plan = plan.build().unwrap();
    let again = Plan::<provision>::from_json(&plan.to_json()).unwrap();
    assert_eq!(again, plan);
    let outputs = provision(&world, again).await.unwrap();
    let paths: Vec<&str> = outputs.iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["small"]);
}

#[tokio::test]
async fn a_plan_without_steps_is_done() {
    let world = World::default();
    let outputs = provision(&world, provision::plan().build().unwrap()).await;
    assert_eq!(outputs.unwrap().iter().count(), 0);
    let mut plan = provision::plan();
    plan.parallel("nothing", |_| ());
    plan.in_order("nothing either", |_| ());
    provision(&world, plan.build().unwrap()).await.unwrap();
    assert_eq!(world.log(), [""; 0]);
}

#[tokio::test]
async fn a_group_with_a_limit_runs_so_many_at_once() {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    #[derive(Default)]
    struct Counts {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    #[step]
    async fn busy(counts: &Counts) -> Result<(), String> {
        let now = counts.now.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        counts.now.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    #[plan]
    async fn work(counts: &Counts) {
        steps! { busy(counts); }
    }

    for (at_once, most) in [(1, 1), (3, 3), (usize::MAX, 9)] {
        let counts = Arc::new(Counts::default());
        let mut plan = work::plan();
        plan.parallel_at_most("all", at_once, |all| {
            for n in 0..9 {
                all.step(n.to_string(), work::busy());
            }
        });
        let plan = Plan::<work>::from_json(&plan.build().unwrap().to_json()).unwrap();
        work(&counts, plan).await.unwrap();
        assert_eq!(counts.most.load(Ordering::SeqCst), most, "{at_once}");
    }
}

#[tokio::test]
async fn a_failure_names_the_step_and_a_recovered_plan_goes_on_from_it() {
    #[plan(on_failure = "hold")]
    async fn careful(world: &World) {
        steps! { crate::support::note(world, text: &str); }
    }

    let world = World::default();
    let mut plan = careful::plan();
    for name in ["a", "b", "c"] {
        plan.step(name, careful::note(name));
    }
    world.fail("b");
    let failure = careful(&world, plan.build().unwrap()).await.unwrap_err();
    assert_eq!(failure.step(), Some("plan.b.runs.note"));
    assert_eq!(
        failure.to_string(),
        "flow `careful` failed at `plan.b.runs.note`: no b"
    );
    assert_eq!(world.take_log(), ["a"]);

    world.mend();
    let mut state = State::from_json(&failure.state.to_json()).unwrap();
    state.recover().unwrap();
    // The plan is in the state.
    careful::resume(&world, state).unwrap().await.unwrap();
    assert_eq!(world.log(), ["b", "c"]);
}

#[tokio::test]
async fn a_state_that_went_through_json_goes_on_with_the_values_it_has() {
    let world = World::default();
    let plan = {
        let mut plan = crate::waits::gated::plan();
        let disk = plan.step("disk", crate::waits::gated::create_volume(spec(3)));
        plan.step("go", crate::waits::gated::go());
        plan.step("link", crate::waits::gated::attach(disk.at("/id"), "vm"));
        plan.build().unwrap()
    };
    let pass = crate::waits::gated(&world, plan.clone())
        .advance()
        .await
        .unwrap();
    assert_eq!(world.take_log(), ["create vol-disk"]);
    let mut state: crate::waits::GatedState = serde_json::from_str(&pass.state.to_json()).unwrap();
    assert_eq!(state.execution_status(), Status::Waiting);
    state.signal(plan.signal_ref("go").unwrap(), &true).unwrap();
    let outputs = crate::waits::gated::resume(&world, state)
        .unwrap()
        .await
        .unwrap();
    assert_eq!(world.log(), ["attach vol-disk to vm"]);
    assert_eq!(
        outputs.get::<String>("link").unwrap().as_deref(),
        Some("vm/vol-disk")
    );
}

#[tokio::test]
async fn a_plan_that_was_begun_is_not_taken_for_another() {
    let world = World::default();
    world.fail("b");
    let failure = provision(&world, notes(&["a", "b"])).await.unwrap_err();
    let state = State::clone(&failure.state);
    let other = notes(&["a", "c"]);
    let refused = provision(&world, other).resume(state).await.unwrap_err();
    assert!(
        matches!(refused.cause, Cause::Misfit(Misfit::OtherInput { .. })),
        "{refused}"
    );
}

#[tokio::test]
async fn an_argument_that_is_not_there_fails_the_step_that_takes_it() {
    let world = World::default();
    for (at, why) in [
        (
            "/name",
            "its argument `volume`, from `disk`, at `/name`: its output has nothing there: it has `/gb`, `/id`",
        ),
        (
            "/gb",
            "its argument `volume`, from `disk`, at `/gb`: invalid type: integer `10`, expected a string",
        ),
    ] {
        let mut plan = provision::plan();
        let disk = plan.step("disk", provision::create_volume(spec(10)));
        plan.step("link", provision::attach(disk.at(at), "vm"));
        let failure = provision(&world, plan.build().unwrap()).await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            format!(
                "flow `provision` failed at `plan.link.runs.attach`: {why} (what had been done was undone)"
            )
        );
        assert_eq!(world.take_log(), ["create vol-disk", "delete vol-disk"]);
    }
}
