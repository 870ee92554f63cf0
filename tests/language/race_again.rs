//! A race that is begun again, one whose lines are others in the next program, and one that is decided while a record
//! is made.

use std::sync::Arc;

use steps::{
    Outcome, State, Status,
    compat::Compatibility,
    journal::{Batch, BoxFuture, Journal, JournalError, NodeRow},
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::{
    race::{after, trial},
    support::{act, pass, read, run},
};

#[tokio::test]
async fn a_race_is_begun_again_with_its_winner_and_not_with_a_loser() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    lab.fault("last", Fault::FailBefore);
    let failure = run(held(&lab), &clock).await.unwrap_err();
    let saved = State::clone(&failure.state);
    let refused = saved.clone().reset("first.slow").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "can't begin again with `first.slow`: it has lost the race to `quick`; begin again with `first`"
    );
    for from in ["first.quick", "first"] {
        let mut state = saved.clone();
        state.reset(from).unwrap();
        let lab = Lab::new();
        let clock = lab.clock().clone();
        run(held(&lab).resume(state), &clock).await.unwrap();
        assert!(lab.there().contains("quick"), "{from}");
    }
}

#[flow(on_failure = "hold")]
async fn held(lab: &Lab) -> Result<(), String> {
    steps! {
        first = race { slow = after(lab, 2, "slow"); quick = after(lab, 1, "quick"); }
        last = act(lab, "last");
    }
    let _ = (first, last);
    Ok(())
}

mod older {
    use super::*;

    #[flow(on_failure = "hold")]
    pub(super) async fn held(lab: &Lab) -> Result<(), String> {
        steps! {
            first = race {
                fast = after(lab, 1, "quick");
                slow = after(lab, 2, "slow");
                added = after(lab, 3, "added");
            }
            last = act(lab, "last");
        }
        let _ = (first, last);
        Ok(())
    }
}

mod renamed {
    use super::*;

    #[flow(on_failure = "hold")]
    pub(super) async fn held(lab: &Lab) -> Result<String, String> {
        steps! {
            first = race {
                added = after(lab, 3, "added");
                #[step(alias = "quick")]
                fast = after(lab, 1, "quick");
                slow = after(lab, 2, "slow");
            }
            last = act(lab, "last");
        }
        let _ = last;
        Ok(match first {
            HeldFirst::Added(_) => "added".to_owned(),
            HeldFirst::Fast(name) => name,
            HeldFirst::Slow(_) => "slow".to_owned(),
        })
    }
}

#[tokio::test]
async fn a_decided_race_may_have_more_lines_and_keeps_its_winner() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    lab.fault("last", Fault::FailBefore);
    let failure = run(held(&lab), &clock).await.unwrap_err();
    let mut state = State::clone(&failure.state);
    let gone = Compatibility::of::<older::held>(&state);
    assert!(!gone.is_compatible(), "its winner is gone");
    assert!(Compatibility::of::<renamed::held>(&state).is_compatible());
    state.recover().unwrap();
    let lab = Lab::new();
    let clock = lab.clock().clone();
    let ended = run(renamed::held(&lab).resume(state), &clock)
        .await
        .unwrap();
    assert_eq!(ended, "quick");
    assert_eq!(lab.texts(), ["last"]);
}

mod at_once {
    use super::*;

    #[flow]
    pub(super) async fn trial(_lab: &Lab) -> Result<(), String> {
        steps! {
            first = parallel {
                cancelled = steps::signal::<String>();
                over = steps::sleep("30d");
            }
        }
        let _ = first;
        Ok(())
    }
}

#[tokio::test]
async fn a_race_becomes_no_parallel() {
    let lab = Lab::new();
    let mut saved = None;
    pass(&mut saved, trial(&lab)).await;
    let comparison = Compatibility::of::<at_once::trial>(&read(&saved));
    let first = comparison.differences().filter(|node| node.path == "first");
    let told: Vec<_> = first.map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["`first` does not fit: its kind was `race`, and is `parallel` now"]
    );
}

/// Lets a step end while it takes the record that another line has begun to wait.
#[derive(Default)]
struct Late {
    waits: tokio::sync::Notify,
}

impl Journal for Late {
    fn commit<'a>(&'a self, batch: Batch<'a>) -> BoxFuture<'a, Result<(), JournalError>> {
        let is_it = |row: &NodeRow| &*row.node.name == "long" && row.node.status == Status::Waiting;
        let is_it = batch.changes().iter().any(is_it);
        Box::pin(async move {
            if is_it {
                self.waits.notify_one();
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
            Ok(())
        })
    }
}

#[step]
async fn once_it_waits(late: &Late) -> Result<u32, String> {
    late.waits.notified().await;
    Ok(7)
}

#[flow]
async fn quick_or_long(late: &Late) -> Result<u32, String> {
    steps! {
        first = race {
            quick = once_it_waits(late);
            long  = steps::sleep("1h");
        }
    }
    Ok(match first {
        QuickOrLongFirst::Quick(n) => n,
        QuickOrLongFirst::Long(()) => 0,
    })
}

/// It was not entered any more to give up, and the race, which was decided, waited for it.
#[tokio::test]
async fn regression_who_is_recorded_as_waiting_while_the_race_is_decided_gives_up() {
    let late = Arc::new(Late::default());
    let mut run = quick_or_long(&late).journal(late.clone()).passes().unwrap();
    let outcome = run.pass().await.unwrap();
    assert!(matches!(outcome, Outcome::Done(7)), "{outcome:?}");
}

/// Is done at the second time, when another line has won.
#[step(retry(times = 1, every = "100ms"))]
async fn once_more(cx: &Cx, lab: &Lab, name: &str) -> Result<(), Injected> {
    match cx.attempt() {
        1 => Err(Injected("not yet".to_owned())),
        _ => lab.act(name),
    }
}

#[undo(once_more, retry(times = 1, every = "1s"))]
async fn stays(_: &Cx, _: &Lab, _: &str, (): &()) -> Result<(), String> {
    Err("it stays".to_owned())
}

#[flow]
async fn late_and_stuck(lab: &Lab) -> Result<(), Injected> {
    steps! {
        #[deadline("300ms")]
        first = race {
            slow = for item in ["one"] by item {
                #[atomic]
                done = once_more(cx, lab, "slow");
            }
            quick = act(lab, "quick");
        }
    }
    let _ = first;
    Ok(())
}

/// The race had failed by that, and then failed by its deadline as well, which stopped the run.
#[tokio::test]
async fn regression_a_loser_that_stays_fails_the_race_also_after_its_deadline() {
    let lab = Lab::new();
    let clock = lab.clock().clone();
    let failure = run(late_and_stuck(&lab), &clock).await.unwrap_err();
    assert_eq!(failure.state.status, Status::Stuck, "{failure}");
    let told = failure.to_string();
    assert!(
        told.contains("`slow` lost the race to `quick`, and what it did could not be undone"),
        "{told}"
    );
}
