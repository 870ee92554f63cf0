//! A failure and its step are told in each status, before and after what an operator does.

use steps::{
    Cause, Failure, RunLimits, State, Status,
    compat::Misfit,
    prelude::*,
    testing::{Fault, Lab},
};

use crate::support::act;

#[flow]
async fn optional_group(lab: &Lab) -> Result<u32, String> {
    steps! {
        a = act(lab, "a");
        #[optional]
        o = { x = act(lab, "x"); y = act(lab, "y"); }
        c = act(lab, "c");
    }
    let _ = (a, o, c);
    Ok(1)
}

#[flow]
async fn nested(lab: &Lab) -> Result<u32, String> {
    steps! { x = act(lab, "x"); y = act(lab, "y"); }
    let _ = (x, y);
    Ok(1)
}

#[flow]
async fn optional_flow(lab: &Lab) -> Result<u32, String> {
    steps! {
        a = act(lab, "a");
        #[optional]
        o = flow nested(lab);
    }
    let _ = (a, o);
    Ok(1)
}

#[flow]
async fn optional_branch(lab: &Lab) -> Result<u32, String> {
    steps! {
        p = parallel {
            a = act(lab, "a");
            #[optional]
            o = { x = act(lab, "x"); y = act(lab, "y"); }
        }
    }
    let _ = p;
    Ok(1)
}

#[flow(on_failure = "hold")]
async fn held(lab: &Lab) -> Result<u32, String> {
    steps! {
        #[optional]
        o = { x = act(lab, "x"); y = act(lab, "y"); }
    }
    let _ = o;
    Ok(1)
}

fn is_told(failure: &Failure, path: &str) {
    assert_eq!(failure.step(), Some(path), "{failure}");
    assert_eq!(failure.failed().len(), 1, "{failure}");
    assert_eq!(failure.failed()[0].error, "made to fail: y", "{failure}");
}

type Act = fn(&mut State) -> bool;

/// Whose inner undo fails: `y` fails, and `x` can't be undone.
macro_rules! stays_told {
    ($flow:ident, $path:literal) => {
        let lab = Lab::new();
        lab.fault("y", Fault::FailBefore);
        lab.fault("undo x", Fault::FailBefore);
        let failure = $flow(&lab).await.unwrap_err();
        let text = failure.to_string();
        assert_eq!(failure.status(), Status::Stuck, "{text}");
        is_told(&failure, concat!($path, ".y"));
        assert_eq!(failure.undo_failed()[0].path, concat!($path, ".x"));
        assert!(!lab.texts().contains(&"c".to_owned()), "it did not go on");

        let saved = State::from_json(&failure.state.to_json()).unwrap();
        let read = $flow(&lab).resume(saved.clone()).await.unwrap_err();
        assert_eq!(read.to_string(), text);

        let acts: [Act; 3] = [
            |state| state.retry_undo().is_ok(),
            |state| state.skip_undo(concat!($path, ".x")).is_ok(),
            |state| state.mark_undone(concat!($path, ".x")).is_ok(),
        ];
        for act in acts {
            let mut state = saved.clone();
            assert!(act(&mut state));
            let undone = $flow(&Lab::new()).resume(state).await.unwrap_err();
            assert_eq!(undone.status(), Status::Undone, "{undone}");
            is_told(&undone, concat!($path, ".y"));
            let saved = State::from_json(&undone.state.to_json()).unwrap();
            let read = $flow(&Lab::new()).resume(saved.clone()).await.unwrap_err();
            assert_eq!(read.to_string(), undone.to_string());

            let mut state = saved;
            assert!(state.recover().unwrap() > 0);
            $flow(&Lab::new()).resume(state).await.unwrap();
        }
    };
}

#[tokio::test]
async fn claim_small_an_optional_group_whose_inner_undo_fails() {
    stays_told!(optional_group, "o");
    stays_told!(optional_flow, "o");
    stays_told!(optional_branch, "p.o");
}

#[tokio::test]
async fn a_failure_that_was_not_passed_over_is_told_of_a_held_flow() {
    let lab = Lab::new();
    lab.fault("y", Fault::FailBefore);
    lab.fault("undo x", Fault::FailBefore);
    let failure = held(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Failed);
    is_told(&failure, "o.y");
    let mut state = State::clone(&failure.state);
    let error = state.recover().unwrap_err().to_string();
    assert!(error.contains("the undo of `o.x` failed"), "{error}");

    let stuck = held(&Lab::new()).resume(state).undo().await.unwrap_err();
    assert_eq!(stuck.status(), Status::Stuck, "{stuck}");
    is_told(&stuck, "o.y");
    let mut state = State::clone(&stuck.state);
    state.retry_undo().unwrap();
    let undone = held(&Lab::new()).resume(state).await.unwrap_err();
    assert_eq!(undone.status(), Status::Undone);
    is_told(&undone, "o.y");
}

#[flow]
async fn fails_after(lab: &Lab) -> Result<u32, String> {
    steps! {
        #[optional]
        o = { x = act(lab, "x"); y = act(lab, "y"); }
    }
    match o {
        Some(_) => Ok(1),
        None => Err("no o".to_owned()),
    }
}

#[tokio::test]
async fn a_failure_that_was_passed_over_is_not_the_cause() {
    let lab = Lab::new();
    lab.fault("y", Fault::FailBefore);
    let failure = fails_after(&lab).await.unwrap_err();
    assert_eq!(failure.step(), Some(""), "{failure}");
    assert_eq!(failure.failed()[0].error, "no o");
}

#[flow]
async fn takes(text: String) -> Result<usize, String> {
    steps! {}
    Ok(text.len())
}

#[tokio::test]
async fn claim_small_an_input_over_the_limit_is_refused_before_anything_runs() {
    let limits = RunLimits::DEFAULT.payload(100);
    let failure = takes("x".repeat(200)).limits(limits).await.unwrap_err();
    assert!(matches!(
        failure.cause,
        Cause::Misfit(Misfit::LargeInput(_))
    ));
    assert_eq!(
        failure.to_string(),
        "flow `takes` can't begin: its input is 211 bytes of JSON, and the limit is 100: save it \
         elsewhere, and only where it is here"
    );
    let (_, state) = takes("x".into()).limits(limits).with_state().await.unwrap();
    let again = takes("x".repeat(200))
        .limits(limits)
        .resume(state)
        .replace_input();
    let failure = again.await.unwrap_err();
    assert!(matches!(
        failure.cause,
        Cause::Misfit(Misfit::LargeInput(_))
    ));
}
