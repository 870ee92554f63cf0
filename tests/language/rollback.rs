//! What a failure leads to: rollback, its marks, its limits.

use steps::{
    Cause, Status,
    prelude::*,
    testing::{Fault, Lab},
};

use crate::support::{act, fail, num, run};

#[flow]
async fn in_order(lab: &Lab) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        g = { b = act(lab, "b"); c = act(lab, "c"); }
        d = fail(lab, "no");
        e = act(lab, "e");
    }
    let _ = (a, g, d, e);
    Ok(())
}

/// B1, B3: what was done is undone in reverse, and what follows is not begun.
#[tokio::test]
async fn what_was_done_is_undone_in_reverse() {
    let lab = Lab::new();
    let failure = in_order(&lab).await.unwrap_err();
    assert_eq!(lab.texts(), ["a", "b", "c", "undo c", "undo b", "undo a"]);
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(failure.step(), Some("d"));
    assert_eq!(failure.failed()[0].error, "no");
    assert_eq!(
        failure.state.get("e").map(|e| e.status),
        Some(Status::Pending)
    );
}

/// B3: an undo that fails ends the rollback, and is told beside the first failure.
#[tokio::test]
async fn an_undo_that_fails_leaves_it_stuck_and_both_failures_are_told() {
    let lab = Lab::new();
    lab.fault("undo b", Fault::FailBefore);
    let failure = in_order(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Stuck);
    assert_eq!(failure.failed()[0].path, "d");
    assert_eq!(failure.undo_failed()[0].path, "g.b");
    assert_eq!(lab.texts(), ["a", "b", "c", "undo c"]);
    // An operator tries it again: `c` is not undone twice.
    let mended = Lab::new();
    let again = in_order(&mended)
        .resume(State::clone(&failure.state))
        .undo()
        .await;
    let again = again.unwrap_err();
    assert_eq!(again.status(), Status::Undone);
    assert_eq!(mended.texts(), ["undo b", "undo a"]);
}

use steps::State;

#[flow]
async fn several(lab: &Lab) -> Result<(), String> {
    steps! {
        first = act(lab, "first");
        p = parallel { a = act(lab, "a"); b = act(lab, "b"); c = act(lab, "c"); }
        d = fail(lab, "no");
    }
    let _ = (first, p, d);
    Ok(())
}

/// Rule 5: several undos may fail at once; each failure is kept.
#[tokio::test]
async fn several_undos_failing_at_once_are_all_kept() {
    let lab = Lab::new();
    lab.fault("undo a", Fault::FailBefore);
    lab.fault("undo c", Fault::PanicBefore);
    let failure = several(&lab).await.unwrap_err();
    let paths: Vec<_> = failure
        .undo_failed()
        .iter()
        .map(|step| &*step.path)
        .collect();
    assert_eq!(paths, ["p.a", "p.c"]);
    assert_eq!(
        failure.undo_failed()[1].error,
        "panicked: made to panic: undo c"
    );
    // What could be undone is; what came before is not begun.
    assert_eq!(lab.texts(), ["first", "a", "b", "c", "undo b"]);
}

#[flow]
async fn pivoted(lab: &Lab) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        #[pivot]
        b = act(lab, "b");
        c = act(lab, "c");
        d = fail(lab, "no");
    }
    let _ = (a, b, c, d);
    Ok(())
}

#[tokio::test]
async fn nothing_before_a_pivot_is_undone() {
    let lab = Lab::new();
    pivoted(&lab).await.unwrap_err();
    assert_eq!(lab.texts(), ["a", "b", "c", "undo c"]);
}

#[step]
async fn flaky_undo(lab: &Lab, name: &str) -> Result<(), steps::testing::Injected> {
    lab.act(name)
}

#[undo(flaky_undo, retry(times = 2, every = "1h"))]
async fn flaky_back(lab: &Lab, name: &str, (): &()) -> Result<(), String> {
    lab.undo(name).map_err(|e| e.to_string())?;
    match lab.texts().len() {
        ..=4 => Err("not yet".to_owned()),
        _ => Ok(()),
    }
}

#[flow]
async fn pivot_beside_a_wait(lab: &Lab) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        p = parallel {
            g = { #[pivot] b = act(lab, "b"); }
            h = flaky_undo(lab, "h");
        }
        d = fail(lab, "no");
    }
    let _ = (a, p, d);
    Ok(())
}

