//! Changing a saved state between two passes.

use std::sync::atomic::{AtomicUsize, Ordering};

use steps::{
    Outcome, SignalError, State, Status,
    prelude::*,
    state::StateError,
    state_store::{StateStoreError, change},
};

use crate::place::{At, Place};

static FAILS: AtomicUsize = AtomicUsize::new(1);

#[step]
async fn fragile() -> Result<u32, String> {
    match FAILS.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
        Ok(_) => Err("not today".to_owned()),
        Err(_) => Ok(1),
    }
}

#[flow(on_failure = "hold")]
async fn careful() -> Result<String, String> {
    steps! {
        one = fragile();
        word = steps::signal::<String>();
    }
    Ok(format!("{one} {word}"))
}

fn give(state: &mut State) -> Result<(), SignalError> {
    let mut typed = CarefulState::from(state.clone());
    typed.signal(careful::STEPS.word, &"go".to_owned())?;
    *state = typed.into();
    Ok(())
}

#[tokio::test]
async fn a_saved_state_is_changed_between_passes() {
    let place = Place::default();
    assert!(matches!(
        change(&place, give).await.unwrap_err(),
        StateStoreError::Nothing
    ));
    let pass = careful().stored_in(&place).advance().await.unwrap();
    assert!(matches!(pass.outcome, Outcome::Failed(_)));

    // What is refused changes nothing.
    let before = place.text();
    let refused = change(&place, State::retry_undo).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("the saved state was left as it was: "),
        "{refused}"
    );
    assert_eq!(place.text(), before);

    assert!(change(&place, State::recover).await.unwrap() > 0);
    let pass = careful().stored_in(&place).advance().await.unwrap();
    assert!(matches!(pass.outcome, Outcome::Waiting { .. }));
    assert_eq!(place.state().status, Status::Waiting);

    // Somebody else saves in between: it is done again on what they have saved.
    let calls = AtomicUsize::new(0);
    let place = place.clone().at(At::Intruder(place.saves() + 1));
    let given = change(&place, |state| {
        calls.fetch_add(1, Ordering::SeqCst);
        give(state)
    });
    given.await.unwrap();
    assert_eq!(calls.into_inner(), 2);
    let pass = careful().stored_in(&place).advance().await.unwrap();
    assert!(matches!(pass.outcome, Outcome::Done(text) if text == "1 go"));
}

#[tokio::test]
async fn a_change_of_nothing_is_not_saved() {
    let place = Place::default();
    place.put(r#"{"name":"careful"}"#);
    change(&place, |_| Ok::<_, StateError>(())).await.unwrap();
    assert_eq!(place.saves(), 0);
}
