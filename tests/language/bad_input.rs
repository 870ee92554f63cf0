//! State JSON that is broken, too large, or not of this flow: an error that says where and why,
//! never a panic, and nothing lost.

use std::sync::Arc;

use steps::{
    Cause, Failure, State,
    compat::Misfit,
    prelude::*,
    state::{Limits, StateError},
    testing::{Injected, Lab},
};

use crate::support::{act, num, ready};

#[flow]
async fn small(lab: &Lab, n: u32) -> Result<u32, Injected> {
    steps! {
        g = { a = num(lab, n); }
        each = for n in [1_u32, 2] by n { b = num(lab, n + 10); }
        wait = ready(lab, "go");
        c = act(lab, "c");
    }
    let _ = (each, wait, c);
    Ok(g.a)
}

async fn saved() -> String {
    small(&Lab::new(), 5)
        .advance()
        .await
        .unwrap()
        .state
        .state()
        .to_json()
}

#[tokio::test]
async fn a_truncated_state_is_an_error_at_any_length() {
    let text = saved().await;
    for length in 0..text.len() {
        let error = State::from_json(&text[..length]).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    let error = State::from_json(&text[..text.len() - 3])
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 1") || error.contains("EOF"), "{error}");
}

#[test]
fn a_wrong_shape_is_an_error_that_names_the_path() {
    let cases = [
        ("7", "node"),
        ("[]", "node"),
        (r#"{"states":[]}"#, "name"),
        (
            r#"{"name":"f","states":[{"name":"g","states":{"a":1}}]}"#,
            "g",
        ),
        (
            r#"{"name":"f","states":[{"name":"g","states":[{"name":"a","status":"great"}]}]}"#,
            "g.a",
        ),
        (
            r#"{"name":"f","states":[{"name":"g","startedAt":"soon"}]}"#,
            "g",
        ),
        (
            r#"{"name":"f","states":[{"name":"g","status":"done"}]}"#,
            "doneAt",
        ),
        (r#"{"name":"f","name":"g"}"#, "twice"),
    ];
    for (text, named) in cases {
        let error = State::from_json(text).unwrap_err().to_string();
        assert!(error.contains(named), "{text}: {error}");
    }
}

#[test]
fn ten_thousand_levels_and_a_huge_text_are_refused() {
    let deep = r#"{"name":"x","states":["#.repeat(10_000) + &"]}".repeat(10_000);
    let error = State::from_json(&deep).unwrap_err();
    assert!(matches!(error, StateError::Limit { .. }), "{error}");
    // Levels inside a saved value are no nodes, but bounded as well.
    let value = "[".repeat(10_000) + &"]".repeat(10_000);
    let text = format!(r#"{{"name":"small","input":{{"n":{value}}}}}"#);
    if let Ok(state) = State::from_json(&text) {
        assert!(
            state
                .node
                .input
                .unwrap()
                .decode::<serde_json::Value>()
                .is_err()
        );
    }
    let wide = format!(
        r#"{{"name":"f","states":[{}]}}"#,
        vec![r#"{"name":"x"}"#; 100].join(",")
    );
    let error = State::from_json_with(&wide, &Limits::default().nodes(50)).unwrap_err();
    assert!(error.to_string().contains("50 nodes"), "{error}");
    let error = State::from_json_with(&wide, &Limits::default().bytes(100)).unwrap_err();
    assert!(error.to_string().contains("100"), "{error}");
}

/// Resumes from the saved state with `from` replaced, and wants it refused and left as it was.
async fn refused(from: &str, to: &str) -> Failure {
    let text = saved().await;
    assert!(text.contains(from), "{text}");
    let state = State::from_json(&text.replace(from, to)).unwrap();
    let lab = Lab::new();
    let failure = small(&lab, 5).resume(state.clone()).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Misfit(_)), "{failure}");
    assert_eq!(*failure.state, state);
    assert_eq!(lab.texts().len(), 0);
    failure
}

#[tokio::test]
async fn a_state_that_is_not_this_flows_is_refused_with_the_reason() {
    let failure = refused(r#""name":"small""#, r#""name":"other""#).await;
    assert!(failure.to_string().contains("`other`") && failure.to_string().contains("`small`"));
    let failure = refused(r#""output":5"#, r#""output":"five""#).await;
    let text = failure.to_string();
    assert!(
        text.contains("`g.a`") && text.contains("invalid type: string"),
        "{text}"
    );
    let failure = refused(r#""output":12"#, r#""output":-1"#).await;
    assert!(failure.to_string().contains("`each.2.b`"), "{failure}");
    let failure = refused(r#""input":[1,2]"#, r#""input":[1,2,3]"#).await;
    let text = failure.to_string();
    assert!(
        text.contains("`each`") && text.contains("3 items and 2 nodes"),
        "{text}"
    );
    let failure = refused(r#""input":[1,2]"#, r#""input":["x","y"]"#).await;
    assert!(failure.to_string().contains("`each`"), "{failure}");
    let failure = refused(r#""input":{"n":5}"#, r#""input":{"n":[]}"#).await;
    assert!(matches!(
        failure.cause,
        Cause::Misfit(Misfit::OtherInput { .. } | Misfit::Input(_))
    ));
    let failure = refused(r#""name":"a""#, r#""name":"unknown""#).await;
    assert!(failure.to_string().contains("`g.unknown`"), "{failure}");
}

#[tokio::test]
async fn of_a_node_that_stands_twice_the_later_one_counts() {
    let text = saved().await;
    let state = State::from_json(&text).unwrap();
    let wait = state.get("wait").unwrap().to_json();
    let twice = text.replace(&wait, &format!("{},{wait}", r#"{"name":"wait","info":7}"#));
    assert_ne!(text, twice);
    assert_eq!(State::from_json(&twice).unwrap(), state);
}

/// Fields of another program are kept through a run.
#[tokio::test]
async fn unknown_fields_are_kept_through_a_resume() {
    let text = saved()
        .await
        .replacen(r#""name":"g""#, r#""name":"g","colour":"blue""#, 1);
    let lab = Lab::new();
    lab.act("go").unwrap();
    let run = small(&lab, 5)
        .resume(State::from_json(&text).unwrap())
        .clock(Arc::new(lab.clock().clone()));
    let (_, state) = run.with_state().await.unwrap();
    assert!(state.state().to_json().contains(r#""colour":"blue""#));
}

/// A2, A7: what the Go library wrote is gone on with, and can be asked by path.
#[tokio::test]
async fn a_state_of_another_program_goes_on_and_keeps_its_values() {
    let text = r#"{"name":"small","info":null,"err":"","startedAt":"2022-03-19T16:54:44.8+08:00","doneAt":null,"states":[
        {"name":"g","info":null,"err":"","startedAt":"2022-03-19T16:54:44.8+08:00","doneAt":"2022-03-19T16:54:44.9+08:00","states":[
            {"name":"a","info":5,"err":"","startedAt":"2022-03-19T16:54:44.8+08:00","doneAt":"2022-03-19T16:54:44.9+08:00","states":[]}]}]}"#;
    let state = State::from_json(text).unwrap();
    assert!(state.has("g.a") && state.succeeded("g") && state.proceeding(""));
    assert!(!state.started("wait") && !state.failed("g.a"));
    assert_eq!(state.last_path().as_deref(), Some("g.a"));
    let lab = Lab::new();
    // Pass after pass: what stood for the output stays the output.
    let first = small(&lab, 5).resume(state).advance().await.unwrap();
    let second = small(&lab, 5).resume(first.state).advance().await.unwrap();
    lab.act("go").unwrap();
    let run = small(&lab, 5)
        .resume(second.state)
        .clock(Arc::new(lab.clock().clone()));
    let (value, state) = run.with_state().await.unwrap();
    assert_eq!(value, 5);
    assert_eq!(state.g.a.output().unwrap(), Some(5));
    assert_eq!(lab.texts(), ["11", "12", "go", "c"]);
}
