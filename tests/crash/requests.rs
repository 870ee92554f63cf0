//! A run is asked to stop, or to be undone, at each of its commits, and dies at each one after that.
//! Whoever takes it up asks again, as an engine does whose requests are kept.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use steps::{
    Control, Run, State, Status,
    journal::{Batch, BoxFuture, Journal, JournalError},
    prelude::*,
    state::Kind,
    testing::{Cut, Effect, Injected, Lab, Recorder},
};

use crate::basics::{act, charge, count};

/// May be tried again, and looks whether that is worth it.
#[step(retry(times = 2, every = "1h"))]
async fn flaky(cx: &Cx, lab: &Lab, name: &str) -> Result<(), Injected> {
    if cx.attempt() == 1 {
        return Err(Injected("not this time".to_owned()));
    }
    lab.act(name)
}

#[undo(flaky)]
async fn flaky_back(_cx: &Cx, lab: &Lab, name: &str, (): &()) -> Result<(), Injected> {
    lab.undo(name)
}

#[flow]
async fn inner(lab: &Lab, n: u32) -> Result<u32, Injected> {
    steps! { a = count(lab, "inner a", n); b = act(lab, "inner b"); }
    drop(b);
    Ok(a)
}

#[flow(on_failure = "hold")]
async fn job(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        first = act(lab, "first");
        p = parallel {
            b = act(lab, "b");
            c = { d = charge(lab, "d"); e = flaky(cx, lab, "e"); }
            nap = steps::sleep(Duration::from_secs(60));
        }
        each = for n in [1_u32, 2, 3] by n parallel(2) { f = count(lab, "f", n); g = charge(lab, &format!("g{n}")); }
        turns = loop { h = count(lab, "h", prev.map_or(0, |prev| prev.h + 1)); } until h == 1;
        #[optional]
        n = flow inner(lab, turns.h);
        last = count(lab, "last", 1);
    }
    let _ = (first, p, each, n);
    Ok(last)
}

/// Asks at one of its commits.
struct Asks {
    recorder: Recorder,
    at: usize,
    control: Control,
    ask: fn(&Control),
}

impl Journal for Asks {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        if self.recorder.commits() + 1 == self.at {
            (self.ask)(&self.control);
        }
        self.recorder.commit(batch)
    }
}

fn begin(lab: &Lab, saved: Option<State>) -> Run<'_, job> {
    let run = job(lab).clock(Arc::new(lab.clock().clone()));
    match saved {
        Some(saved) => run.resume(saved),
        None => run,
    }
}

/// Runs to its end, asked at commit `at`; and, if it is cut off, again from what is recorded.
async fn asked(lab: &Lab, at: usize, ask: fn(&Control), cut: Option<Cut>) -> (Recorder, bool) {
    let recorder = cut.map_or_else(Recorder::new, Recorder::cut);
    let control = Control::new();
    let journal = Arc::new(Asks {
        recorder: recorder.clone(),
        at,
        control: control.clone(),
        ask,
    });
    let run = begin(lab, None).control(&control).journal(journal);
    let ended = tokio::select! {
        biased;
        _ = run.into_future() => true,
        () = recorder.struck() => false,
    };
    if ended {
        return (recorder, false);
    }
    let recorder = recorder.reopen();
    let again = Control::new();
    ask(&again);
    let run = begin(lab, recorder.from_changes().expect("a tree"));
    let run = run.control(&again).journal(Arc::new(recorder.clone()));
    let _ = run.into_future().await;
    (recorder, true)
}

/// How often each effect happened, if it was not undone: all of them at least once, and not more
/// often where nothing crashed.
fn happened(lab: &Lab, crashed: bool) {
    let log = lab.log();
    let effects = [
        "first", "b", "d", "e", "f1", "f2", "f3", "g1", "g2", "g3", "h0", "h1", "inner a1",
        "inner b", "last1",
    ];
    for effect in effects {
        let times = log
            .iter()
            .filter(|other| **other == Effect::Did(effect.to_owned()))
            .count();
        assert!(
            times == 1 || (crashed && times > 1),
            "{effect} happened {times} times: {log:?}"
        );
    }
}

fn steps(state: &State, status: Status) -> Vec<String> {
    let nodes = state.walk();
    nodes
        .filter(|(_, node)| node.kind == Kind::Step && node.status == status)
        .map(|(path, _)| path)
        .collect()
}

async fn commits() -> usize {
    let (lab, recorder) = (Lab::new(), Recorder::new());
    let run = begin(&lab, None).journal(Arc::new(recorder.clone()));
    assert_eq!(run.await.expect("done"), 1);
    happened(&lab, false);
    recorder.commits()
}

fn cuts(at: usize) -> impl Iterator<Item = Option<Cut>> {
    let cuts = (at..at + 12).flat_map(|commit| [Cut::Before(commit), Cut::After(commit)]);
    std::iter::once(None).chain(cuts.map(Some))
}

#[tokio::test]
async fn a_run_that_is_stopped_anywhere_goes_on_where_it_was() {
    let (mut stopped, mut crashed_after) = (0, 0);
    for at in 1..=commits().await {
        for cut in cuts(at) {
            let lab = Lab::new();
            let (recorder, crashed) = asked(&lab, at, Control::stop, cut).await;
            if cut.is_some() && !crashed {
                // It had come to its end before.
                break;
            }
            crashed_after += usize::from(crashed);
            let state = recorder.from_changes().expect("a tree").expect("rows");
            if state.status == Status::Done {
                happened(&lab, crashed);
                continue;
            }
            stopped += 1;
            assert_eq!(
                state.status,
                Status::Stopped,
                "{at} {cut:?}:\n{}",
                state.tree()
            );
            assert!(
                crashed || steps(&state, Status::Running).is_empty(),
                "{}",
                state.tree()
            );
            assert!(
                steps(&state, Status::Skipped).is_empty(),
                "{}",
                state.tree()
            );
            let mut state = state;
            state.recover().unwrap();
            let recorder = recorder.reopen();
            let run = begin(&lab, Some(state)).journal(Arc::new(recorder));
            assert_eq!(run.await.expect("it goes on"), 1, "{at} {cut:?}");
            happened(&lab, crashed);
        }
    }
    assert!(
        stopped > 150 && crashed_after > 120,
        "{stopped} {crashed_after}"
    );
}

#[tokio::test]
async fn a_run_that_is_undone_anywhere_leaves_nothing() {
    let mut crashed_after = 0;
    // When the last commit is made, the run has ended.
    for at in 1..commits().await {
        for cut in cuts(at) {
            let lab = Lab::new();
            let (recorder, crashed) = asked(&lab, at, Control::undo, cut).await;
            if cut.is_some() && !crashed {
                break;
            }
            crashed_after += usize::from(crashed);
            let state = recorder.from_changes().expect("a tree").expect("rows");
            assert_eq!(
                state.status,
                Status::Undone,
                "{at} {cut:?}:\n{}",
                state.tree()
            );
            // These have no undo, and no other effect is left.
            assert!(
                lab.there().is_empty(),
                "{at} {cut:?}: {:?}\n{}",
                lab.there(),
                state.tree()
            );
            let run = begin(&lab, Some(state)).await.expect_err("it is undone");
            assert!(
                matches!(run.cause, steps::Cause::Undone),
                "{at} {cut:?}: {run}"
            );
        }
    }
    assert!(crashed_after > 120, "{crashed_after}");
}
