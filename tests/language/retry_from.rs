//! Beginning again with a step: what runs then, and where that is refused.

use steps::{
    State, Status,
    prelude::*,
    testing::{Fault, Lab},
};

use crate::support::{act, num};

#[flow]
async fn chain(lab: &Lab) -> Result<u32, String> {
    steps! {
        a = act(lab, "a");
        b = act(lab, "b");
        c = act(lab, "c");
    }
    let _ = (a, b, c);
    Ok(1)
}

#[flow]
async fn rounds(lab: &Lab) -> Result<u32, String> {
    steps! {
        l = loop max 5 {
            n = num(lab, prev.map_or(1, |prev| prev.n + 1));
            pay = act(lab, &format!("pay{n}"));
            mail = act(lab, &format!("mail{n}"));
        } until n == 3;
    }
    Ok(l.n)
}

#[flow]
async fn items(lab: &Lab) -> Result<u32, String> {
    steps! {
        f = for n in 1..=3_u32 by n parallel(2) {
            pay = act(lab, &format!("pay{n}"));
            mail = act(lab, &format!("mail{n}"));
        }
        last = act(lab, "last");
    }
    let _ = (f, last);
    Ok(1)
}

#[flow]
async fn passes_over(lab: &Lab) -> Result<u32, String> {
    steps! {
        #[optional]
        o = { x = act(lab, "x"); y = act(lab, "y"); }
        c = act(lab, "c");
    }
    let _ = (o, c);
    Ok(1)
}

/// Begins again with a step, in a world in which nothing fails: what runs.
macro_rules! again {
    ($flow:ident, $state:expr, $path:expr) => {{
        let mut state: State = $state.clone();
        state.reset($path).unwrap();
        let state = State::from_json(&state.to_json()).unwrap();
        let lab = Lab::new();
        $flow(&lab).resume(state).await.unwrap();
        lab.texts().join(" ")
    }};
}

#[tokio::test]
async fn claim_retry_from_a_step_of_an_undone_execution() {
    let lab = Lab::new();
    lab.fault("c", Fault::FailBefore);
    let failure = chain(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    let mut state = State::clone(&failure.state);
    for path in ["b", "c"] {
        let error = state.reset(path).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "can't begin again with `{path}`: `a` before it was undone; begin again with that, \
                 or recover the execution"
            )
        );
    }
    assert_eq!(state, *failure.state, "its failure is still told");
    let again_failed = chain(&lab).resume(state.clone()).await.unwrap_err();
    assert_eq!(again_failed.to_string(), failure.to_string());
    assert_eq!(again!(chain, state, "a"), "a b c");
}

#[tokio::test]
async fn claim_retry_from_a_step_of_a_stuck_execution_and_its_recovery() {
    let lab = Lab::new();
    lab.fault("c", Fault::FailBefore);
    lab.fault("undo a", Fault::FailBefore);
    let failure = chain(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Stuck);
    let mut state = State::clone(&failure.state);
    let error = state.recover().unwrap_err().to_string();
    assert_eq!(
        error,
        "can't recover: the undo of `a` failed, so its effect may still be there; `retry_undo`, \
         `skip_undo` or `mark_undone` comes first"
    );
    let error = state.reset("c").unwrap_err().to_string();
    assert!(
        error.contains("`a` before it could not be undone"),
        "{error}"
    );
    assert_eq!(state, *failure.state);
    assert_eq!(again!(chain, state, "a"), "a b c");

    // After it was resolved, it can be recovered.
    state.mark_undone("a").unwrap();
    let lab = Lab::new();
    let undone = chain(&lab).resume(state).await.unwrap_err();
    assert_eq!(
        (undone.status(), undone.step()),
        (Status::Undone, Some("c"))
    );
    let mut state = State::clone(&undone.state);
    assert!(state.recover().unwrap() > 0);
    chain(&lab).resume(state).await.unwrap();
    assert_eq!(lab.texts(), ["a", "b", "c"]);
}

#[tokio::test]
async fn claim_retry_from_a_round_that_is_not_the_last() {
    let lab = Lab::new();
    let (_, state) = rounds(&lab).with_state().await.unwrap();
    let state = state.state();
    assert_eq!(
        again!(rounds, state, "l.1.mail"),
        "mail1 2 pay2 mail2 3 pay3 mail3"
    );
    assert_eq!(again!(rounds, state, "l.2.pay"), "pay2 mail2 3 pay3 mail3");
    assert_eq!(again!(rounds, state, "l.2"), "2 pay2 mail2 3 pay3 mail3");
    assert_eq!(again!(rounds, state, "l.3.mail"), "mail3");
    assert_eq!(
        again!(rounds, state, "l"),
        "1 pay1 mail1 2 pay2 mail2 3 pay3 mail3"
    );
}

#[tokio::test]
async fn claim_retry_from_one_item_of_a_parallel_for() {
    let lab = Lab::new();
    let (_, state) = items(&lab).with_state().await.unwrap();
    let state = state.state();
    assert_eq!(again!(items, state, "f.1.mail"), "mail1 last");
    assert_eq!(again!(items, state, "f.2"), "pay2 mail2 last");
    assert_eq!(again!(items, state, "last"), "last");
}

#[tokio::test]
async fn what_an_optional_group_left_behind_is_not_in_the_way() {
    let lab = Lab::new();
    lab.fault("y", Fault::FailBefore);
    let (_, state) = passes_over(&lab).with_state().await.unwrap();
    assert_eq!(lab.texts(), ["x", "undo x", "c"]);
    assert_eq!(again!(passes_over, state.state(), "c"), "c");
    assert_eq!(again!(passes_over, state.state(), "o"), "x y c");
}
