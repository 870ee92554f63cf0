//! External steps without an engine: in a saved state, in a run in memory, and in another version of the
//! flow.

use std::sync::{Arc, Mutex};

use steps::{
    Cause, External, Gone, Reported, Signals, State, Status, TaskId, TaskReport, TaskStatus,
    compat::Misfit, prelude::*, testing::Context,
};

#[step(external)]
async fn scan(seen: &Mutex<Vec<TaskId>>, cx: &Cx) -> Result<External<u32>, String> {
    seen.lock().unwrap().push(cx.task_id());
    Ok(External::submitted())
}

#[step(external)]
async fn known(flaws: u32) -> Result<External<u32>, String> {
    Ok(External::done(flaws))
}

#[step(external, blocking)]
fn blocking(cx: &Cx) -> Result<External<u32>, String> {
    let _ = cx.task_id();
    Ok(External::submitted())
}

#[step]
async fn count(_seen: &Mutex<Vec<TaskId>>, _cx: &Cx) -> Result<u32, String> {
    Ok(1)
}

#[step]
async fn wrong(cx: &Cx) -> Result<u32, String> {
    let _ = cx.task_id();
    Ok(1)
}

#[flow]
async fn publish(seen: &Mutex<Vec<TaskId>>) -> Result<u32, String> {
    steps! {
        flaws = scan(seen, cx);
        more  = known(flaws + 1);
        again = scan(seen, cx);
    }
    Ok(more + again)
}

/// The same, with a function that is called.
#[flow(name = "publish")]
async fn called(seen: &Mutex<Vec<TaskId>>) -> Result<u32, String> {
    steps! {
        flaws = count(seen, cx);
        more  = known(flaws + 1);
        again = scan(seen, cx);
    }
    Ok(more + again)
}

#[flow]
async fn on_a_thread() -> Result<u32, String> {
    steps! { flaws = blocking(cx); }
    Ok(flaws)
}

#[flow]
async fn misses() -> Result<u32, String> {
    steps! { it = wrong(cx); }
    Ok(it)
}

fn done(flaws: u32) -> TaskReport {
    TaskReport::done(1, &flaws).unwrap()
}

#[tokio::test]
async fn a_saved_state_takes_a_report() {
    let seen = Mutex::default();
    let state = publish(&seen).advance().await.unwrap().state;
    let text = state.to_json();
    assert!(
        text.contains(r#""stepKind":"external""#) && text.contains(r#""until":"report""#),
        "{text}"
    );
    let mut state = State::from_json(&text).unwrap();
    let task = seen.lock().unwrap()[0].clone();
    assert_eq!(
        state.report_task(&task, &TaskReport::running(2)),
        Ok(Reported::Taken)
    );
    assert_eq!(
        state.report_task(&task, &TaskReport::running(1)),
        Ok(Reported::Stale)
    );
    let state = publish(&seen).resume(state).advance().await.unwrap().state;
    assert_eq!(state.flaws.task().unwrap().status, TaskStatus::Running);
    assert_eq!(seen.lock().unwrap().len(), 1, "it is not submitted again");
    let mut state = State::from_json(&state.to_json()).unwrap();
    let report = TaskReport::done(2, &4).unwrap();
    assert_eq!(state.report_task(&task, &report), Ok(Reported::Taken));
    assert_eq!(
        state.report_task(&task, &TaskReport::running(3)),
        Ok(Reported::Gone(Gone::Over))
    );
    let other = format!("{:032x}.x", 1).parse().unwrap();
    assert_eq!(
        state.report_task(&other, &report),
        Ok(Reported::Gone(Gone::Unknown))
    );
    let state = publish(&seen).resume(state).advance().await.unwrap().state;
    assert_eq!(state.more.output().unwrap(), Some(5));
    assert_eq!(state.again.status(), Status::Waiting);
}

#[tokio::test]
async fn a_run_in_memory_takes_reports() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let signals = Signals::new();
    let run = tokio::spawn({
        let (signals, seen) = (signals.clone(), Arc::clone(&seen));
        async move { publish(&seen).signals(&signals).await }
    });
    for number in 0..2 {
        while seen.lock().unwrap().len() == number {
            tokio::task::yield_now().await;
        }
        let task = seen.lock().unwrap()[number].clone();
        assert_eq!(signals.report(&task, done(3)), Ok(Reported::Taken));
    }
    assert_eq!(run.await.unwrap().unwrap(), 7);
    let task = seen.lock().unwrap()[0].clone();
    assert!(matches!(
        signals.report(&task, done(3)),
        Ok(Reported::Gone(_))
    ));
}

#[tokio::test]
async fn a_run_that_nobody_can_report_to_ends() {
    let failure = publish(&Mutex::default()).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Waiting { .. }));
    assert!(
        failure
            .to_string()
            .contains("waits for a report on an external task"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_blocking_function_submits_once() {
    let mut state = on_a_thread().advance().await.unwrap().state;
    let task = state.flaws.task().unwrap().id.clone();
    assert_eq!(state.report_task(&task, &done(2)), Ok(Reported::Taken));
    assert_eq!(on_a_thread().resume(state).await.unwrap(), 2);
}

#[tokio::test]
async fn a_step_that_is_not_external_has_no_task() {
    let failure = misses().await.unwrap_err().to_string();
    assert!(
        failure.contains("mark its function `#[step(external)]`"),
        "{failure}"
    );
    let context = Context::new().id("order-7");
    assert_eq!(context.cx().task_id().execution(), "order-7");
    assert_eq!(context.cx().task_id(), context.cx().task_id());
}

/// What waits for a report can't become a call; what is done can.
#[tokio::test]
async fn another_version_may_call_what_is_done() {
    let seen = Mutex::default();
    let mut state = publish(&seen).advance().await.unwrap().state;
    let misfit = called(&seen).resume(state.clone()).await.unwrap_err();
    assert!(matches!(misfit.cause, Cause::Misfit(Misfit::Tree(_))));
    let text = misfit.to_string();
    assert!(
        text.contains("it was an external step, and is the call of a function now"),
        "{text}"
    );
    let task = state.flaws.task().unwrap().id.clone();
    state.report_task(&task, &done(4)).map(drop).unwrap();
    let mut state = State::from_json(
        &publish(&seen)
            .resume(state)
            .advance()
            .await
            .unwrap()
            .state
            .to_json(),
    )
    .unwrap();
    assert_eq!(state.get("flaws").unwrap().status, Status::Done);
    let task = state
        .get("again")
        .unwrap()
        .task
        .as_ref()
        .unwrap()
        .id
        .clone();
    state.report_task(&task, &done(1)).map(drop).unwrap();
    assert_eq!(called(&seen).resume(state).await.unwrap(), 6);
    // And the other way round.
    let state = called(&seen).advance().await.unwrap().state;
    let state = State::from_json(&state.to_json()).unwrap();
    let state = publish(&seen).resume(state).advance().await.unwrap().state;
    assert_eq!(state.again.status(), Status::Waiting);
}
