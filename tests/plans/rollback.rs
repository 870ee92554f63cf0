//! What is taken back, and in which order.

use steps::{Cause, Plan, State, Status};

use crate::support::{World, notes, provision, spec, usual};

#[tokio::test]
async fn steps_in_order_are_undone_from_the_last_to_the_first() {
    let world = World::default();
    world.fail("d");
    let failure = provision(&world, notes(&["a", "b", "c", "d"]))
        .await
        .unwrap_err();
    assert_eq!(failure.state.status, Status::Undone);
    assert_eq!(world.log(), ["a", "b", "c", "undo c", "undo b", "undo a"]);
}

#[tokio::test]
async fn steps_that_ran_at_once_are_undone_before_what_came_before_them() {
    let world = World::default();
    world.fail("report vol-disk [\"x\"] vm-a/vol-disk");
    let failure = provision(&world, usual()).await.unwrap_err();
    assert_eq!(failure.state.status, Status::Undone);
    let log = world.log();
    assert_eq!(log.len(), 6, "{log:?}");
    let mut links = log[3..5].to_vec();
    links.sort();
    assert_eq!(
        links,
        ["detach vol-disk from vm-a", "detach vol-disk from vm-b"]
    );
    assert_eq!(log[5], "delete vol-disk");
}

/// A group within a group within a group, in order, at once, and in order.
fn nested() -> Plan<provision> {
    let mut plan = provision::plan();
    plan.step("a", provision::note("a"));
    plan.parallel("p", |p| {
        p.in_order("q", |q| {
            q.step("b", provision::note("b"));
            q.step("c", provision::note("c"));
        });
        p.in_order("r", |r| {
            r.step("d", provision::note("d"));
            r.in_order("s", |s| {
                s.step("e", provision::note("e"));
                s.step("f", provision::note("f"));
            });
        });
    });
    plan.step("g", provision::note("g"));
    plan.build().unwrap()
}

#[tokio::test]
async fn each_group_is_undone_in_its_own_order() {
    let world = World::default();
    world.fail("g");
    provision(&world, nested()).await.unwrap_err();
    let log = world.log();
    let at = |what: &str| log.iter().position(|it| it == what).expect(what);
    assert_eq!(log.len(), 12, "{log:?}");
    for (first, then) in [("c", "b"), ("f", "e"), ("e", "d"), ("b", "a"), ("d", "a")] {
        assert!(
            at(&format!("undo {first}")) < at(&format!("undo {then}")),
            "{log:?}"
        );
    }
    assert_eq!(log[11], "undo a");
}

#[tokio::test]
async fn what_ran_beside_a_failure_is_undone_too() {
    let world = World::default();
    world.fail("e");
    let failure = provision(&world, nested()).await.unwrap_err();
    assert_eq!(
        failure.step(),
        Some("plan.p.runs.group.r.runs.group.s.runs.group.e.runs.note")
    );
    let log = world.log();
    let done: Vec<_> = log.iter().filter(|it| !it.starts_with("undo")).collect();
    for did in done {
        assert!(log.contains(&format!("undo {did}")), "{log:?}");
    }
}

#[tokio::test]
async fn a_plan_that_is_done_can_be_undone() {
    let world = World::default();
    let (_, state) = provision(&world, usual()).with_state().await.unwrap();
    world.take_log();
    // As another process would.
    let state = State::from_json(&state.to_json()).unwrap();
    let run = provision::resume(&world, state).unwrap();
    let failure = run.undo().await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Undone), "{failure}");
    let log = world.log();
    assert_eq!(log.len(), 3, "{log:?}");
    assert_eq!(log[2], "delete vol-disk");
}

#[tokio::test]
async fn the_failure_of_an_optional_step_is_passed_over() {
    for fails in [false, true] {
        let world = World::default();
        if fails {
            world.fail("create vol-scratch");
        }
        let mut plan = provision::plan();
        let disk = plan.step("disk", provision::create_volume(spec(1)));
        let scratch = plan.optional("scratch", provision::create_volume(spec(2)));
        plan.step(
            "report",
            provision::report(&disk, Vec::new(), scratch.at("/id")),
        );
        let plan = plan.build().unwrap();
        let plan = Plan::<provision>::from_json(&plan.to_json()).unwrap();
        let outputs = provision(&world, plan).await.unwrap();
        let there = outputs.json("scratch").is_some();
        assert_eq!(there, !fails);
        let note = if fails { "-" } else { "vol-scratch" };
        assert_eq!(
            world.log().last().unwrap(),
            &format!("report vol-disk [] {note}")
        );
    }
}

#[tokio::test]
async fn nothing_before_a_pivot_is_undone() {
    let world = World::default();
    world.fail("d");
    let mut plan = provision::plan();
    plan.step("a", provision::note("a"));
    plan.in_order("group", |group| {
        group.step("b", provision::note("b"));
        group.pivot("live", provision::note("live"));
        group.step("c", provision::note("c"));
    });
    plan.step("d", provision::note("d"));
    let plan = Plan::<provision>::from_json(&plan.build().unwrap().to_json()).unwrap();
    assert!(
        plan.steps()
            .any(|step| step.path == "group.live" && step.pivot)
    );
    provision(&world, plan).await.unwrap_err();
    assert_eq!(world.log(), ["a", "b", "live", "c", "undo c"]);
}

#[tokio::test]
async fn an_undo_that_fails_leaves_the_plan_stuck_and_can_be_skipped() {
    let world = World::default();
    world.fail("c");
    world.fail("undo b");
    let plan = notes(&["a", "b", "c"]);
    let failure = provision(&world, plan.clone()).await.unwrap_err();
    assert_eq!(failure.state.status, Status::Stuck);
    let b = plan.step_ref::<()>("b").unwrap();
    assert_eq!(b.path(), "plan.b.runs.note");
    let mut state = State::clone(&failure.state);
    state.skip_undo(&b.path()).unwrap();
    let failure = provision::resume(&world, state).unwrap().await.unwrap_err();
    assert_eq!(failure.state.status, Status::Undone);
    assert_eq!(world.log(), ["a", "b", "undo a"]);
}
