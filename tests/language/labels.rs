//! Labels and the execution's id are saved with the state, and are there for the steps.

use std::convert::Infallible;

use steps::{Outcome, State, prelude::*};

#[step(poll(every = "1h"))]
async fn tell(cx: &Cx) -> Result<Option<Vec<String>>, Infallible> {
    let mut told = cx.saved::<Vec<String>>().unwrap_or_default();
    told.push(cx.idempotency_key());
    told.extend(cx.label("project").map(str::to_owned));
    let _ = cx.save(&told);
    Ok((cx.attempt() == 2).then_some(told))
}

#[flow]
async fn labelled() -> Result<Vec<String>, Infallible> {
    steps! { told = tell(cx); }
    Ok(told)
}

#[tokio::test]
async fn labels_and_the_id_outlive_a_resume() {
    let first = labelled()
        .label("project", "atlas")
        .label("action", "move")
        .advance()
        .await
        .unwrap();
    let text = serde_json::to_string(&first.state).unwrap();
    let saved = State::from_json(&text).unwrap();
    assert_eq!(saved.labels["project"], "atlas");

    let second = labelled()
        .resume(saved.clone())
        .label("action", "stop")
        .advance()
        .await
        .unwrap();
    let Outcome::Done(told) = second.outcome else {
        panic!("not done: {:?}", second.outcome);
    };
    let key = format!("{}/told", saved.id.as_deref().unwrap());
    assert_eq!(told, [&key, "atlas", &key, "atlas"]);
    let state = second.state.state();
    assert_eq!(state.id, saved.id);
    assert_eq!(state.labels["project"], "atlas");
    assert_eq!(state.labels["action"], "stop");
}

#[test]
fn a_typed_state_has_the_schema_of_the_tree() {
    let typed = schemars::schema_for!(LabelledState);
    let typed = serde_json::to_value(typed).unwrap();
    let untyped = serde_json::to_value(schemars::schema_for!(State)).unwrap();
    assert_eq!(typed, untyped);
    assert_eq!(typed["properties"]["labels"]["type"][0], "object");
}
