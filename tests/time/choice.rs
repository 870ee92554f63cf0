//! The branches of an `if`: `else if` and `else if let`.

use std::sync::Arc;

use steps::{
    Branch, Outcome, State, Status,
    prelude::*,
    testing::{FakeClock, Lab},
};

use crate::support::{act, run};

#[step]
async fn fail(_lab: &Lab, wanted: bool) -> Result<(), String> {
    if wanted { Err("no".into()) } else { Ok(()) }
}

#[flow]
async fn choose(lab: &Lab, n: u32, found: Option<String>, fails: bool) -> Result<String, String> {
    steps! {
        path = if n == 1 {
            one = act(lab, "one");
        } else if let Some(name) = &found {
            two = act(lab, name);
            pause = steps::sleep("1h");
        } else if n == 3 {
            three = act(lab, "three");
        } else {
            rest = act(lab, "rest");
        }
        maybe = if n == 1 { a = act(lab, "a"); } else if n == 2 { b = act(lab, "b"); }
        fail(lab, fails);
    }
    let path = match path {
        Branch::Then(first) => first.one,
        Branch::Else(other) => match other.else_if {
            Branch::Then(second) => second.two,
            Branch::Else(other) => match other.else_if {
                Branch::Then(third) => third.three,
                Branch::Else(last) => last.rest,
            },
        },
    };
    let maybe = match maybe {
        Branch::Then(first) => Some(first.a),
        Branch::Else(other) => other.else_if.map(|second| second.b),
    };
    Ok(format!("{path} {maybe:?}"))
}

#[tokio::test]
async fn the_first_branch_whose_condition_holds_runs() {
    let found = Some("two".to_owned());
    for (n, found, expected, acts) in [
        (1, found.clone(), r#"one Some("a")"#, vec!["one", "a"]),
        (2, found, r#"two Some("b")"#, vec!["two", "b"]),
        (3, None, "three None", vec!["three"]),
        (4, None, "rest None", vec!["rest"]),
    ] {
        let (lab, clock) = (Lab::new(), FakeClock::new());
        let value = run(choose(&lab, n, found, false), &clock).await.unwrap();
        assert_eq!(
            (value.as_str(), lab.texts()),
            (expected, acts.iter().map(ToString::to_string).collect())
        );
    }
}

#[tokio::test]
async fn each_decision_is_recorded_and_undone_in_its_branch() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let flow = || choose(&lab, 2, Some("two".into()), true).clock(Arc::new(clock.clone()));
    let pass = flow().advance().await.unwrap();
    assert!(matches!(
        pass.outcome,
        Outcome::Waiting { until: Some(_), .. }
    ));
    let state = pass.state.state();
    assert_eq!(state.get("path").unwrap().decision, Some(false));
    assert_eq!(state.get("path.else_if").unwrap().decision, Some(true));
    assert_eq!(
        pass.state.path.otherwise.else_if.then.two.status(),
        Status::Done
    );
    assert_eq!(
        choose::STEPS.path.otherwise.else_if.then.two.path(),
        "path.else_if.two"
    );
    let tree = pass.state.tree().to_string();
    assert!(tree.contains("else_if"), "{tree}");
    let text = state.to_json();
    clock.advance(std::time::Duration::from_secs(3600));
    let pass = flow()
        .resume(State::from_json(&text).unwrap())
        .advance()
        .await
        .unwrap();
    assert!(matches!(pass.outcome, Outcome::Failed(_)));
    assert_eq!(lab.texts(), ["two", "b", "undo b", "undo two"]);
}
