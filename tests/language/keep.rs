//! `loop keep n`: the records of older rounds are let go, and their effects stay.

use std::sync::Arc;

use steps::{
    Cause, Failure, SignalError, Signals, State, Status,
    compat::Compatibility,
    prelude::*,
    testing::{FakeClock, Injected, Lab, Recorder},
};

use crate::support::{act, fail, num, pass, read, ready, run};

#[flow]
async fn beats(lab: &Lab, last: u32) -> Result<u32, Injected> {
    steps! {
        first = num(lab, 0);
        beat = loop keep 3 {
            n    = num(lab, prev.map_or(1, |prev| prev.n + 1));
            even = if n % 2 == 0 { told = act(lab, &format!("even {n}")); }
            each = for k in [1_u32, 2] by k { item = act(lab, &format!("{n} {k}")); }
        } until n >= last;
        end = act(lab, "end");
    }
    let _ = (first, end);
    Ok(beat.n)
}

fn rounds(state: &State, path: &str) -> Vec<String> {
    let rounds = &state.get(path).unwrap().states;
    rounds.iter().map(|round| round.name.to_string()).collect()
}

#[tokio::test]
async fn keep_the_newest_rounds_are_recorded() {
    let lab = Lab::new();
    let rows = Recorder::new();
    let journal = Arc::new(rows.clone());
    assert_eq!(beats(&lab, 50).journal(journal).await.unwrap(), 50);
    let saved = rows.from_changes().unwrap().unwrap();
    assert_eq!(rounds(&saved, "beat"), ["48", "49", "50"]);
    assert_eq!(saved, read(&rows.document()), "the rows are the whole tree");
    // Two lines, the loop, and in each round nine nodes at most.
    assert!(saved.walk().count() <= 4 + 3 * 9, "{}", saved.tree());
    assert_eq!(lab.there().len(), 2 + 50 + 25 + 100);
    let tree = saved.tree().to_string();
    assert!(tree.contains("47 rounds let go"), "{tree}");
}

/// The rows of a run that goes on for long, and those of a short one.
#[tokio::test]
async fn keep_rows_do_not_grow_with_the_rounds() {
    let count = async |last: u32| {
        let rows = Recorder::new();
        let clock = FakeClock::new();
        let lab = Lab::new();
        let run = beats(&lab, last).clock(Arc::new(clock));
        run.journal(Arc::new(rows.clone())).await.unwrap();
        let saved = rows.from_changes().unwrap().unwrap();
        saved.walk().count()
    };
    let (short, long) = (count(100).await, count(1_000).await);
    assert_eq!(short, long);
}

#[derive(Default)]
struct Stop(std::sync::atomic::AtomicU32);

#[step]
async fn until(stop: &Stop, n: u32) -> Result<(), String> {
    if n >= stop.0.load(std::sync::atomic::Ordering::Relaxed) {
        return Err("enough".to_owned());
    }
    Ok(())
}

#[flow]
async fn endless(lab: &Lab, stop: &Stop) -> Result<(), Injected> {
    steps! {
        first = act(lab, "first");
        beat = loop keep 3 {
            let n: u32 = cx.round().unwrap_or(0);
            own   = act(lab, &format!("own {n}"));
            asked = until(stop, n);
        }
    }
    let _ = beat.asked;
    Ok(())
}

fn undone(lab: &Lab) -> Vec<String> {
    let log = lab.texts().into_iter();
    log.filter(|line| line.starts_with("undo ")).collect()
}

/// What was let go is like what is behind a pivot: it stays, and so does what came before.
#[tokio::test]
async fn keep_a_failure_undoes_the_rounds_that_are_recorded() {
    let (lab, stop) = (Lab::new(), Stop(7.into()));
    let failure = endless(&lab, &stop).await.unwrap_err();
    assert_eq!(failure.step(), Some("beat.7.asked"));
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(
        undone(&lab),
        ["undo own 7", "undo own 6", "undo own 5", "undo own 4"]
    );
    assert_eq!(
        lab.there().into_iter().collect::<Vec<_>>(),
        ["first", "own 1", "own 2", "own 3"]
    );
}

/// As long as nothing was let go, all is undone.
#[tokio::test]
async fn keep_a_failure_before_that_undoes_all() {
    let (lab, stop) = (Lab::new(), Stop(4.into()));
    endless(&lab, &stop).await.unwrap_err();
    assert!(lab.there().is_empty(), "{:?}", lab.there());
}

#[flow]
async fn chained(lab: &Lab, last: u32) -> Result<u32, Injected> {
    steps! {
        beat = loop keep 2 {
            n    = num(lab, prev.map_or(1, |prev| prev.n + 1));
            wait = ready(lab, &format!("go {n}"));
            stop = if n >= last { failed = fail(lab, "enough"); }
        }
    }
    Ok(beat.n)
}

/// The undo of a round whose arguments were made of the one before needs that one: the oldest round
/// stays. The round before is there also in another process.
#[tokio::test]
async fn keep_prev_works_and_is_never_made_up() {
    let lab = Lab::new();
    let mut saved = None;
    for n in 1..=5 {
        lab.act(format!("go {n}")).unwrap();
        let _ = pass(&mut saved, chained(&lab, 6)).await;
        let newest: Vec<String> = (n.max(3) - 2..=n + 1).map(|n: u32| n.to_string()).collect();
        let first = if n < 3 { 0 } else { 1 };
        assert_eq!(rounds(&read(&saved), "beat"), newest[first..], "after {n}");
    }
    lab.act("go 6").unwrap();
    let _ = pass(&mut saved, chained(&lab, 6)).await;
    assert_eq!(read(&saved).status, Status::Undone);
    assert_eq!(undone(&lab), ["undo 6", "undo 5"]);
    assert_eq!(read(&saved).get("beat.4.n").unwrap().status, Status::Done);
}

