//! A plan as a part of another flow, and what is registered under other names.

use steps::{Plan, prelude::*};

use crate::support::{World, note, notes, provision, spec};

#[flow]
async fn around(world: &World, plan: Plan<provision>, last: String) -> Result<usize, String> {
    steps! {
        note(world, "before");
        made = flow provision(world, plan.clone());
        end = note(world, last);
    }
    let () = end;
    Ok(made.iter().count())
}

#[tokio::test]
async fn a_flow_runs_a_plan_as_one_of_its_lines() {
    let world = World::default();
    let mut plan = provision::plan();
    plan.step("disk", provision::create_volume(spec(1)));
    plan.step("told", provision::note("told"));
    let plan = plan.build().unwrap();
    let outputs = around(&world, plan.clone(), "after".to_owned())
        .await
        .unwrap();
    assert_eq!(outputs, 1);
    assert_eq!(
        world.take_log(),
        ["before", "create vol-disk", "told", "after"]
    );

    world.fail("after");
    let failure = around(&world, plan.clone(), "after".to_owned())
        .await
        .unwrap_err();
    assert_eq!(
        world.log(),
        [
            "before",
            "create vol-disk",
            "told",
            "undo told",
            "delete vol-disk",
            "undo before"
        ]
    );
    let disk = around::STEPS
        .made
        .step::<crate::support::Volume, _>(&plan, "disk")
        .unwrap();
    assert_eq!(disk.path(), "made.plan.disk.runs.create_volume");
    assert!(failure.state.get(&disk.path()).is_some());
    let state = AroundState::from(steps::State::clone(&failure.state));
    assert_eq!(
        state.made.step::<()>("told").unwrap().path(),
        "made.plan.told.runs.note"
    );
    assert_eq!(around::STEPS.made.node().path(), "made.plan");
}

mod elsewhere {
    use super::*;

    #[step(name = "write it down", alias = "write")]
    pub(super) async fn jot(
        world: &World,
        r#type: &str,
        path: &std::path::Path,
    ) -> Result<(), String> {
        world.act(format!("{} {}", r#type, path.display()))
    }
}

#[plan(rename_all = "camelCase", name = "Registered", on_failure = "hold")]
async fn registered(world: &World) {
    steps! {
        elsewhere::jot(world, r#type: &str, path: &std::path::Path);
        #[step(name = "other", alias = "older", retry(times = 1, every = "1ms"))]
        second = elsewhere::jot(world, r#type: &str, path: &std::path::Path);
        third_one = note(world, text: &str);
    }
}

#[tokio::test]
async fn steps_are_saved_under_the_names_that_their_attributes_say() {
    let world = World::default();
    let json = r#"{"steps": [
        {"name": "a", "step": "write it down", "args": {"type": "a", "path": "/tmp"}},
        {"name": "b", "step": "write", "args": {"type": "b", "path": "/tmp"}},
        {"name": "c", "step": "older", "args": {"type": "c", "path": "/tmp"}},
        {"name": "d", "step": "thirdOne", "args": {"text": "d"}}
    ]}"#;
    let plan = Plan::<registered>::from_json(json).unwrap();
    let steps: Vec<&str> = plan.steps().map(|step| step.step).collect();
    assert_eq!(
        steps,
        ["write it down", "write it down", "other", "thirdOne"]
    );
    let mut built = registered::plan();
    built.step("a", registered::jot("a", std::path::Path::new("/tmp")));
    built.step("b", registered::jot("b", std::path::PathBuf::from("/tmp")));
    built.step("c", registered::second("c", std::path::Path::new("/tmp")));
    built.step("d", registered::third_one("d"));
    assert_eq!(built.build().unwrap(), plan);
    let (_, state) = registered(&world, plan).with_state().await.unwrap();
    assert_eq!(&*state.state().name, "Registered");
    assert_eq!(world.log(), ["a /tmp", "b /tmp", "c /tmp", "d"]);
    let _ = notes(&[]);
}

/// Nothing of the macro's gets in the way of what has its names.
mod hygiene {
    use steps::prelude::*;

    #[allow(dead_code)]
    type Result<T> = std::result::Result<T, String>;

    pub(super) struct Lent(pub(super) u32);

    #[step]
    async fn given(
        lent: &Lent,
        op: u32,
        slot: u32,
        given: u32,
    ) -> std::result::Result<u32, String> {
        Ok(lent.0 + op + slot + given)
    }

    #[plan]
    pub(super) async fn arms(lent: &Lent) {
        steps! {
            given(lent, op: u32, slot: u32, given: u32);
            tree = given(lent, op: u32, slot: u32, given: u32);
        }
    }
}

#[tokio::test]
async fn any_name_may_be_used() {
    let mut plan = hygiene::arms::plan();
    plan.step("a", hygiene::arms::given(1, 2, 3));
    plan.step("b", hygiene::arms::tree(4, 5, 6));
    let outputs = hygiene::arms(&hygiene::Lent(10), plan.build().unwrap())
        .await
        .unwrap();
    assert_eq!(outputs.get("a").unwrap(), Some(16));
    assert_eq!(outputs.get("b").unwrap(), Some(25));
}
