//! The state of a plan: typed, untyped, drawn.

use steps::{State, Status, state::Kind};

use crate::support::{ProvisionState, Volume, World, provision, spec, usual};

#[tokio::test]
async fn the_typed_state_finds_steps_by_their_paths_in_the_plan() {
    let world = World::default();
    let (_, state) = provision(&world, usual()).with_state().await.unwrap();
    let state: ProvisionState = serde_json::from_str(&state.to_json()).unwrap();
    assert_eq!(state.node().status(), Status::Done);
    let disk: Volume = state.output("disk").unwrap().unwrap();
    assert_eq!(disk.gb, 10);
    let link = state.step::<String>("links.a").unwrap();
    assert_eq!(link.path(), "plan.links.runs.group.a.runs.attach");
    assert_eq!(link.output().unwrap().as_deref(), Some("vm-a/vol-disk"));
    assert_eq!(link.attempts(), 1);
    for none in ["links", "links.c", "disk.a", "nothing", ""] {
        assert!(state.step::<()>(none).is_none(), "{none}");
        assert_eq!(state.output::<()>(none).unwrap(), None);
    }
    state.output::<u32>("disk").unwrap_err();
    let steps = state.steps();
    let paths: Vec<&str> = steps.iter().map(|(path, _)| &**path).collect();
    assert_eq!(paths, ["disk", "links.a", "links.b", "report"]);
    assert!(steps.iter().all(|(_, step)| step.status() == Status::Done));
}

#[tokio::test]
async fn a_step_that_has_not_begun_has_a_state_without_an_output() {
    let world = World::default();
    world.fail("create vol-disk");
    let failure = provision(&world, usual()).await.unwrap_err();
    let state = ProvisionState::from(State::clone(&failure.state));
    let report = state.step::<u32>("report").unwrap();
    assert!(matches!(report.status(), Status::Pending | Status::Skipped));
    assert_eq!(state.output::<u32>("report").unwrap(), None);
    // Its group has not begun.
    assert!(state.step::<String>("links.a").is_none());
}

#[tokio::test]
async fn marks_are_levels_of_their_own() {
    let world = World::default();
    let mut plan = provision::plan();
    plan.optional("a", provision::create_volume(spec(1)));
    plan.pivot("b", provision::note("b"));
    let plan = plan.build().unwrap();
    let a = plan.step_ref::<Volume>("a").unwrap();
    assert_eq!(a.path(), "plan.a.runs.optional.create_volume");
    assert_eq!(
        plan.step_ref::<()>("b").unwrap().path(),
        "plan.b.runs.pivot.note"
    );
    let (_, state) = provision(&world, plan).with_state().await.unwrap();
    assert_eq!(state.output::<Volume>("a").unwrap().unwrap().gb, 1);
    assert_eq!(state.step::<()>("b").unwrap().status(), Status::Done);
}

#[tokio::test]
async fn the_tree_says_what_each_step_is_and_what_ran_at_once() {
    let world = World::default();
    let (_, state) = provision(&world, usual()).with_state().await.unwrap();
    let state = State::from_json(&state.to_json()).unwrap();
    let links = state.get("plan.links.runs.group").unwrap();
    assert_eq!((links.kind, links.parallel), (Kind::For, true));
    let whole = state.get("plan").unwrap();
    assert_eq!((whole.kind, whole.parallel), (Kind::For, false));
    assert_eq!(
        state.get("plan.links.runs").unwrap().chosen.as_deref(),
        Some("group")
    );
    // A state that is read and taken up again says the same.
    let (_, again) = provision::resume(&world, state.clone())
        .unwrap()
        .with_state()
        .await
        .unwrap();
    assert_eq!(again.state().to_json(), state.to_json());
    let drawn = state.tree().to_string();
    assert!(drawn.contains("create_volume"), "{drawn}");
}
