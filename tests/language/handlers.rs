//! `#[verify]`, `#[observe]`, `#[on_done]`, `#[on_failed]`.

use std::{sync::Mutex, time::Duration};

use steps::{
    Failure, State, Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::{act, fail, run};

#[step(timeout = "1s")]
async fn pay(lab: &Lab, name: &str) -> Result<u32, Injected> {
    lab.act(name)?;
    if name == "hangs" {
        lab.clock().sleep(Duration::from_secs(60)).await;
    }
    Ok(1)
}

#[verify(pay)]
async fn paid(lab: &Lab, name: &str) -> Option<u32> {
    lab.act(format!("verify {name}")).unwrap();
    lab.is_there(name).then_some(2)
}

#[undo(pay)]
async fn repay(lab: &Lab, name: &str, _: &u32) -> Result<(), Injected> {
    lab.undo(name)
}

#[flow]
async fn pays(lab: &Lab, name: String) -> Result<u32, Injected> {
    steps! { p = pay(lab, name); }
    Ok(p)
}

/// B5: after a failure, a timeout or a panic it is found out whether the effect happened.
#[tokio::test]
async fn a_verify_makes_done_what_failed_after_its_effect() {
    for fault in [Fault::FailAfter, Fault::PanicAfter] {
        let lab = Lab::new();
        lab.fault("x", fault);
        assert_eq!(pays(&lab, "x".to_owned()).await.unwrap(), 2);
    }
    let lab = Lab::new();
    assert_eq!(
        run(pays(&lab, "hangs".to_owned()), lab.clock())
            .await
            .unwrap(),
        2
    );
    for fault in [Fault::FailBefore, Fault::PanicBefore] {
        let lab = Lab::new();
        lab.fault("x", fault);
        let failure = pays(&lab, "x".to_owned()).await.unwrap_err();
        assert_eq!(
            (failure.step(), lab.texts()),
            (Some("p"), vec!["verify x".to_owned()])
        );
    }
}

#[tokio::test]
async fn a_verify_is_asked_about_a_step_that_was_running_when_the_process_died() {
    let state = |lab: &Lab| {
        lab.act("x").unwrap();
        State::from_json(
            r#"{"name":"pays","startedAt":"2026-01-01T00:00:00Z","kind":"flow","input":{"name":"x"},
                "states":[{"name":"p","startedAt":"2026-01-01T00:00:00Z"}]}"#,
        )
        .unwrap()
    };
    let lab = Lab::new();
    let saved = state(&lab);
    assert_eq!(pays(&lab, "x".to_owned()).resume(saved).await.unwrap(), 2);
    assert_eq!(lab.texts(), ["x", "verify x"]);
}

#[step(retry(times = 1, every = "1s"))]
async fn once(lab: &Lab) -> Result<u32, Injected> {
    lab.act("once")?;
    Ok(1)
}

#[verify(once)]
async fn happened(lab: &Lab) -> Result<Option<u32>, Injected> {
    lab.act("ask")?;
    Ok(lab.is_there("once").then_some(1))
}

#[flow]
async fn onces(lab: &Lab) -> Result<u32, Injected> {
    steps! { p = once(lab); }
    Ok(p)
}

#[tokio::test]
async fn regression_a_verify_that_failed_counted_as_a_second_failure_and_was_not_asked_again() {
    let lab = Lab::new();
    lab.fault("once", Fault::FailAfter);
    lab.fault("ask", Fault::FailBefore);
    let advance = onces(&lab).advance().await.unwrap();
    let state = advance.state.state().clone();
    assert_eq!(state.get("p").map(|p| p.status), Some(Status::Waiting));
    let errors = &state.get("p").unwrap().errors;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("made to fail: once") && errors[0].contains("its verify failed"));
    // When the verify works again, it is asked before the step is tried again.
    let later = Lab::new();
    later.act("once").unwrap();
    assert_eq!(
        run(onces(&later).resume(state), later.clock())
            .await
            .unwrap(),
        1
    );
    assert_eq!(later.texts(), ["once", "ask"]);
}