#[tokio::test]
async fn regression_a_pivot_was_forgotten_when_the_rollback_paused_beside_it() {
    let lab = Lab::new();
    let failure = run(pivot_beside_a_wait(&lab), lab.clock())
        .await
        .unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(lab.texts(), ["a", "b", "h", "undo h", "undo h"]);
}

/// An undo has its own policy.
#[tokio::test]
async fn an_undo_is_tried_again_by_its_own_policy() {
    let lab = Lab::new();
    lab.fault("undo h", Fault::FailBefore);
    let failure = run(pivot_beside_a_wait(&lab), lab.clock())
        .await
        .unwrap_err();
    assert_eq!(failure.status(), Status::Stuck);
    let undo = failure.state.get("p.h").unwrap().undo.clone().unwrap();
    assert_eq!(undo.attempts, 3);
}

#[flow]
async fn passed_over(lab: &Lab) -> Result<Option<String>, String> {
    steps! {
        a = act(lab, "a");
        #[optional]
        g = { b = act(lab, "b"); c = fail(lab, "no"); }
        #[optional]
        n = flow in_order(lab);
        d = act(lab, if g.is_none() && n.is_none() { "none" } else { "some" });
    }
    let _ = a;
    Ok(Some(d.clone()))
}

#[tokio::test]
async fn an_optional_group_that_fails_is_undone_and_passed_over() {
    let lab = Lab::new();
    let (value, state) = passed_over(&lab).with_state().await.unwrap();
    assert_eq!(value.as_deref(), Some("none"));
    assert_eq!(
        lab.texts(),
        [
            "a", "b", "undo b", "a", "b", "c", "undo c", "undo b", "undo a", "none"
        ]
    );
    assert_eq!(state.g.c.status(), Status::Failed);
    // A done flow is undone on request; what was passed over had been.
    let other = Lab::new();
    let undone = passed_over(&other).resume(state).undo().await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    assert_eq!(other.texts(), ["undo none", "undo a"]);
}

#[flow]
async fn uses_optional(lab: &Lab) -> Result<(), String> {
    steps! {
        #[optional]
        g = { b = act(lab, "b"); c = fail(lab, "no"); }
        d = act(lab, if g.is_none() { "none" } else { "some" });
        e = fail(lab, "no");
    }
    let _ = (d, e);
    Ok(())
}

#[tokio::test]
async fn regression_an_undo_could_not_name_an_optional_group_that_was_passed_over() {
    let lab = Lab::new();
    let failure = uses_optional(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone, "{failure}");
    assert_eq!(lab.texts(), ["b", "undo b", "none", "undo none"]);
}

#[flow]
async fn inner(lab: &Lab, n: u32) -> Result<u32, String> {
    steps! { a = num(lab, n); b = num(lab, n + 1); }
    Ok(a + b)
}

#[flow]
async fn outer(lab: &Lab) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        n = flow inner(lab, 10);
        c = act(lab, &n.to_string());
        d = fail(lab, "no");
    }
    let _ = (a, c, d);
    Ok(())
}

/// Rule 6, D5: a nested flow that is done is undone step by step.
#[tokio::test]
async fn a_nested_flow_that_is_done_is_undone_with_the_flow_around_it() {
    let lab = Lab::new();
    let failure = outer(&lab).await.unwrap_err();
    assert_eq!(
        lab.texts(),
        [
            "a", "10", "11", "21", "undo 21", "undo 11", "undo 10", "undo a"
        ]
    );
    assert_eq!(
        failure.state.get("n.a").map(|a| a.status),
        Some(Status::Undone)
    );
}

#[tokio::test]
async fn a_nested_flow_that_fails_takes_itself_back_first() {
    let lab = Lab::new();
    lab.fault("11", Fault::FailBefore);
    let failure = outer(&lab).await.unwrap_err();
    assert_eq!(failure.step(), Some("n.b"));
    assert_eq!(lab.texts(), ["a", "10", "undo 10", "undo a"]);
}

#[flow]
async fn rounds(lab: &Lab) -> Result<(), String> {
    steps! {
        r = loop {
            n = num(lab, prev.map_or(0, |prev| prev.n + 1));
            again = num(lab, prev.map_or(100, |prev| prev.n + 101));
        } until n == 2;
        bad = fail(lab, "no");
    }
    let _ = (r, bad);
    Ok(())
}

