//! A process that dies between an effect and the save of it, and two processes at once.

use std::sync::Mutex;

use steps::{Cause, Outcome, Status, prelude::*};

use crate::place::{At, Place};

/// What the steps have done, for all to see.
#[derive(Default)]
struct World(Mutex<Vec<String>>);

impl World {
    fn act(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn acts(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[step]
async fn order(world: &World, cx: &Cx, part: &str) -> Result<u32, String> {
    world.act(format!("order {part} {}", cx.idempotency_key()));
    Ok(7)
}

/// Looks whether the order is there.
#[verify(order)]
async fn was_ordered(world: &World, _cx: &Cx, part: &str) -> Option<u32> {
    world.act(format!("verify {part}"));
    let acts = world.0.lock().unwrap();
    acts.iter()
        .any(|act| act.starts_with("order "))
        .then_some(7)
}

#[undo(order)]
async fn cancel(world: &World, _cx: &Cx, _part: &str, number: &u32) -> Result<(), String> {
    world.act(format!("cancel {number}"));
    Ok(())
}

#[step]
async fn pay(world: &World, number: u32) -> Result<(), String> {
    world.act(format!("pay {number}"));
    Ok(())
}

#[flow]
async fn buy(world: &World, part: String) -> Result<u32, String> {
    steps! {
        number = order(world, cx, &part);
        pay(world, number);
    }
    Ok(number)
}

#[tokio::test]
async fn a_step_whose_end_was_not_saved_is_verified_in_the_next_pass() {
    for at in [At::DiesBefore(2), At::Intruder(2), At::Away(2)] {
        let (place, world) = (Place::default().at(at), World::default());
        let pass = buy(&world, "wheel".into())
            .id("b-1")
            .stored_in(&place)
            .advance();
        if let At::DiesBefore(_) = at {
            place.until_death(pass).await;
        } else {
            let error = pass.await.unwrap_err();
            assert_eq!(error.is_conflict(), at == At::Intruder(2), "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with("execution `b-1` of flow `buy` is not saved: ")
            );
        }
        assert_eq!(place.state().get("number").unwrap().status, Status::Running);
        assert_eq!(
            world.0.lock().unwrap().len(),
            1,
            "the order, and no payment"
        );

        let pass = buy(&world, "wheel".into())
            .stored_in(&place)
            .advance()
            .await
            .unwrap();
        assert!(matches!(pass.outcome, Outcome::Done(7)));
        assert_eq!(world.acts()[1..], ["verify wheel", "pay 7"], "{at:?}");
    }
}

#[tokio::test]
async fn a_save_that_nobody_heard_of_counts() {
    let (place, world) = (Place::default().at(At::DiesAfter(2)), World::default());
    place
        .until_death(buy(&world, "wheel".into()).stored_in(&place).advance())
        .await;
    world.acts();
    let pass = buy(&world, "wheel".into())
        .stored_in(&place)
        .advance()
        .await
        .unwrap();
    assert!(matches!(pass.outcome, Outcome::Done(7)));
    // `pay` was recorded as begun, and had not begun.
    assert_eq!(world.acts(), ["pay 7"]);
}

#[tokio::test]
async fn all_of_a_pass_is_done_again_where_only_its_end_is_saved() {
    let (place, world) = (Place::default().at(At::DiesBefore(1)), World::default());
    let pass = |world| {
        buy(world, "wheel".into())
            .id("b-1")
            .stored_in(&place)
            .once_a_pass()
    };
    place.until_death(pass(&world).advance()).await;
    assert_eq!(place.text(), None);
    let first = world.acts();
    let again = pass(&world).advance().await.unwrap();
    assert!(matches!(again.outcome, Outcome::Done(7)));
    // Nobody asked whether there was an order. The key is the same, as the run has an id.
    assert_eq!(world.acts(), first);
    assert_eq!(first.len(), 2);
}

#[tokio::test]
async fn of_two_passes_at_once_one_stops_before_it_does_anything() {
    let (place, world) = (Place::default(), World::default());
    let pass = || buy(&world, "wheel".into()).stored_in(&place).advance();
    let (a, b) = tokio::join!(pass(), pass());
    let (done, stopped) = if a.is_ok() { (a, b) } else { (b, a) };
    assert!(matches!(done.unwrap().outcome, Outcome::Done(7)));
    let error = stopped.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(error.to_string().contains("make another pass"), "{error}");
    assert_eq!(world.acts().len(), 2, "an order and a payment, each once");
}

#[tokio::test]
async fn a_rollback_goes_on_after_a_death() {
    let (place, world) = (Place::default(), World::default());
    let undo = || buy(&world, "wheel".into()).undo().stored_in(&place);
    let _ = buy(&world, "wheel".into())
        .stored_in(&place)
        .advance()
        .await
        .unwrap();
    world.acts();
    let next = place.saves() + 2;
    let place = place.clone().at(At::DiesBefore(next));
    place.until_death(undo().advance()).await;
    assert_eq!(world.acts(), ["cancel 7"]);
    assert_eq!(place.state().status, Status::Undoing);

    // Once more, as nothing says that it was done.
    let failure = undo().await.unwrap_err();
    assert!(
        matches!(failure.failure().unwrap().cause, Cause::Undone),
        "{failure}"
    );
    assert_eq!(world.acts(), ["cancel 7"]);
    assert_eq!(place.state().status, Status::Undone);

    // And what is undone stays so, however often it is asked for.
    let saves = place.saves();
    let pass = undo().advance().await.unwrap();
    assert!(matches!(pass.outcome, Outcome::Failed(failure) if failure.status() == Status::Undone));
    assert_eq!((world.acts().len(), place.saves()), (0, saves));
}

#[tokio::test]
async fn an_undo_of_nothing_does_nothing() {
    let (place, world) = (Place::default(), World::default());
    let run = buy(&world, "wheel".into()).undo().stored_in(&place);
    let pass = run.advance().await.unwrap();
    assert!(matches!(pass.outcome, Outcome::Failed(failure) if failure.status() == Status::Undone));
    assert_eq!(world.acts().len(), 0);
}