#[step]
async fn set_to(value: &Mutex<u32>, to: u32) -> Result<(), String> {
    *value.lock().unwrap() = to;
    Ok(())
}

#[observe(set_to)]
async fn value_of(value: &Mutex<u32>, _to: u32) -> u32 {
    *value.lock().unwrap()
}

#[undo(set_to, before)]
async fn set_back(value: &Mutex<u32>, _to: u32, (): &(), before: &u32) -> Result<(), String> {
    *value.lock().unwrap() = *before;
    Ok(())
}

#[flow]
async fn sets(value: &Mutex<u32>, lab: &Lab, good: bool) -> Result<(), String> {
    steps! {
        a = set_to(value, 2);
        b = set_to(value, 3);
        c = if !good { c = fail(lab, "no"); }
    }
    let _ = (a, b, c);
    Ok(())
}

/// B2: what was before and after is kept, and the undo is given what was before.
#[tokio::test]
async fn what_was_observed_before_and_after_is_kept() {
    let value = Mutex::new(1);
    let (_, state) = sets(&value, &Lab::new(), true).with_state().await.unwrap();
    let b = state.b.state().unwrap();
    assert_eq!(b.before.as_ref().map(|json| json.get()), Some("2"));
    assert_eq!(b.after.as_ref().map(|json| json.get()), Some("3"));
    let value = Mutex::new(1);
    sets(&value, &Lab::new(), false).await.unwrap_err();
    assert_eq!(*value.lock().unwrap(), 1);
}

#[step]
async fn lost(lab: &Lab) -> Result<u32, Injected> {
    lab.act("lost")?;
    Ok(1)
}

#[verify(lost)]
async fn found(lab: &Lab) -> Option<u32> {
    lab.is_there("lost").then_some(2)
}

#[observe(lost)]
async fn look(lab: &Lab) -> Result<bool, Injected> {
    lab.act(format!("look {}", lab.texts().len()))?;
    Ok(lab.is_there("lost"))
}

#[flow]
async fn loses(lab: &Lab) -> Result<u32, Injected> {
    steps! { n = lost(lab); }
    Ok(n)
}

#[tokio::test]
async fn claim_observe_verified() {
    let lab = Lab::new();
    lab.fault("lost", Fault::FailAfter);
    let (n, state) = loses(&lab).with_state().await.unwrap();
    assert_eq!(
        (n, lab.texts()),
        (2, vec!["look 0".into(), "lost".into(), "look 2".into()])
    );
    let seen = |json: &Option<steps::Json>| json.as_ref().map(|json| json.get() == "true");
    let node = state.state().get("n").unwrap().clone();
    assert_eq!(
        (seen(&node.before), seen(&node.after)),
        (Some(false), Some(true))
    );

    // The same where a resume finds that it was running.
    let later = Lab::new();
    later.act("lost").unwrap();
    let saved = r#"{"name":"loses","startedAt":"2026-01-01T00:00:00Z","kind":"flow","input":{},
        "states":[{"name":"n","startedAt":"2026-01-01T00:00:00Z","before":false}]}"#;
    let run = loses(&later).resume(State::from_json(saved).unwrap());
    let (n, state) = run.with_state().await.unwrap();
    assert_eq!(
        (n, later.texts()),
        (2, vec!["lost".into(), "look 1".into()])
    );
    assert_eq!(seen(&state.state().get("n").unwrap().after), Some(true));
}

#[tokio::test]
async fn a_look_after_a_step_that_fails_is_told_and_changes_nothing() {
    let lab = Lab::new();
    lab.fault("look 2", Fault::FailBefore);
    let (n, state) = loses(&lab).with_state().await.unwrap();
    assert_eq!(n, 1);
    let node = state.state().get("n").unwrap();
    assert_eq!((node.status, &node.after), (Status::Done, &None));
    let error = node.after_err.as_deref().unwrap();
    assert_eq!(error, "made to fail: look 2");
    let tree = state.state().tree().to_string();
    assert!(
        tree.ends_with("; look after: made to fail: look 2"),
        "{tree}"
    );
}

