//! Plans of many steps.

use std::sync::atomic::{AtomicU64, Ordering};

use steps::{Plan, State, prelude::*};

#[step]
async fn add(sum: &AtomicU64, n: u64) -> Result<u64, String> {
    sum.fetch_add(n, Ordering::SeqCst);
    Ok(n + 1)
}

#[undo(add)]
async fn subtract(sum: &AtomicU64, n: u64, _: &u64) -> Result<(), String> {
    sum.fetch_sub(n, Ordering::SeqCst);
    Ok(())
}

#[plan(reversible)]
async fn sums(sum: &AtomicU64) {
    steps! {
        add(sum, n: u64);
        #[step(name = "no")]
        refused = never(n: u64);
    }
}

#[step(readonly)]
async fn never(n: u64) -> Result<(), String> {
    Err(format!("not {n}"))
}

const STEPS: u64 = 1000;

/// Each step takes what the one before has given; every tenth is in a group of its own.
fn chain() -> steps::plan::PlanBuilder<sums> {
    let mut plan = sums::plan();
    let mut last = plan.step("0", sums::add(1_u64));
    for n in 1..STEPS {
        let name = n.to_string();
        last = if n % 10 == 0 {
            plan.parallel(format!("group {n}"), |group| {
                group.step(name, sums::add(&last))
            })
        } else {
            plan.step(name, sums::add(&last))
        };
    }
    plan
}

#[tokio::test]
async fn a_plan_of_a_thousand_steps_is_run_saved_and_undone() {
    let sum = AtomicU64::new(0);
    let plan = chain().build().unwrap();
    let plan = Plan::<sums>::from_json(&plan.to_json()).unwrap();
    assert_eq!(plan.steps().count(), 1000);
    let (outputs, state) = sums(&sum, plan).with_state().await.unwrap();
    assert_eq!(outputs.get("999").unwrap(), Some(STEPS + 1));
    assert_eq!(sum.load(Ordering::SeqCst), STEPS * (STEPS + 1) / 2);
    let state = State::from_json(&state.to_json()).unwrap();
    let undone = sums::resume(&sum, state).unwrap().undo().await;
    undone.unwrap_err();
    assert_eq!(sum.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_thousand_steps_are_rolled_back() {
    let sum = AtomicU64::new(0);
    let mut plan = chain();
    plan.step("end", sums::refused(7_u64));
    let failure = sums(&sum, plan.build().unwrap()).await.unwrap_err();
    assert_eq!(failure.step(), Some("plan.end.runs.no"));
    assert_eq!(sum.load(Ordering::SeqCst), 0);
}
