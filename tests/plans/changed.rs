//! Plans that a program of another version began.

use std::sync::Arc;

use steps::{Cause, Failure, Flow, Plan, State, Status, compat::Misfit, prelude::*};

use crate::support::{World, attach, note};

macro_rules! version {
    ($name:ident($world:ident) { $($lines:tt)* }) => {
        mod $name {
            use super::*;
            #[plan(name = "f")]
            pub(super) async fn f($world: &World) {
                steps! { $($lines)* }
            }
        }
    };
}

version!(first(world) {
    note(world, text: &str);
    attach(world, volume: &str, vm: &str);
    go = steps::signal::<()>();
});
version!(with_another(world) {
    before = note(world, text: &str);
    note(world, text: &str);
    attach(world, volume: &str, vm: &str);
    go = steps::signal::<()>();
});
version!(without_one(world) {
    note(world, text: &str);
    go = steps::signal::<()>();
});
version!(renamed(world) {
    #[step(alias = "note")]
    jot = note(world, text: &str);
    attach(world, volume: &str, vm: &str);
    go = steps::signal::<()>();
});

#[step]
async fn attach_number(world: &World, volume: u32, vm: &str) -> Result<String, String> {
    world.act(format!("attach {volume} to {vm}"))?;
    Ok(String::new())
}
version!(retyped(world) {
    note(world, text: &str);
    attach = attach_number(world, volume: u32, vm: &str);
    go = steps::signal::<()>();
});

fn plan() -> Plan<first::f> {
    let mut plan = first::f::plan();
    plan.step("a", first::f::note("a"));
    plan.parallel("g", |g| {
        g.step("wait", first::f::go());
    });
    plan.step("b", first::f::attach("vol", "vm"));
    plan.build().expect("it is one")
}

/// As the first version left it, waiting.
async fn begun(world: &World) -> State {
    let state = first::f(world, plan()).advance().await.unwrap().state;
    let mut state = State::from_json(&state.to_json()).unwrap();
    let wait = plan().signal_ref::<()>("g.wait").unwrap();
    state
        .signal(&wait.path(), steps::Json::encode(&()).unwrap())
        .unwrap();
    state
}

fn misfit(failure: &Failure) -> String {
    match &failure.cause {
        Cause::Misfit(Misfit::Input(why)) => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_version_with_more_steps_goes_on() {
    let world = World::default();
    let state = begun(&world).await;
    with_another::f::resume(&world, state)
        .unwrap()
        .await
        .unwrap();
    assert_eq!(world.log(), ["a", "attach vol to vm"]);
    assert_ne!(first::f::FINGERPRINT, with_another::f::FINGERPRINT);
}

#[tokio::test]
async fn a_version_that_has_given_a_step_another_name_goes_on_by_its_alias() {
    let world = World::default();
    let state = begun(&world).await;
    let (_, state) = renamed::f::resume(&world, state)
        .unwrap()
        .with_state()
        .await
        .unwrap();
    assert_eq!(world.log(), ["a", "attach vol to vm"]);
    assert_eq!(state.step::<()>("a").unwrap().path(), "plan.a.runs.jot");
}

#[tokio::test]
async fn a_version_without_a_step_of_the_plan_is_refused_before_anything_runs() {
    let world = World::default();
    let state = begun(&world).await;
    let Err(failure) = without_one::f::resume(&world, state.clone()) else {
        panic!("it is refused");
    };
    let why = misfit(&failure);
    assert!(
        why.contains("`b`: there is no step `attach`") && why.contains("alias = \"attach\""),
        "{why}"
    );
    assert_eq!(world.log(), ["a"]);
    // It is as it was.
    first::f::resume(&world, state).unwrap().await.unwrap();
    assert_eq!(world.log(), ["a", "attach vol to vm"]);
}

#[tokio::test]
async fn a_version_whose_step_takes_something_else_is_refused() {
    let world = World::default();
    let state = begun(&world).await;
    let Err(failure) = retyped::f::resume(&world, state) else {
        panic!("it is refused");
    };
    let why = misfit(&failure);
    assert!(
        why.contains("`b`: its argument `volume` is no `u32`"),
        "{why}"
    );
    assert_ne!(first::f::FINGERPRINT, retyped::f::FINGERPRINT);
}

#[tokio::test]
async fn an_engine_leaves_such_an_execution_as_it_was() {
    let world = Arc::new(World::default());
    let store = steps::store::MemoryStore::new();
    let engine = steps::Engine::with_store(store.reopen())
        .serve(first::f::with(world.clone()))
        .start()
        .await
        .unwrap();
    let run = engine.start(first::f::input(plan())).id("a").await.unwrap();
    while run.status().await.unwrap() != Status::Waiting {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    engine
        .shutdown(std::time::Duration::from_secs(10))
        .await
        .unwrap();
    let engine = steps::Engine::with_store(store.reopen())
        .serve(without_one::f::with(world.clone()))
        .start()
        .await
        .unwrap();
    let run = engine.get("a").await.unwrap();
    run.signal_path("plan.g.runs.group.wait.runs.go", &())
        .await
        .expect("it waits");
    let mut why = None;
    for _ in 0..2000 {
        why = run.info().await.unwrap().refused;
        if why.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let why = why.expect("it is refused").why;
    assert!(why.contains("`b`: there is no step `attach`"), "{why}");
    assert_eq!(world.log(), ["a"]);
}

#[tokio::test]
async fn steps_that_begun_can_t_be_others() {
    let world = World::default();
    let state = begun(&world).await;
    let mut other = first::f::plan();
    other.step("c", first::f::note("c"));
    let run = first::f(&world, other.build().unwrap());
    let failure = run.resume(state).replace_input().await.unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("a plan that has begun can't get others"),
        "{failure}"
    );
}