#[flow]
async fn asking() -> Result<u32, String> {
    steps! {
        beat = loop keep 2 {
            vote  = steps::signal::<u32>();
            let sum: u32 = prev.map_or(0, |prev| prev.sum) + vote;
        } until vote == 0;
    }
    Ok(beat.sum)
}

#[tokio::test]
async fn keep_a_round_that_was_let_go_takes_no_signal() {
    let mut state = asking().advance().await.unwrap().state;
    for vote in 1..=5 {
        state.signal(asking::STEPS.beat.vote.any(), &vote).unwrap();
        state = asking().resume(state).advance().await.unwrap().state;
    }
    assert_eq!(rounds(state.state(), "beat"), ["4", "5", "6"]);
    let error = state
        .signal(asking::STEPS.beat.vote.at("1"), &1)
        .unwrap_err();
    assert!(matches!(error, SignalError::NotWaiting { .. }), "{error}");
    let signals = Signals::new();
    signals.send(asking::STEPS.beat.vote.any(), &0).unwrap();
    assert_eq!(asking().resume(state).signals(&signals).await.unwrap(), 15);
}

mod versions {
    use super::*;

    macro_rules! version {
        ($name:ident: $($bounds:tt)*) => {
            pub(super) mod $name {
                use super::*;
                #[flow(name = "versions")]
                pub(crate) async fn flow(lab: &Lab) -> Result<u32, Injected> {
                    steps! {
                        beat = loop $($bounds)* {
                            n    = num(lab, prev.map_or(1, |prev| prev.n + 1));
                            wait = ready(lab, &format!("go {n}"));
                        } until n == 9;
                    }
                    Ok(beat.n)
                }
            }
        };
    }
    version!(all: max 100);
    version!(two: keep 2);
    version!(four: max 100 keep 4);
    version!(fewer: keep 1 max 3);
}

/// `keep` may be added, changed and taken away.
#[tokio::test]
async fn keep_may_change_with_the_program() {
    use versions::{all, fewer, four, two};
    let lab = Lab::new();
    let mut saved = None;
    macro_rules! passes {
        ($version:ident: $($n:literal)* => $rounds:expr) => {{
            $( lab.act(concat!("go ", $n)).unwrap(); )*
            let fits = saved.as_ref().map(|_| Compatibility::of::<$version::flow>(&read(&saved)));
            assert!(fits.is_none_or(|fits| fits.is_compatible()));
            let _ = pass(&mut saved, $version::flow(&lab)).await;
            assert_eq!(rounds(&read(&saved), "beat"), $rounds);
        }};
    }
    passes!(all: 1 2 3 4 => ["1", "2", "3", "4", "5"]);
    passes!(four: => ["1", "2", "3", "4", "5"]);
    passes!(two: 5 => ["4", "5", "6"]);
    passes!(four: 6 7 => ["4", "5", "6", "7", "8"]);
    // The rounds that were let go count.
    let text = saved.clone().unwrap();
    let error = fewer::flow(&lab)
        .resume(State::from_json(&text).unwrap())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it has begun round 8, and may have 3 now"),
        "{error}"
    );
    passes!(all: 8 => ["4", "5", "6", "7", "8", "9"]);
    lab.act("go 9").unwrap();
    let rest = all::flow(&lab).resume(read(&saved));
    assert_eq!(run(rest, &FakeClock::new()).await.unwrap(), 9);
    // What was let go stays so.
    let done: Failure = all::flow(&lab)
        .resume(read(&saved))
        .undo()
        .await
        .unwrap_err();
    let Cause::PastPivot { pivot } = &done.cause else {
        panic!("{done}")
    };
    assert_eq!(pivot, "beat");
}

#[flow]
async fn nested(lab: &Lab, rounds: u32) -> Result<(), Injected> {
    steps! {
        before = act(lab, "before");
        both = parallel {
            inner = flow beats(lab, rounds);
            outer = loop max 2 {
                let turn: u32 = cx.round().unwrap_or(0);
                each = for name in ["a", "b"].map(str::to_owned) by name parallel {
                    ticks = loop keep 1 {
                        let n: u32 = prev.map_or(1, |prev| prev.n + 1);
                        tick = act(lab, &format!("tick {turn} {name} {n}"));
                    } until n == 5;
                }
            } until turn == 2;
        }
        last = fail(lab, "at the end");
    }
    let _ = (before, both, last);
    Ok(())
}

/// A pivot of a nested flow counts only there, and so does a loop of it.
#[tokio::test]
async fn keep_in_other_forms() {
    let lab = Lab::new();
    let rows = Recorder::new();
    let run = nested(&lab, 5).journal(Arc::new(rows.clone()));
    let failure = run.await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone, "{}", failure.state.tree());
    let undone = undone(&lab);
    // Of the nested flow: its last rounds, and what comes after them.
    for name in ["end", "5 2", "5", "4"] {
        assert!(
            undone.contains(&format!("undo {name}")),
            "{name}: {undone:?}"
        );
    }
    // In each item of the last round of `outer`, the last tick; the loop is as a pivot in each.
    for name in ["tick 2 a 5", "tick 2 b 5"] {
        assert!(
            undone.contains(&format!("undo {name}")),
            "{name}: {undone:?}"
        );
    }
    let there = lab.there();
    for name in ["before", "1", "tick 1 a 5", "tick 2 a 4"] {
        assert!(there.contains(name), "{name}: {there:?}");
    }
    assert_eq!(
        rows.from_changes().unwrap().unwrap(),
        read(&rows.document())
    );
}
