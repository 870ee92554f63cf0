//! `race`: the first line that is done gives the value; the others are given up, and undone.

use std::{sync::Arc, time::Duration};

use steps::{
    Outcome, SignalError, State, Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::{
    commits::Told,
    support::{act, fail, num, pass, read, run},
};

/// Acts after so many seconds.
#[step]
pub(crate) async fn after(lab: &Lab, seconds: u64, name: &str) -> Result<String, Injected> {
    lab.clock().sleep(Duration::from_secs(seconds)).await;
    lab.act(name)?;
    Ok(name.to_owned())
}

#[undo(after)]
async fn after_back(lab: &Lab, _: u64, name: &str, _: &String) -> Result<(), Injected> {
    lab.undo(name)
}

/// Runs until it is told to end, and tells why.
#[step]
async fn until_told(lab: &Lab, cx: &Cx) -> Result<(), String> {
    loop {
        if let Some(reason) = cx.cancel_reason() {
            lab.act(format!("{reason:?}")).map_err(|e| e.to_string())?;
            return Err("ended early".to_owned());
        }
        lab.clock().sleep(Duration::from_secs(1)).await;
    }
}

#[flow]
pub(crate) async fn trial(lab: &Lab) -> Result<String, String> {
    steps! {
        first = race {
            cancelled = steps::signal::<String>();
            over = steps::sleep("30d");
        }
        end = act(lab, match first {
            TrialFirst::Cancelled(reason) => reason,
            TrialFirst::Over(()) => "over",
        });
    }
    Ok(match first {
        TrialFirst::Cancelled(reason) => format!("{end}, {reason}"),
        TrialFirst::Over(()) => end,
    })
}

#[tokio::test]
async fn a_signal_or_a_timer_is_the_first() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    assert_eq!(run(trial(&lab), &clock).await.unwrap(), "over");

    let mut saved = None;
    pass(&mut saved, trial(&lab)).await;
    let mut state = TrialState::from(read(&saved));
    state
        .signal(trial::STEPS.first.cancelled, &"bored".to_owned())
        .unwrap();
    saved = Some(state.state().to_json());
    let outcome = pass(&mut saved, trial(&lab)).await;
    assert!(matches!(outcome, Outcome::Done(text) if text == "bored, bored"));
    let state = read(&saved);
    assert_eq!(
        state.get("first").unwrap().chosen.as_deref(),
        Some("cancelled")
    );
    let over = state.get("first.over").unwrap();
    assert_eq!(over.status, Status::Failed);
    assert_eq!(
        over.errors,
        ["given up, as another line of the race was done first"]
    );
    let mut state = TrialState::from(state);
    let late = state.signal(trial::STEPS.first.cancelled, &"x".to_owned());
    assert!(
        matches!(late, Err(SignalError::NotWaiting { .. })),
        "{late:?}"
    );
}

/// A race of a signal and a sleep begins in two batches: a signal records its beginning before it is looked
/// for, so that none is taken with what was done before. Its end is one batch with what follows.
#[tokio::test]
async fn a_race_of_a_signal_and_a_sleep_costs_two_batches_and_one() {
    let (lab, told) = (Lab::new(), Told::default());
    let run = trial(&lab).journal(Arc::new(told.clone()));
    let waits = run.advance().await.unwrap();
    assert_eq!(
        told.names(),
        [
            "trial running, first running, cancelled running",
            "cancelled waiting, over waiting, trial waiting",
        ]
    );
    let mut state = waits.state;
    let (lab, told) = (Lab::new(), Told::default());
    state
        .signal(trial::STEPS.first.cancelled, &"bored".to_owned())
        .unwrap();
    trial(&lab)
        .resume(state)
        .journal(Arc::new(told.clone()))
        .await
        .unwrap();
    // Before it there is what the resume took up, behind it the end.
    let names = told.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(
        names[1],
        "cancelled done, over failed, first done, end running"
    );
}

#[flow]
async fn of_many(lab: &Lab) -> Result<(), String> {
    steps! {
        first = race {
            slow = after(lab, 3, "slow");
            quick = after(lab, 1, "quick");
            group = { a = act(lab, "a"); b = after(lab, 5, "b"); c = act(lab, "c"); }
            nested = flow inner(lab);
            told = until_told(lab, cx);
            failed = fail(lab, "no");
            waits = steps::signal::<u32>();
        }
        last = fail(lab, "last");
    }
    let OfManyFirst::Quick(name) = first else {
        return Err("another was the first".to_owned());
    };
    let _ = last;
    assert_eq!(name, "quick");
    Ok(())
}

#[flow]
async fn inner(lab: &Lab) -> Result<(), String> {
    steps! { x = act(lab, "x"); y = after(lab, 4, "y"); z = act(lab, "z"); }
    let _ = (x, y, z);
    Ok(())
}

#[tokio::test]
async fn what_the_losers_did_is_undone_and_the_winner_is_undone_later() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    let failure = run(of_many(&lab), &clock).await.unwrap_err();
    let texts = lab.texts();
    assert_eq!(texts[..3], ["a", "x", "quick"]);
    assert_eq!(texts.last().unwrap(), "undo quick");
    let mut between = texts[3..texts.len() - 1].to_vec();
    between.sort();
    assert_eq!(
        between,
        [
            "LostRace",
            "b",
            "slow",
            "undo a",
            "undo b",
            "undo slow",
            "undo x",
            "undo y",
            "y"
        ]
    );
    assert_eq!(failure.failed().len(), 1, "{failure}");
    assert_eq!(failure.step(), Some("last"));
    let state = State::from_json(&failure.state.to_json()).unwrap();
    assert_eq!(state.get("first").unwrap().chosen.as_deref(), Some("quick"));
    let read = of_many(&lab).resume(state).await.unwrap_err();
    assert_eq!(read.to_string(), failure.to_string());
}

