//! The handlers of steps in a plan, and those of the plan itself.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use steps::{
    External, Failure, Plan, Reported, TaskReport, plan::PlanOutputs, prelude::*,
    store::MemoryStore,
};

use crate::support::World;

/// Fails after its effect.
#[step]
async fn charge(world: &World, cents: u32) -> Result<u32, String> {
    world.act(format!("charge {cents}"))?;
    Err("no answer".to_owned())
}

#[verify(charge)]
async fn charged(world: &World, cents: u32) -> Option<u32> {
    world
        .log()
        .contains(&format!("charge {cents}"))
        .then_some(cents)
}

#[step]
async fn switch(value: &Mutex<u32>, to: u32) -> Result<(), String> {
    *value.lock().unwrap() = to;
    Ok(())
}

#[observe(switch)]
async fn look(value: &Mutex<u32>, _to: u32) -> u32 {
    *value.lock().unwrap()
}

#[undo(switch, before)]
async fn switch_back(value: &Mutex<u32>, _to: u32, (): &(), before: &u32) -> Result<(), String> {
    *value.lock().unwrap() = *before;
    Ok(())
}

#[step(retry(times = 3, every = "1ms"))]
async fn flaky(world: &World, cx: &Cx) -> Result<u32, String> {
    world.act(format!("attempt {}", cx.attempt()))?;
    if cx.attempt() < 3 {
        return Err("busy".to_owned());
    }
    Ok(cx.attempt())
}

#[step]
async fn fail() -> Result<(), String> {
    Err("it fails".to_owned())
}

#[step(external)]
async fn scan(world: &World, image: &str) -> Result<External<u32>, String> {
    world.act(format!("submit {image}"))?;
    Ok(External::submitted())
}

#[on_check_in(scan)]
async fn progress(world: &World, image: &str, percent: &u8) {
    let _ = world.act(format!("{image} at {percent}"));
}

#[stop(scan)]
async fn stop_scan(world: &World, image: &str) -> Result<(), String> {
    world.act(format!("stop {image}"))
}

#[plan]
async fn all(world: &World, value: &Mutex<u32>) {
    steps! {
        charge(world, cents: u32);
        switch(value, to: u32);
        flaky(world, cx);
        fail();
        scan(world, image: &str);
    }
}

#[on_done(all)]
async fn done(
    world: &World,
    _: &Mutex<u32>,
    plan: &Plan<all>,
    outputs: &PlanOutputs,
) -> Result<(), String> {
    world.act(format!(
        "done {} of {}",
        outputs.iter().count(),
        plan.steps().count()
    ))
}

#[on_failed(all)]
async fn failed(
    world: &World,
    _: &Mutex<u32>,
    _: &Plan<all>,
    failure: &Failure,
) -> Result<(), String> {
    world.act(format!("failed: {failure}"))
}

#[tokio::test]
async fn a_verify_finds_the_effect_of_a_step_that_failed() {
    let (world, value) = (World::default(), Mutex::new(1));
    let mut plan = all::plan();
    plan.step("paid", all::charge(7));
    let outputs = all(&world, &value, plan.build().unwrap()).await.unwrap();
    assert_eq!(outputs.get("paid").unwrap(), Some(7));
    assert_eq!(world.log(), ["charge 7", "done 1 of 1"]);
}

#[tokio::test]
async fn an_undo_is_given_what_was_observed_before_its_step() {
    let (world, value) = (World::default(), Mutex::new(1));
    let mut plan = all::plan();
    plan.step("first", all::switch(2));
    plan.step("second", all::switch(3));
    plan.step("end", all::fail());
    let failure = all(&world, &value, plan.build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(*value.lock().unwrap(), 1);
    let second = failure.state.get("plan.second.runs.switch").unwrap();
    assert_eq!(second.before.as_ref().unwrap().get(), "2");
    assert_eq!(
        world.log(),
        [
            "failed: flow `all` failed at `plan.end.runs.fail`: it fails (what had been done was undone)"
        ]
    );
}

#[tokio::test]
async fn a_step_has_its_own_policy() {
    let (world, value) = (World::default(), Mutex::new(1));
    let mut plan = all::plan();
    plan.step("third", all::flaky());
    let outputs = all(&world, &value, plan.build().unwrap()).await.unwrap();
    assert_eq!(outputs.get("third").unwrap(), Some(3));
    assert_eq!(
        world.log(),
        ["attempt 1", "attempt 2", "attempt 3", "done 1 of 1"]
    );
}

#[tokio::test]
async fn an_external_step_is_told_of_its_progress() {
    let (world, value) = (Arc::new(World::default()), Arc::new(Mutex::new(1)));
    let mut plan = all::plan();
    plan.step("scan", all::scan("web"));
    let engine = steps::Engine::with_store(MemoryStore::new());
    let engine = engine
        .serve(all::with(world.clone(), value))
        .start()
        .await
        .unwrap();
    let run = engine
        .start(all::input(plan.build().unwrap()))
        .await
        .unwrap();
    let task = loop {
        let state = run.state().await.unwrap();
        let scan = state.step::<u32>("scan");
        if let Some(task) = scan.as_ref().and_then(|scan| scan.task()) {
            break task.id.clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let progress = TaskReport::running(1).check_in(&40_u8).unwrap();
    assert_eq!(
        engine.report(&task, progress).await.unwrap(),
        Reported::Taken
    );
    while !world.log().contains(&"web at 40".to_owned()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let done = TaskReport::done(2, &0_u32).unwrap();
    assert_eq!(engine.report(&task, done).await.unwrap(), Reported::Taken);
    run.outcome().await.unwrap();
    assert_eq!(world.log(), ["submit web", "web at 40", "done 1 of 1"]);
}

#[tokio::test]
async fn an_external_step_is_asked_to_stop() {
    let (world, value) = (World::default(), Mutex::new(1));
    let mut plan = all::plan();
    plan.step("scan", all::scan("web"));
    let plan = plan.build().unwrap();
    let state = all(&world, &value, plan.clone())
        .advance()
        .await
        .unwrap()
        .state;
    let _ = all(&world, &value, plan)
        .resume(state)
        .undo()
        .await
        .unwrap_err();
    assert!(
        world.log().contains(&"stop web".to_owned()),
        "{:?}",
        world.log()
    );
}