/// `None` each time, though it is there.
#[step(poll(every = "1s", times = 2))]
async fn arrives(lab: &Lab) -> Result<Option<u32>, Injected> {
    lab.act("poll")?;
    Ok(None)
}

#[verify(arrives)]
async fn arrived(lab: &Lab) -> Option<u32> {
    lab.act("verify").unwrap();
    lab.is_there("parcel").then_some(7)
}

#[flow]
async fn waits(lab: &Lab) -> Result<u32, Injected> {
    steps! { n = arrives(lab); }
    Ok(n)
}

#[tokio::test]
async fn verify_is_asked_after_the_last_poll() {
    let lab = Lab::new();
    lab.act("parcel").unwrap();
    assert_eq!(run(waits(&lab), lab.clock()).await.unwrap(), 7);
    assert_eq!(lab.texts(), ["parcel", "poll", "poll", "verify"]);
    let lab = Lab::new();
    let failure = run(waits(&lab), lab.clock()).await.unwrap_err();
    assert_eq!(lab.texts(), ["poll", "poll", "verify"]);
    assert!(
        failure.to_string().contains("not ready after 2 polls"),
        "{failure}"
    );
}

#[flow]
async fn told(lab: &Lab, good: bool) -> Result<String, String> {
    steps! {
        a = act(lab, "a");
        b = if !good { c = fail(lab, "no"); }
    }
    let _ = b;
    Ok(format!("out {a}"))
}

#[on_done(told)]
async fn is_done(lab: &Lab, good: &bool, output: &String) -> Result<(), Injected> {
    lab.act(format!("done {good} {output}"))
}

#[on_failed(told)]
async fn has_failed(lab: &Lab, good: &bool, failure: &Failure) -> Result<(), Injected> {
    let (step, status) = (failure.step().unwrap_or_default(), failure.status());
    let undos = failure.undo_failed().len();
    lab.act(format!("failed {good} {step} {status} {undos}"))
}

/// D6: a handler at the end, once, with the right things.
#[tokio::test]
async fn on_done_and_on_failed_are_called_once() {
    let lab = Lab::new();
    let (_, state) = told(&lab, true).with_state().await.unwrap();
    assert_eq!(lab.texts(), ["a", "done true out a"]);
    told(&lab, true).resume(state).await.unwrap();
    assert_eq!(lab.texts().len(), 2);

    let lab = Lab::new();
    let failure = told(&lab, false).await.unwrap_err();
    assert_eq!(lab.texts(), ["a", "undo a", "failed false b.c undone 0"]);
    told(&lab, false)
        .resume(State::clone(&failure.state))
        .await
        .unwrap_err();
    assert_eq!(lab.texts().len(), 3);
}

#[tokio::test]
async fn regression_on_failed_was_not_called_where_the_rollback_was_stuck() {
    let lab = Lab::new();
    lab.fault("undo a", Fault::FailBefore);
    let failure = told(&lab, false).await.unwrap_err();
    assert_eq!(lab.texts(), ["a", "failed false b.c stuck 1"]);
    // Tried again, it is not called again.
    let later = Lab::new();
    told(&later, false)
        .resume(State::clone(&failure.state))
        .undo()
        .await
        .unwrap_err();
    assert_eq!(later.texts(), ["undo a"]);
}

#[tokio::test]
async fn a_handler_of_the_flow_that_fails_changes_nothing_and_is_kept() {
    let lab = Lab::new();
    lab.fault("done true out a", Fault::PanicBefore);
    let (output, state) = told(&lab, true).with_state().await.unwrap();
    assert_eq!(output, "out a");
    let text = state.state().to_json();
    assert!(text.contains("made to panic: done true out a"), "{text}");
}
