//! Rule 3: a journal that loses a write stops the run, and nothing of it is a step's failure.

use std::{future::IntoFuture, sync::Arc};

use steps::{
    Cause, Outcome, State, Status,
    prelude::*,
    testing::{Cut, Injected, Lab, Recorder},
};

use crate::basics::{act, charge};

#[flow]
async fn both_ways(lab: &Lab, good: bool) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        p = parallel { b = charge(lab, "b"); c = act(lab, "c"); d = { e = act(lab, "e"); } }
        f = charge(lab, if good { "f" } else { "bad" });
    }
    let _ = (a, p, f);
    Ok(())
}

#[on_done(both_ways)]
async fn done(lab: &Lab, _good: &bool, (): &()) -> Result<(), Injected> {
    lab.act("done")
}

#[on_failed(both_ways)]
async fn failed(lab: &Lab, _good: &bool, _: &Failure) -> Result<(), Injected> {
    lab.act("failed")
}

fn lab(good: bool) -> Lab {
    let lab = Lab::new();
    if !good {
        lab.fault("bad", steps::testing::Fault::FailBefore);
    }
    lab
}

async fn each_write_is_lost(good: bool) {
    let clock = |lab: &Lab| Arc::new(lab.clock().clone());
    let whole = Recorder::new();
    let alone = lab(good);
    let _ = both_ways(&alone, good)
        .clock(clock(&alone))
        .journal(Arc::new(whole.clone()))
        .into_future()
        .await;
    assert!(whole.commits() > 8);
    for commit in 1..=whole.commits() {
        let lab = lab(good);
        let recorder = Recorder::failing(Cut::Before(commit));
        let run = both_ways(&lab, good).clock(clock(&lab));
        let failure = run
            .journal(Arc::new(recorder.clone()))
            .into_future()
            .await
            .unwrap_err();
        assert!(matches!(failure.cause, Cause::Journal(_)), "{failure}");
        assert!(recorder.has_struck());
        assert_eq!(recorder.commits(), commit, "it stopped there");
        let before = lab.texts().len();
        let mut run = both_ways(&lab, good).clock(clock(&lab));
        if let Some(text) = recorder.document() {
            let state = State::from_json(&text).unwrap();
            let errors = state.walk().flat_map(|(_, node)| node.errors.clone());
            assert!(
                errors
                    .into_iter()
                    .all(|error| !error.contains("the disk is full"))
            );
            run = run.resume(state);
        }
        let advance = run.advance().await.unwrap();
        assert!(lab.texts().len() >= before);
        if let Outcome::Failed(failure) = &advance.outcome {
            assert_eq!((good, failure.status()), (false, Status::Undone));
        } else {
            assert!(good && matches!(advance.outcome, Outcome::Done(())));
        }
        let told = if good { "done" } else { "failed" };
        assert!(lab.is_there(told));
        assert_eq!(
            lab.there().len(),
            if good { 6 } else { 1 },
            "{:?}",
            lab.there()
        );
        assert_eq!(lab.texts().iter().filter(|text| *text == "b").count(), 1);
    }
}

#[tokio::test]
async fn a_lost_write_stops_a_run_that_goes_well() {
    each_write_is_lost(true).await;
}

#[tokio::test]
async fn a_lost_write_stops_a_rollback() {
    each_write_is_lost(false).await;
}