#[flow]
async fn all_fail(lab: &Lab) -> Result<(), String> {
    steps! {
        before = act(lab, "before");
        first = race {
            a = { done = act(lab, "a"); no = fail(lab, "not a"); }
            b = fail(lab, "not b");
        }
    }
    let _ = (before, first);
    Ok(())
}

#[tokio::test]
async fn a_race_fails_when_all_of_its_lines_have() {
    let lab = Lab::new();
    let failure = all_fail(&lab).await.unwrap_err();
    let paths: Vec<_> = failure.failed().iter().map(|step| &*step.path).collect();
    assert_eq!(paths.len(), 2, "{failure}");
    assert!(paths.contains(&"first.a.no") && paths.contains(&"first.b"));
    assert_eq!(lab.texts(), ["before", "a", "undo a", "undo before"]);
    assert_eq!(failure.state.get("first").unwrap().chosen, None);
}

#[flow]
async fn marked(lab: &Lab) -> Result<(bool, bool, bool), String> {
    steps! {
        #[optional]
        none = race { a = fail(lab, "a"); b = fail(lab, "b"); }
        #[caught]
        failed = race { a = fail(lab, "a"); b = fail(lab, "b"); }
        outcome = race {
            #[caught]
            a = { x = act(lab, "x"); no = fail(lab, "no"); }
            b = after(lab, 9, "b");
        }
        both = race {
            one = race { a = steps::sleep("9s"); b = after(lab, 2, "b"); }
            two = after(lab, 3, "two");
        }
    }
    let caught =
        matches!(&outcome, MarkedOutcome::A(Err(failure)) if failure.path == "outcome.a.no");
    let inner = matches!(both, MarkedBoth::One(MarkedBothOne::B(name)) if name == "b");
    Ok((none.is_none() && failed.is_err(), caught, inner))
}

#[tokio::test]
async fn a_race_in_a_race_and_with_marks() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    let ended = run(marked(&lab), &clock).await.unwrap();
    assert_eq!(ended, (true, true, true));
    assert!(lab.texts().contains(&"undo x".to_owned()));
    assert!(lab.there().contains("b") && !lab.there().contains("two"));
}

#[flow]
async fn in_each_form(lab: &Lab, names: Vec<String>) -> Result<Vec<String>, String> {
    steps! {
        all = for name in names by name parallel {
            first = race {
                long = after(lab, 100, name);
                short = after(lab, name.len() as u64, name);
            }
        }
        rounds = loop {
            first = race { tick = after(lab, 1, "tick"); never = steps::signal::<u32>(); }
            n = num(lab, prev.map_or(1, |round| round.n + 1));
        } until n == 3;
        chosen = if let InEachFormRoundsFirst::Tick(name) = &rounds.first {
            text = act(lab, name);
        }
    }
    assert!(chosen.is_some());
    let names = all.into_iter().map(|item| match item.first {
        InEachFormAllFirst::Long(_) => "long".to_owned(),
        InEachFormAllFirst::Short(name) => name,
    });
    Ok(names.collect())
}

#[tokio::test]
async fn a_race_for_each_item_and_in_each_round() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    let names = vec!["bb".to_owned(), "a".to_owned()];
    let ended = run(in_each_form(&lab, names), &clock).await.unwrap();
    assert_eq!(ended, ["bb", "a"]);
}

#[flow]
async fn stuck(lab: &Lab) -> Result<(), String> {
    steps! {
        first = race {
            group = { a = act(lab, "a"); b = after(lab, 2, "b"); }
            quick = after(lab, 1, "quick");
        }
        last = act(lab, "last");
    }
    let _ = (first, last);
    Ok(())
}

#[tokio::test]
async fn a_race_fails_if_what_a_loser_did_can_not_be_undone() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    lab.fault("undo a", Fault::FailBefore);
    let failure = run(stuck(&lab), &clock).await.unwrap_err();
    assert_eq!(failure.status(), Status::Stuck, "{failure}");
    assert_eq!(failure.failed()[0].path, "first");
    assert_eq!(
        failure.failed()[0].error,
        "`group` lost the race to `quick`, and what it did could not be undone"
    );
    assert_eq!(failure.undo_failed()[0].path, "first.group.a");
    assert!(!lab.texts().contains(&"last".to_owned()));
    // Once that is mended, it can be run again from the beginning of the race.
    let mut state = State::clone(&failure.state);
    state.mark_undone("first.group.a").unwrap();
    let lab = Lab::new();
    let clock = lab.clock().clone();
    let undone = run(stuck(&lab).resume(state), &clock).await.unwrap_err();
    assert_eq!(undone.status(), Status::Undone);
    let mut state = State::clone(&undone.state);
    state.recover().unwrap();
    assert_eq!(state.get("first").unwrap().chosen, None);
    run(stuck(&lab).resume(state), &clock).await.unwrap();
    assert!(lab.there().contains("last") && lab.there().contains("quick"));
}
