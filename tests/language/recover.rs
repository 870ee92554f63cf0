//! Failing for good, recovering, trying again from a step, and the states a run may be resumed in.

use steps::{
    Cause, Outcome, State, Status,
    compat::Misfit,
    prelude::*,
    testing::{Fault, Lab},
};

use crate::support::{act, num};

#[flow(on_failure = "hold")]
async fn holds(lab: &Lab, n: u32) -> Result<u32, String> {
    steps! {
        a = act(lab, "a");
        p = parallel { b = act(lab, "b"); g = { c = act(lab, "c"); d = act(lab, "d"); } }
        each = for n in 0..3_u32 by n { e = num(lab, n); }
        rounds = loop { r = num(lab, prev.map_or(10, |prev| prev.r + 1)); } until r == 12;
        last = num(lab, n);
    }
    let _ = (a, p, each, rounds);
    Ok(last)
}

/// A4: a failure is final until it is recovered, which clears the failed path only.
#[tokio::test]
async fn a_held_flow_is_recovered_and_goes_on_where_it_failed() {
    let all = ["a", "b", "c", "d", "0", "1", "2", "10", "11", "12", "77"];
    for (index, bad) in all.into_iter().enumerate() {
        let lab = Lab::new();
        lab.fault(bad, Fault::FailBefore);
        let failure = holds(&lab, 77).await.unwrap_err();
        assert_eq!(failure.status(), Status::Failed);
        let mut state = HoldsState::from(State::clone(&failure.state));
        // It stays failed, and nothing is undone.
        let again = holds(&lab, 77).resume(state.clone()).await.unwrap_err();
        assert_eq!(again.step(), failure.step());
        let done = lab.texts();
        assert!(
            done.iter().all(|text| !text.starts_with("undo")),
            "{done:?}"
        );
        assert!(state.recover().unwrap() > 0);
        let mended = Lab::new();
        let text = state.state().to_json();
        let state = State::from_json(&text).unwrap();
        assert_eq!(holds(&mended, 77).resume(state).await.unwrap(), 77, "{bad}");
        let mut both: Vec<String> = done.into_iter().chain(mended.texts()).collect();
        assert_eq!(both.iter().filter(|text| **text == *bad).count(), 1);
        both.sort();
        let mut expected = all.to_vec();
        expected.sort_unstable();
        assert_eq!(both, expected, "{bad}, which is number {index}");
    }
}

#[tokio::test]
async fn a_held_flow_is_undone_on_request() {
    let lab = Lab::new();
    lab.fault("11", Fault::FailBefore);
    let failure = holds(&lab, 77).await.unwrap_err();
    let state = State::clone(&failure.state);
    let undone = holds(&lab, 77).resume(state).undo().await.unwrap_err();
    assert_eq!(
        (undone.status(), undone.step()),
        (Status::Undone, failure.step())
    );
    assert!(lab.there().is_empty(), "{:?}", lab.there());
}

#[flow]
async fn undoes(lab: &Lab, n: u32) -> Result<u32, String> {
    steps! {
        a = act(lab, "a");
        cond = if n > 1 { b = act(lab, "b"); }
        inner = flow nested(lab, n);
        last = num(lab, inner);
    }
    let _ = (a, cond);
    Ok(last)
}

#[flow]
async fn nested(lab: &Lab, n: u32) -> Result<u32, String> {
    steps! { c = num(lab, n + 1); }
    Ok(c + 1)
}

#[tokio::test]
async fn what_was_undone_is_recovered_and_begins_anew() {
    let lab = Lab::new();
    lab.fault("7", Fault::FailBefore);
    let failure = undoes(&lab, 5).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert!(lab.there().is_empty());
    let mut state = UndoesState::from(State::clone(&failure.state));
    assert!(state.recover().unwrap() > 0);
    let mended = Lab::new();
    assert_eq!(undoes(&mended, 5).resume(state).await.unwrap(), 7);
    assert_eq!(mended.texts(), ["a", "b", "6", "7"]);
}

#[tokio::test]
async fn from_a_step_on_it_is_done_again() {
    let lab = Lab::new();
    let (_, state) = holds(&lab, 77).with_state().await.unwrap();
    let runs = [
        ("p.g.d", vec!["d", "0", "1", "2", "10", "11", "12", "77"]),
        ("each.1", vec!["1", "2", "10", "11", "12", "77"]),
        ("rounds", vec!["10", "11", "12", "77"]),
        ("last", vec!["77"]),
        (
            "a",
            vec!["a", "b", "c", "d", "0", "1", "2", "10", "11", "12", "77"],
        ),
    ];
    for (path, expected) in runs {
        let mut state = state.state().clone();
        state.reset(path).unwrap();
        let text = state.to_json();
        let lab = Lab::new();
        let state = State::from_json(&text).unwrap();
        assert_eq!(holds(&lab, 77).resume(state).await.unwrap(), 77);
        assert_eq!(lab.texts(), expected, "from {path}");
    }
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is_when_resumed() {
    let lab = Lab::new();
    let (_, done) = undoes(&lab, 5).with_state().await.unwrap();
    let advance = undoes(&lab, 5)
        .resume(done.clone())
        .advance()
        .await
        .unwrap();
    assert!(matches!(advance.outcome, Outcome::Done(7)));
    assert_eq!(advance.state, done);
    let undone = undoes(&lab, 5).resume(done).undo().await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone));
    let count = lab.texts().len();
    let state = State::clone(&undone.state);
    let again = undoes(&lab, 5).resume(state.clone()).await.unwrap_err();
    assert!(matches!(again.cause, Cause::Undone), "{again}");
    assert_eq!((*again.state).clone(), state);
    let advance = undoes(&lab, 5).resume(state).advance().await.unwrap();
    assert!(matches!(advance.outcome, Outcome::Failed(_)));
    assert_eq!(lab.texts().len(), count);
}

#[tokio::test]
async fn another_input_is_refused_unless_it_is_asked_for() {
    let lab = Lab::new();
    lab.fault("77", Fault::FailBefore);
    let failure = holds(&lab, 77).await.unwrap_err();
    let mut state = HoldsState::from(State::clone(&failure.state));
    state.recover().unwrap();
    let before = state.clone();
    let refused = holds(&lab, 78).resume(state.clone()).await.unwrap_err();
    match &refused.cause {
        Cause::Misfit(Misfit::OtherInput { saved, given }) => {
            assert_eq!(
                (saved.as_str(), given.as_str()),
                (r#"{"n":77}"#, r#"{"n":78}"#)
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(*refused.state, *before.state());
    assert_eq!(
        holds(&lab, 78).resume(state).replace_input().await.unwrap(),
        78
    );
}
