//! Steps of a plan that wait: for a signal, for a time, for what they ask again, for somebody else's task.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use steps::{External, Reported, Signals, Status, TaskReport, prelude::*, testing::FakeClock};

use crate::support::{Spec, World, attach, create_volume, spec};

/// `None` twice.
#[step(poll(every = "1h", times = 5))]
async fn ready(asked: &AtomicUsize, of: u32) -> Result<Option<u32>, String> {
    Ok((asked.fetch_add(1, Ordering::SeqCst) >= 2).then_some(of))
}

#[step(external)]
async fn scan(image: &str, cx: &Cx) -> Result<External<u32>, String> {
    let _ = (image, cx.task_id());
    Ok(External::submitted())
}

#[plan]
pub(crate) async fn gated(world: &World) {
    steps! {
        create_volume(world, spec: &Spec, cx);
        attach(world, volume: &str, vm: &str);
        go = steps::signal::<bool>();
        soon = steps::signal::<bool>().within("1h");
        pause = steps::sleep(time: &str);
    }
}

#[plan]
async fn asking(asked: &AtomicUsize) {
    steps! {
        ready(asked, of: u32);
        scan(image: &str, cx);
        note_flaws(flaws: u32);
    }
}

#[step]
async fn note_flaws(flaws: u32) -> Result<String, String> {
    Ok(format!("{flaws} flaws"))
}

#[tokio::test]
async fn signals_are_sent_to_steps_of_a_plan() {
    let world = World::default();
    let mut plan = gated::plan();
    plan.parallel("both", |both| {
        both.step("one", gated::go());
        both.step("two", gated::go());
    });
    let plan = plan.build().unwrap();
    let signals = Signals::new();
    for (name, value) in [("both.two", false), ("both.one", true)] {
        signals
            .send(plan.signal_ref::<bool>(name).unwrap(), &value)
            .unwrap();
    }
    assert!(plan.signal_ref::<bool>("both").is_none());
    let outputs = gated(&world, plan).signals(&signals).await.unwrap();
    assert_eq!(outputs.get("both.one").unwrap(), Some(true));
    assert_eq!(outputs.get("both.two").unwrap(), Some(false));
}

#[tokio::test]
async fn sleeps_and_time_limits_end_by_the_clock() {
    let world = World::default();
    let clock = Arc::new(FakeClock::new());
    let mut plan = gated::plan();
    plan.step("pause", gated::pause("2h"));
    plan.step("soon", gated::soon());
    let plan = plan.build().unwrap();
    let pass = gated(&world, plan.clone())
        .clock(clock.clone())
        .advance()
        .await
        .unwrap();
    let after = pass.requeue_after().unwrap();
    assert!(after > Duration::from_mins(119), "{after:?}");
    let outputs = gated(&world, plan).clock(clock).await.unwrap();
    // Nobody sent anything.
    assert_eq!(outputs.get::<bool>("soon").unwrap(), None);
}

#[tokio::test]
async fn a_time_that_is_none_fails_the_step() {
    let mut plan = gated::plan();
    plan.step("pause", gated::pause("soon"));
    let failure = gated(&World::default(), plan.build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(failure.step(), Some("plan.pause.runs.pause"));
}

#[tokio::test]
async fn a_polling_step_is_asked_again() {
    let asked = AtomicUsize::new(0);
    let mut plan = asking::plan();
    let ready = plan.step("ready", asking::ready(7));
    plan.step("told", asking::note_flaws(&ready));
    let clock = Arc::new(FakeClock::new());
    let run = asking(&asked, plan.build().unwrap()).clock(clock);
    let outputs = run.await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert_eq!(
        outputs.get::<String>("told").unwrap().as_deref(),
        Some("7 flaws")
    );
}

#[tokio::test]
async fn somebody_else_reports_on_a_step() {
    let asked = AtomicUsize::new(0);
    let mut plan = asking::plan();
    let flaws = plan.step("scan", asking::scan("web"));
    plan.step("told", asking::note_flaws(&flaws));
    let plan = plan.build().unwrap();
    let mut state = asking(&asked, plan.clone()).advance().await.unwrap().state;
    let step = state.step::<u32>("scan").unwrap();
    assert_eq!(step.status(), Status::Waiting);
    let task = step.task().unwrap().id.clone();
    let report = TaskReport::done(1, &3).unwrap();
    assert_eq!(state.report_task(&task, &report), Ok(Reported::Taken));
    let outputs = asking(&asked, plan).resume(state).await.unwrap();
    assert_eq!(outputs.get::<u32>("scan").unwrap(), Some(3));
    assert_eq!(
        outputs.get::<String>("told").unwrap().as_deref(),
        Some("3 flaws")
    );
}

#[test]
fn the_lines_that_need_an_engine_are_told() {
    let flow = asking::with(AtomicUsize::new(0));
    let lines = flow.lines_for_an_engine();
    assert!(lines.contains(&"plan.runs.scan".to_owned()), "{lines:?}");
    let _ = spec(1);
}
