//! What is saved, and when.

use std::sync::Arc;

use steps::{Outcome, Status, prelude::*, testing::Recorder};

use crate::place::Place;

#[step]
async fn add(a: u32, b: u32) -> Result<u32, String> {
    Ok(a + b)
}

#[step(readonly, poll(every = "1h"))]
async fn third_time(cx: &Cx) -> Result<Option<()>, String> {
    Ok((cx.attempt() == 3).then_some(()))
}

#[flow]
async fn sums(from: u32) -> Result<u32, String> {
    steps! {
        one = add(from, 1);
        two = add(one, 1);
        third_time(cx);
        three = add(two, 1);
    }
    Ok(three)
}

#[flow]
async fn sleeps() -> Result<u32, String> {
    steps! {
        one = add(0, 1);
        steps::sleep("1h");
    }
    Ok(one)
}

#[tokio::test]
async fn a_pass_goes_on_from_what_the_pass_before_has_saved() {
    let place = Place::default();
    for pass in 1..=2 {
        let advance = sums(1).stored_in(&place).advance().await.unwrap();
        assert!(matches!(advance.outcome, Outcome::Waiting { .. }));
        assert!(advance.requeue_after().unwrap().as_secs() > 3_500);
        assert_eq!(advance.state.state().to_json(), place.text().unwrap());
        assert_eq!(place.state().get("third_time").unwrap().attempts, pass);
    }
    let advance = sums(1).stored_in(&place).advance().await.unwrap();
    assert!(matches!(advance.outcome, Outcome::Done(4)));
    assert_eq!(advance.requeue_after(), None);
    assert_eq!(place.state().status, Status::Done);

    // What has ended runs no more, and is not saved again.
    let saves = place.saves();
    let advance = sums(1).stored_in(&place).advance().await.unwrap();
    assert!(matches!(advance.outcome, Outcome::Done(4)));
    assert_eq!(sums(1).stored_in(&place).await.unwrap(), 4);
    assert_eq!(place.saves(), saves);
}

#[tokio::test]
async fn each_batch_is_saved_or_one_state_a_pass() {
    let (each, once) = (Place::default(), Place::default());
    let _ = sums(1).stored_in(&each).advance().await.unwrap();
    let _ = sums(1)
        .stored_in(&once)
        .once_a_pass()
        .advance()
        .await
        .unwrap();
    // Before each of the three steps, and at the end.
    assert_eq!(each.saves(), 4);
    assert_eq!(once.saves(), 1);
    for place in [each, once] {
        let state = place.state();
        assert!(
            state.succeeded("two") && state.get("third_time").unwrap().status == Status::Waiting
        );
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_saved_again() {
    let place = Place::default();
    let _ = sleeps().stored_in(&place).advance().await.unwrap();
    let saves = place.saves();
    for _ in 0..3 {
        let advance = sleeps().stored_in(&place).advance().await.unwrap();
        assert!(matches!(
            advance.outcome,
            Outcome::Waiting { until: Some(_), .. }
        ));
    }
    assert_eq!(place.saves(), saves);
}

#[tokio::test]
async fn a_pass_that_keeps_pauses_asks_only_what_is_due() {
    let place = Place::default();
    let _ = sums(1).stored_in(&place).advance().await.unwrap();
    let saves = place.saves();
    for _ in 0..3 {
        let advance = sums(1)
            .keep_pauses()
            .stored_in(&place)
            .advance()
            .await
            .unwrap();
        assert!(matches!(
            advance.outcome,
            Outcome::Waiting { until: Some(_), .. }
        ));
        assert!((3_500..=3_600).contains(&advance.requeue_after().unwrap().as_secs()));
    }
    assert_eq!(
        (
            place.saves(),
            place.state().get("third_time").unwrap().attempts
        ),
        (saves, 1)
    );
    let _ = sums(1).stored_in(&place).advance().await.unwrap();
    assert_eq!(place.state().get("third_time").unwrap().attempts, 2);
}

#[tokio::test]
async fn a_run_to_the_end_saves_at_each_pass() {
    #[step(readonly, poll(every = "1ms"))]
    async fn soon(cx: &Cx) -> Result<Option<()>, String> {
        Ok((cx.attempt() == 3).then_some(()))
    }

    #[flow]
    async fn waits() -> Result<u32, String> {
        steps! {
            one = add(0, 1);
            soon(cx);
        }
        Ok(one)
    }

    let once = Place::default();
    assert_eq!(waits().stored_in(&once).once_a_pass().await.unwrap(), 1);
    assert_eq!(once.saves(), 3);
    assert_eq!(once.state().status, Status::Done);
}

#[tokio::test]
async fn branches_of_a_parallel_are_saved_as_they_end() {
    #[flow]
    async fn wide(n: u32) -> Result<u32, String> {
        steps! {
            all = for i in 0..n by i parallel {
                sum = add(i, 1);
            }
        }
        Ok(all.iter().map(|item| item.sum).sum())
    }

    let place = Place::default();
    let advance = wide(20).stored_in(&place).advance().await.unwrap();
    assert!(matches!(advance.outcome, Outcome::Done(210)));
    assert_eq!(
        place
            .state()
            .walk()
            .filter(|(path, _)| path.ends_with("sum"))
            .count(),
        20
    );
}

#[tokio::test]
async fn the_journal_of_the_run_gets_all_batches_too() {
    let (place, recorder) = (Place::default(), Recorder::default());
    let journal = Arc::new(recorder.clone());
    let _ = sums(1)
        .journal(journal)
        .stored_in(&place)
        .once_a_pass()
        .advance()
        .await
        .unwrap();
    assert_eq!(place.saves(), 1);
    assert_eq!(recorder.commits(), 4);
    let _ = sums(1).stored_in(&place).advance().await.unwrap();
}

#[tokio::test]
async fn the_id_and_the_labels_of_the_run_are_saved() {
    let place = Place::default();
    let run = sums(1).id("order-7").label("shop", "north");
    let _ = run.stored_in(&place).advance().await.unwrap();
    let _ = sums(1)
        .label("floor", "2")
        .stored_in(&place)
        .advance()
        .await
        .unwrap();
    let state = place.state();
    assert_eq!(state.id.as_deref(), Some("order-7"));
    assert_eq!(state.labels["shop"], "north");
    assert_eq!(state.labels["floor"], "2");
}