#[tokio::test]
async fn regression_the_first_round_saw_itself_as_the_round_before_when_undone() {
    let lab = Lab::new();
    rounds(&lab).await.unwrap_err();
    assert_eq!(
        lab.texts(),
        [
            "0", "100", "1", "101", "2", "102", "undo 102", "undo 2", "undo 101", "undo 1",
            "undo 100", "undo 0"
        ]
    );
}

#[flow]
async fn beside(lab: &Lab) -> Result<(), String> {
    steps! {
        p = parallel {
            g = { x = act(lab, "x"); y = act(lab, "y"); }
            bad = fail(lab, "no");
        }
    }
    drop(p);
    Ok(())
}

#[tokio::test]
async fn regression_a_resume_began_steps_beside_one_that_had_failed_before_the_crash() {
    let text = r#"{"name":"beside","startedAt":"2026-01-01T00:00:00Z","kind":"flow","input":{},
        "id":"01890a5d-ac96-774b-bcce-b302099a8057","states":[
        {"name":"p","kind":"parallel","startedAt":"2026-01-01T00:00:00Z","states":[
            {"name":"g","kind":"group","startedAt":"2026-01-01T00:00:00Z","states":[
                {"name":"x","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z","output":"x"}]},
            {"name":"bad","err":"no","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"}]}]}"#;
    let lab = Lab::new();
    let state = State::from_json(text).unwrap();
    let failure = beside(&lab).resume(state).await.unwrap_err();
    assert_eq!(lab.texts(), ["undo x"]);
    assert_eq!(failure.step(), Some("p.bad"));
    let y = failure.state.get("p.g.y").map(|y| y.status);
    assert_eq!(y, Some(Status::Skipped));
}

#[flow]
async fn cut_off(lab: &Lab) -> Result<(), String> {
    steps! { h = flaky_undo(lab, "h"); d = fail(lab, "no"); }
    let _ = (h, d);
    Ok(())
}

#[tokio::test]
async fn regression_an_undo_that_a_crash_cut_off_used_up_one_of_its_retries() {
    let text = r#"{"name":"cut_off","status":"undoing","err":"no","startedAt":"2026-01-01T00:00:00Z",
        "doneAt":"2026-01-01T00:00:02Z","kind":"flow","input":{},"id":"a","states":[
        {"name":"h","status":"undoing","startedAt":"2026-01-01T00:00:00Z",
            "doneAt":"2026-01-01T00:00:01Z","output":null,
            "undo":{"err":"not yet","startedAt":"2026-01-01T00:00:02Z","attempts":2}},
        {"name":"d","err":"no","startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z"}]}"#;
    let lab = Lab::new();
    for text in ["h", "undo h, which failed", "undo h, and a crash"] {
        lab.act(text).unwrap();
    }
    let state = State::from_json(text).unwrap();
    // Two retries: it failed once, was cut off in the first, fails in that, and does well.
    let failure = run(cut_off(&lab).resume(state), lab.clock()).await;
    let failure = failure.unwrap_err();
    assert_eq!(failure.status(), Status::Undone, "{failure}");
    assert_eq!(lab.texts()[3..], ["undo h", "undo h"]);
    let undo = failure.state.get("h").unwrap().undo.clone().unwrap();
    assert_eq!(undo.attempts, 3);
}

/// The group itself is what can't be undone: that is found before anything is.
#[tokio::test]
async fn regression_a_group_that_cannot_be_entered_left_the_rollback_stuck() {
    let lab = Lab::new();
    let saved = State::from_json(
        r#"{"name":"outer","kind":"flow","status":"undoing","startedAt":"2026-01-01T00:00:00Z",
            "err":"bad: no","input":{},"states":[
            {"name":"a","output":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z"},
            {"name":"n","kind":"flow","input":{"n":"no number"},"output":21,
             "startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z","states":[
             {"name":"a","output":10,"startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z"},
             {"name":"b","output":11,"startedAt":"2026-01-01T00:00:01Z","doneAt":"2026-01-01T00:00:02Z"}]},
            {"name":"c","status":"undone","startedAt":"2026-01-01T00:00:02Z","doneAt":"2026-01-01T00:00:03Z"}]}"#,
    );
    let saved = saved.unwrap();
    let failure = outer(&lab).resume(saved.clone()).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Misfit(_)), "{failure}");
    assert!(
        failure
            .to_string()
            .contains("`n` does not fit: its saved input"),
        "{failure}"
    );
    assert_eq!(*failure.state, saved);
    assert_eq!(lab.texts(), Vec::<String>::new());
}
