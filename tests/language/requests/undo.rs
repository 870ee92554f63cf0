//! Asked to be undone while it runs.

use super::*;

#[flow]
async fn undone_in_the_middle(control: &Control, lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        p = parallel {
            b = long(cx, lab, "b");
            #[atomic]
            f = { g = long(cx, lab, "g"); h = act(lab, "h"); }
            wait = ready(lab, "go");
            n = flow patient(lab);
            #[optional]
            o = { i = long(cx, lab, "i"); j = act(lab, "j"); }
            c = { d = undoes(control, lab, "d"); e = act(lab, "e"); }
        }
        k = act(lab, "k");
    }
    let _ = (a, p, k);
    Ok(())
}

#[flow]
async fn patient(lab: &Lab) -> Result<(), Injected> {
    steps! { x = act(lab, "x"); w = careful(cx, lab, "w"); }
    let _ = (x, w);
    Ok(())
}

#[tokio::test]
async fn an_undo_takes_back_whatever_was_done() {
    let (lab, control) = (Lab::new(), Control::new());
    let begun = steps::clock::TestClock::now(lab.clock());
    let run = undone_in_the_middle(&control, &lab).control(&control);
    let undone = clocked(&lab, run).await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    // The step that ended early would have been tried again.
    let errors = &undone.state.get("p.n.w").unwrap().errors;
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(errors[1], "given up, as it is to be undone");
    assert_eq!(undone.status(), Status::Undone);
    assert!(lab.there().is_empty(), "{:?}", lab.texts());
    for never in ["e", "h", "j", "k"] {
        assert!(
            !lab.texts().contains(&never.to_owned()),
            "{never} was begun"
        );
    }
    let took = steps::clock::TestClock::now(lab.clock()).duration_since(begun);
    assert!(
        took.as_secs() < 60,
        "what waits for an hour is given up at once"
    );
    assert_eq!(status(&undone.state, "k"), Status::Skipped);
    assert_eq!(status(&undone.state, "p.c.e"), Status::Skipped);
    assert_eq!(status(&undone.state, "p.wait"), Status::Failed);
}

#[flow(on_failure = "hold")]
async fn held(control: &Control, lab: &Lab, bad: bool) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        b = if bad { x = fail(lab, "no"); } else { y = undoes(control, lab, "b"); }
        c = act(lab, "c");
    }
    let _ = (a, b, c);
    Ok(())
}

#[tokio::test]
async fn an_undo_takes_back_a_flow_that_holds() {
    let (lab, control) = (Lab::new(), Control::new());
    let run = held(&control, &lab, false).control(&control);
    let undone = run.await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    assert_eq!(undone.status(), Status::Undone);
    assert_eq!(lab.texts(), ["a", "b", "undo b", "undo a"]);

    // One that is held already, and asked before the run.
    let (lab, control) = (Lab::new(), Control::new());
    let failed = held(&control, &lab, true).await.unwrap_err();
    assert_eq!(failed.status(), Status::Failed);
    control.undo();
    let run = held(&control, &lab, true).control(&control);
    let undone = run.resume(State::clone(&failed.state)).await.unwrap_err();
    assert_eq!(
        (undone.status(), undone.step()),
        (Status::Undone, Some("b.x"))
    );
    assert!(lab.there().is_empty());
}

#[flow]
async fn last_one_undoes(control: &Control, lab: &Lab) -> Result<(), Injected> {
    steps! { a = act(lab, "a"); }
    drop(a);
    lab.act("tail")?;
    control.undo();
    Ok(())
}

#[tokio::test]
async fn what_came_to_its_end_meanwhile_is_undone_from_there() {
    let (lab, control) = (Lab::new(), Control::new());
    let run = last_one_undoes(&control, &lab).control(&control);
    let undone = run.await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    assert_eq!(lab.texts(), ["a", "tail", "undo a"]);
}

#[flow]
async fn fails_to_undo(control: &Control, lab: &Lab) -> Result<(), Injected> {
    steps! { a = act(lab, "a"); b = undoes(control, lab, "b"); c = act(lab, "c"); }
    let _ = (a, b, c);
    Ok(())
}

#[on_failed(fails_to_undo)]
async fn told(_control: &Control, lab: &Lab, failure: &Failure) -> Result<(), Injected> {
    lab.act(format!("told of {}", failure.status()))
}

#[tokio::test]
async fn an_undo_that_fails_is_told() {
    let (lab, control) = (Lab::new(), Control::new());
    lab.fault("undo a", Fault::FailBefore);
    let run = fails_to_undo(&control, &lab).control(&control);
    let stuck = run.await.unwrap_err();
    assert_eq!(stuck.status(), Status::Stuck);
    assert!(stuck.failed().is_empty());
    assert_eq!(stuck.undo_failed().len(), 1);
    assert!(
        stuck
            .to_string()
            .starts_with("flow `fails_to_undo` could not be undone at `a`: "),
        "{stuck}"
    );
    assert_eq!(lab.texts(), ["a", "b", "undo b", "told of stuck"]);
}

#[tokio::test]
async fn a_rollback_is_not_stopped() {
    let (lab, control) = (Lab::new(), Control::new());
    control.stop();
    let other = Control::new();
    let run = stops_and_fails(&other, &lab);
    let failure = clocked(&lab, run).await.unwrap_err();
    let mut state = State::clone(&failure.state);
    // As a crash in the middle of the rollback leaves it.
    state.status = Status::Undoing;
    state.get_mut("a").unwrap().status = Status::Done;
    state.get_mut("a").unwrap().undo = None;
    lab.act("a").unwrap();
    let run = stops_and_fails(&control, &lab)
        .control(&control)
        .resume(state);
    let failure = run.await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert!(lab.there().is_empty(), "{:?}", lab.there());
}

#[flow]
async fn crashed(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        p = parallel { b = act(lab, "b"); c = careful(cx, lab, "c"); d = ready(lab, "go"); }
    }
    let _ = (a, p);
    Ok(())
}

/// What was running when the process died is found out about first.
#[tokio::test]
async fn an_undo_after_a_crash_finds_out_what_was_running() {
    let text = r#"{"name":"crashed","startedAt":"2026-01-01T00:00:00Z","kind":"flow","input":{},
        "id":"01890a5d-ac96-774b-bcce-b302099a8057","states":[
        {"name":"a","startedAt":"2026-01-01T00:00:00Z","doneAt":"2026-01-01T00:00:01Z","output":"a"},
        {"name":"p","kind":"parallel","startedAt":"2026-01-01T00:00:01Z","states":[
            {"name":"b","startedAt":"2026-01-01T00:00:01Z"},
            {"name":"c","startedAt":"2026-01-01T00:00:01Z"},
            {"name":"d","startedAt":"2026-01-01T00:00:01Z","status":"waiting","until":"2099-01-01T00:00:00Z"}]}]}"#;
    let lab = Lab::new();
    for done in ["a", "b", "c"] {
        lab.act(done).unwrap();
    }
    let state = State::from_json(text).unwrap();
    let undone = crashed(&lab).resume(state).undo();
    let undone = clocked(&lab, undone).await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    // `b` ran again, as nobody could tell; `c` was found, and has no undo.
    assert_eq!(lab.texts()[3..], ["b", "undo b", "undo a"]);
    assert_eq!(lab.there().into_iter().collect::<Vec<_>>(), ["c"]);
}
