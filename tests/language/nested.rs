//! Where a flow contains another: whose `on_failure` counts, and how far a pivot reaches.

use steps::{State, Status, prelude::*, testing::Lab};

use crate::support::{act, fail};

#[flow]
async fn undoes(lab: &Lab) -> Result<(), String> {
    steps! { a = act(lab, "a"); b = fail(lab, "no"); }
    let _ = (a, b);
    Ok(())
}

#[flow(on_failure = "hold")]
async fn holds(lab: &Lab) -> Result<(), String> {
    steps! { a = act(lab, "a"); b = fail(lab, "no"); }
    let _ = (a, b);
    Ok(())
}

#[flow]
async fn undoes_holds(lab: &Lab) -> Result<(), String> {
    steps! { x = act(lab, "x"); inner = flow holds(lab); }
    let _ = (x, inner);
    Ok(())
}

#[flow(on_failure = "hold")]
async fn holds_holds(lab: &Lab) -> Result<(), String> {
    steps! { x = act(lab, "x"); inner = flow holds(lab); }
    let _ = (x, inner);
    Ok(())
}

#[flow(on_failure = "hold")]
async fn holds_undoes(lab: &Lab) -> Result<(), String> {
    steps! { x = act(lab, "x"); inner = flow undoes(lab); }
    let _ = (x, inner);
    Ok(())
}

#[flow(on_failure = "hold")]
async fn passes_over(lab: &Lab) -> Result<(), String> {
    steps! {
        #[optional]
        inner = flow holds(lab);
        x = act(lab, "x");
    }
    let _ = (x, inner);
    Ok(())
}

#[tokio::test]
async fn a_hold_decides_only_about_its_own_flow() {
    let lab = Lab::new();
    let failure = undoes_holds(&lab).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(
        lab.texts(),
        ["x", "a", "undo a", "undo x"],
        "the outer flow undoes all"
    );

    let lab = Lab::new();
    let failure = holds_holds(&lab).await.unwrap_err();
    let status = |path: &str| failure.state.get(path).unwrap().status;
    assert_eq!(
        (failure.status(), status("inner")),
        (Status::Failed, Status::Failed)
    );
    assert_eq!(lab.texts(), ["x", "a"]);
    let mut state = State::clone(&failure.state);
    state.recover().unwrap();
    holds_holds(&lab).resume(state).await.unwrap_err();
    assert_eq!(
        lab.texts(),
        ["x", "a"],
        "it goes on at the step that failed"
    );

    let lab = Lab::new();
    let failure = holds_undoes(&lab).await.unwrap_err();
    let status = |path: &str| failure.state.get(path).unwrap().status;
    assert_eq!(
        (failure.status(), status("inner")),
        (Status::Failed, Status::Undone)
    );
    assert_eq!(
        lab.texts(),
        ["x", "a", "undo a"],
        "the inner flow undoes itself"
    );
    let mut state = State::clone(&failure.state);
    state.recover().unwrap();
    holds_undoes(&lab).resume(state).await.unwrap_err();
    assert_eq!(lab.texts()[3..], ["a", "undo a"], "and begins again");

    let lab = Lab::new();
    passes_over(&lab).await.unwrap();
    assert_eq!(
        lab.texts(),
        ["a", "undo a", "x"],
        "an optional line leaves nothing"
    );
}

#[flow]
async fn past_pivot(lab: &Lab, fails: bool) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        #[pivot]
        b = act(lab, "b");
        c = act(lab, "c");
        d = if fails { fail(lab, "no"); }
    }
    let _ = (a, b, c, d);
    Ok(())
}

#[flow]
async fn around_pivot(lab: &Lab, fails: bool) -> Result<(), String> {
    steps! {
        x = act(lab, "x");
        inner = flow past_pivot(lab, fails);
        y = act(lab, "y");
        z = fail(lab, "no");
    }
    let _ = (x, inner, y, z);
    Ok(())
}

#[tokio::test]
async fn a_pivot_counts_only_in_its_own_flow() {
    for fails in [true, false] {
        let lab = Lab::new();
        let failure = around_pivot(&lab, fails).await.unwrap_err();
        assert_eq!(failure.status(), Status::Undone);
        let mut told = vec!["x", "a", "b", "c"];
        if !fails {
            told.extend(["y", "undo y"]);
        }
        told.extend(["undo c", "undo x"]);
        assert_eq!(lab.texts(), told, "fails: {fails}");
    }
}
