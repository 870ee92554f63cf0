//! What is refused, and leaves the saved state as it was.

use std::error::Error as _;

use steps::{
    Cause, State,
    compat::Misfit,
    prelude::*,
    state::StateError,
    state_store::{NotSaved, StateStoreError, change},
};

use crate::place::{At, Place};

#[step]
async fn fetch(bytes: usize) -> Result<String, String> {
    Ok("x".repeat(bytes))
}

#[step(readonly, poll(every = "1h"))]
async fn never() -> Result<Option<()>, String> {
    Ok(None)
}

#[flow]
async fn report(small: usize, large: usize) -> Result<usize, String> {
    steps! {
        parts = {
            head = fetch(small);
            body = fetch(large);
        }
        never();
    }
    Ok(parts.head.len() + parts.body.len())
}

#[flow]
async fn takes(text: String) -> Result<usize, String> {
    steps! { never(); }
    Ok(text.len())
}

#[tokio::test]
async fn a_state_that_is_too_large_is_not_written_and_names_the_largest_step() {
    let place = Place::default().max(10_000);
    let run = report(1_000, 9_500).id("r-1").stored_in(&place);
    let error = run.advance().await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("execution `r-1` of flow `report` is not saved: its state takes 1"),
        "{text}"
    );
    assert!(
        text.contains("this place has room for 10000") && text.contains("the step `parts.body`"),
        "{text}"
    );
    assert!(!error.is_conflict());
    let StateStoreError::NotSaved { why, state, .. } = error else {
        panic!("{text}")
    };
    let NotSaved::TooLarge {
        bytes,
        max: 10_000,
        step_bytes,
        ..
    } = why
    else {
        panic!("{why}")
    };
    assert!(
        bytes > 10_500 && (9_500..9_800).contains(&step_bytes),
        "{why}"
    );
    // It is not lost to whoever has the error.
    assert!(state.succeeded("parts.body"));
    // What was saved before the step is as it was.
    assert!(place.state().succeeded("parts.head") && place.state().proceeding("parts.body"));

    let input = "i".repeat(20_000);
    let place = Place::default().max(10_000);
    let error = takes(input)
        .stored_in(&place)
        .once_a_pass()
        .advance()
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("are its own input and output"),
        "{error}"
    );
    assert_eq!((place.saves(), place.text()), (0, None));
}

#[tokio::test]
async fn a_state_of_just_the_largest_size_is_saved() {
    let place = Place::default();
    let _ = report(10, 20).stored_in(&place).advance().await.unwrap();
    let label = |state: &mut State| {
        state.labels.insert("label".into(), "value".into());
        Ok::<_, StateError>(())
    };
    let mut labelled = place.state();
    label(&mut labelled).unwrap();
    let length = labelled.to_json().len();
    let place = place.max(length - 1);
    let error = change(&place, label).await.unwrap_err();
    assert!(error.to_string().contains("has room for"), "{error}");
    let place = place.max(length);
    change(&place, label).await.unwrap();
    assert_eq!(place.state(), labelled);
}

#[tokio::test]
async fn another_input_is_refused_unless_the_saved_one_is_to_be_used() {
    let place = Place::default();
    let _ = report(1, 2).stored_in(&place).advance().await.unwrap();
    let before = place.text();
    let error = report(1, 3).stored_in(&place).advance().await.unwrap_err();
    let StateStoreError::Run(failure) = &error else {
        panic!("{error}")
    };
    assert!(
        matches!(failure.cause, Cause::Misfit(Misfit::OtherInput { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("large"), "{error}");
    assert_eq!(place.text(), before);
    let run = report(0, 0)
        .label("a", "b")
        .stored_in(&place)
        .with_saved_input();
    let pass = run.advance().await.unwrap();
    assert_eq!(
        pass.state.state().labels["a"],
        "b",
        "options of the run are kept"
    );
    // Without a saved state, the given one is used.
    let empty = Place::default();
    let run = report(4, 5).stored_in(&empty).with_saved_input();
    let _ = run.advance().await.unwrap();
    assert!(
        empty.text().unwrap().contains(r#"{"small":4,"large":5}"#),
        "{:?}",
        empty.text()
    );
}

#[tokio::test]
async fn what_is_no_state_of_the_flow_is_refused_and_left() {
    let place = Place::default();
    for (text, expected) in [
        (
            "",
            "flow `report`: what was loaded is no saved state, and nothing ran: ",
        ),
        (
            r#"{"name":"report","states":[{"nome":"x"}]}"#,
            "flow `report`: what was loaded is no ",
        ),
        (r#"{"name":"other"}"#, "can't go on from this state"),
    ] {
        place.put(text);
        let error = report(1, 2).stored_in(&place).advance().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(place.text().as_deref(), Some(text));
        let run = report(1, 2).stored_in(&place).with_saved_input();
        run.advance().await.unwrap_err();
    }
    assert_eq!(place.saves(), 0);
}

#[tokio::test]
async fn a_place_that_is_away_is_told_with_its_own_error() {
    let place = Place::default().at(At::Away(0));
    let error = report(1, 2).stored_in(&place).advance().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "flow `report`: its saved state could not be loaded, and nothing ran: the place is away"
    );
    assert!(error.source().is_none(), "it is told once");
    let place = Place::default().at(At::Away(1));
    let error = report(1, 2)
        .id("r")
        .stored_in(&place)
        .advance()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "execution `r` of flow `report` is not saved: the place is away"
    );
}
