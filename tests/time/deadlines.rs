//! Deadlines: of a step, a group, a `for`, a `loop`, a nested flow, a flow, and of a poll.

use std::{sync::Arc, time::Duration};

use steps::{
    DeadlinePassed, Failure, Outcome, State, Status,
    clock::TestClock,
    prelude::*,
    state::FailureCause,
    testing::{FakeClock, Lab},
};

use crate::support::{act, run};

/// Takes an hour.
#[step(retry(times = 9, every = "1h"))]
async fn works(clock: &FakeClock, lab: &Lab, name: &str) -> Result<(), String> {
    clock.sleep(Duration::from_secs(3600)).await;
    lab.act(name).map_err(|error| error.to_string())?;
    Ok(())
}

/// Fails at once, each time.
#[step(retry(times = 99, every = "1h"))]
async fn tries(_lab: &Lab) -> Result<(), String> {
    Err("busy".into())
}

/// Is never ready.
#[step(poll(every = "1h", within = "1d"))]
async fn asks(_lab: &Lab) -> Result<Option<()>, String> {
    Ok(None)
}

const DAY: Duration = Duration::from_secs(86_400);

macro_rules! flows {
    ($lab:ident; $($name:ident: $limit:literal $kind:literal { $($lines:tt)* })*) => {
        $(#[flow] async fn $name($lab: &Lab) -> Result<(), String> {
            steps! { a = act($lab, "a"); $($lines)* }
            let _ = a;
            Ok(())
        })*

        /// What is done before is undone, and the failure says what was late, and how long it took.
        #[tokio::test]
        async fn each_line_fails_at_its_deadline_and_is_undone() {
            $({
                let (clock, lab) = (FakeClock::new(), Lab::new());
                let began = clock.now();
                let failure = run($name(&lab), &clock).await.expect_err($kind);
                late(&failure, "late", $kind);
                let hours = clock.now().duration_since(began).as_secs() / 3600;
                assert_eq!(hours, $limit, "{}", $kind);
                assert_eq!(lab.there().len(), 0, "{}: {:?}", $kind, lab.texts());
                assert_eq!(failure.status(), Status::Undone, "{}", $kind);
            })*
        }

        /// The same, with a process for each pass; each deadline is in the state.
        #[tokio::test]
        async fn a_deadline_survives_a_restart() {
            $({
                let (clock, lab) = (FakeClock::new(), Lab::new());
                let began = clock.now();
                let mut saved: Option<String> = None;
                let failure = loop {
                    let mut flow = $name(&lab).clock(Arc::new(clock.clone()));
                    if let Some(saved) = &saved {
                        flow = flow.resume(State::from_json(saved).unwrap());
                    }
                    let pass = flow.advance().await.unwrap();
                    saved = Some(pass.state.state().to_json());
                    match pass.outcome {
                        Outcome::Waiting { until: Some(until), .. } => {
                            let node = pass.state.state().get("late").unwrap();
                            let deadline = node.deadline.expect($kind);
                            assert!(until <= deadline, "{}", $kind);
                            let left = until.duration_since(clock.now());
                            clock.advance(Duration::try_from(left).unwrap_or_default());
                        }
                        Outcome::Failed(failure) => break failure,
                        other => panic!("{}: {other:?}", $kind),
                    }
                };
                late(&failure, "late", $kind);
                let hours = clock.now().duration_since(began).as_secs() / 3600;
                assert_eq!(hours, $limit, "{}", $kind);
                assert_eq!(lab.there().len(), 0, "{}: {:?}", $kind, lab.texts());
            })*
        }
    };
}

#[flow]
async fn inner(lab: &Lab) -> Result<(), String> {
    steps! {
        d = act(lab, "d");
        e = tries(lab);
    }
    let _ = (d, e);
    Ok(())
}

#[flow(deadline = "5h")]
async fn hasty(lab: &Lab) -> Result<(), String> {
    steps! { e = tries(lab); }
    let () = e;
    Ok(())
}

flows! { lab;
    of_a_retry: 5 "a step between its attempts" { #[deadline("5h")] late = tries(lab); }
    of_a_poll: 24 "a poll within a time" { late = asks(lab); }
    of_a_poll_line: 3 "a poll, where its line has less" {
        #[deadline("3h")] late = asks(lab);
    }
    of_a_signal: 2 "a signal" { #[deadline("2h")] late = steps::signal::<u32>(); }
    of_a_sleep: 2 "a sleep" { #[deadline("2h")] late = steps::sleep("5d"); }
    of_a_group: 6 "a group" {
        #[deadline("6h")] late = { b = act(lab, "b"); c = tries(lab); d = act(lab, "d"); }
    }
    of_a_parallel: 6 "a parallel" {
        #[deadline("6h")] late = parallel { b = act(lab, "b"); c = tries(lab); d = steps::signal::<u32>(); }
    }
    of_a_for: 25 "a for" {
        #[deadline("25h")] late = for n in 0..99 by n { b = act(lab, &n.to_string()); c = steps::sleep("10h"); }
    }
    of_a_for_at_once: 5 "a for at once" {
        #[deadline("5h")] late = for n in 0..9 by n parallel(3) { b = act(lab, &n.to_string()); c = tries(lab); }
    }
    of_a_loop: 25 "a loop" {
        #[deadline("25h")] late = loop {
            b = act(lab, "b"); c = steps::sleep("10h");
        } until false;
    }
    of_an_if: 5 "an if" { #[deadline("5h")] late = if lab.is_there("a") { b = tries(lab); } }
    of_a_flow: 5 "a nested flow" { #[deadline("5h")] late = flow inner(lab); }
    of_its_flow: 5 "a nested flow with a deadline of its own" { late = flow hasty(lab); }
    of_what_passes_over: 7 "a group that would pass over what is given up" {
        #[deadline("7h")] late = {
            b = act(lab, "b");
            #[optional] c = tries(lab);
            #[optional] d = tries(lab);
        }
    }
}

fn late(failure: &Failure, path: &str, kind: &str) {
    let found = failure.failed();
    assert_eq!(found.len(), 1, "{kind}: {found:?}");
    assert_eq!(found[0].path, path, "{kind}");
    assert!(found[0].passed_deadline(), "{kind}: {found:?}");
    assert!(found[0].error.contains("its deadline"), "{kind}: {found:?}");
    let node = failure.state.get(path).unwrap();
    assert_eq!(node.cause, Some(FailureCause::Deadline), "{kind}");
    let error = found[0].downcast_ref::<DeadlinePassed>();
    assert!(error.is_some_and(|error| error.within.is_some()), "{kind}");
}

#[flow]
async fn cut_off(clock: &FakeClock, lab: &Lab) -> Result<(), String> {
    steps! {
        #[deadline("90m")]
        late = {
            b = works(clock, lab, "b");
            c = works(clock, lab, "c");
        }
    }
    let _ = late;
    Ok(())
}

/// The attempt is dropped in the middle, and is not made again.
#[tokio::test]
async fn what_runs_is_dropped_as_by_a_timeout() {
    let (clock, lab) = (FakeClock::new(), Lab::new());
    let began = clock.now();
    let failure = run(cut_off(&clock, &lab), &clock).await.unwrap_err();
    late(&failure, "late", "a group");
    assert_eq!(clock.now().duration_since(began).as_secs() / 60, 90);
    assert_eq!(lab.texts(), ["b"]);
    let given_up = failure.state.get("late.c").unwrap();
    assert_eq!(given_up.cause, Some(FailureCause::OutOfTime));
}

#[flow(deadline = "5h")]
async fn whole(lab: &Lab) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        t = tries(lab);
    }
    let _ = (a, t);
    Ok(())
}

#[tokio::test]
async fn a_flow_has_a_deadline_of_its_own() {
    let (clock, lab) = (FakeClock::new(), Lab::new());
    let began = clock.now();
    let failure = run(whole(&lab), &clock).await.unwrap_err();
    assert_eq!(failure.failed().len(), 1);
    assert_eq!(failure.failed()[0].path, "");
    assert!(failure.failed()[0].passed_deadline());
    assert_eq!(clock.now().duration_since(began).as_secs() / 3600, 5);
    assert!(lab.there().is_empty());
}

#[flow]
async fn lenient(lab: &Lab) -> Result<(bool, bool), String> {
    steps! {
        #[optional] #[deadline("2h")]
        step = tries(lab);
        #[optional] #[deadline("2h")]
        group = { b = act(lab, "b"); c = tries(lab); }
    }
    Ok((step.is_some(), group.is_some()))
}

#[tokio::test]
async fn an_optional_line_that_is_late_is_passed_over_and_undone() {
    let (clock, lab) = (FakeClock::new(), Lab::new());
    let began = clock.now();
    assert_eq!(run(lenient(&lab), &clock).await.unwrap(), (false, false));
    assert_eq!(clock.now().duration_since(began).as_secs() / 3600, 4);
    assert_eq!(lab.texts(), ["b", "undo b"]);
}

#[flow]
async fn in_time(lab: &Lab) -> Result<(), String> {
    steps! {
        #[deadline("5h")]
        group = { a = act(lab, "a"); pause = steps::sleep("4h"); }
        rest = steps::sleep("4h");
    }
    let _ = (group, rest);
    Ok(())
}

#[tokio::test]
async fn a_line_that_ends_in_time_has_no_deadline_any_more() {
    let (clock, lab) = (FakeClock::new(), Lab::new());
    let flow = || in_time(&lab).clock(Arc::new(clock.clone()));
    let mut state = flow().advance().await.unwrap().state;
    assert!(state.state().get("group").unwrap().deadline.is_some());
    clock.advance(Duration::from_secs(4 * 3600));
    state = flow().resume(state).advance().await.unwrap().state;
    assert_eq!(state.state().get("group").unwrap().deadline, None);
    clock.advance(DAY);
    let pass = flow().resume(state).advance().await.unwrap();
    assert!(matches!(pass.outcome, Outcome::Done(())));
}

#[flow(on_failure = "hold")]
async fn held(lab: &Lab) -> Result<(), String> {
    steps! { #[deadline("3h")] group = { a = act(lab, "a"); late = tries(lab); } }
    let _ = group;
    Ok(())
}

#[tokio::test]
async fn what_is_recovered_has_its_whole_time_again() {
    let (clock, lab) = (FakeClock::new(), Lab::new());
    let failure = run(held(&lab), &clock).await.unwrap_err();
    late(&failure, "group", "held");
    let mut state = State::clone(&failure.state);
    assert!(state.recover().unwrap() > 0);
    clock.advance(DAY);
    let flow = held(&lab).clock(Arc::new(clock.clone()));
    let pass = flow.resume(state).advance().await.unwrap();
    let deadline = pass.state.state().get("group").unwrap().deadline.unwrap();
    let left = deadline.duration_since(clock.now()).as_secs();
    assert_eq!((left + 60) / 3600, 3);
    assert_eq!(lab.texts(), ["a"]);
}

/// The wall clock is set; within a process a deadline goes by how much time passes.
#[tokio::test]
async fn clock_set_deadline() {
    let (clock, lab) = (FakeClock::new(), Lab::new());
    let flow = run(held(&lab), &clock);
    let began = clock.elapsed();
    let set = async {
        clock.sleep(Duration::from_secs(3600)).await;
        clock.set(jiff::Timestamp::UNIX_EPOCH);
    };
    let (failure, ()) = tokio::join!(flow, set);
    late(&failure.unwrap_err(), "group", "set back");
    assert_eq!((clock.elapsed() - began).as_secs() / 3600, 3);
}

/// Blocks its thread for longer than it has.
#[step(blocking, retry(times = 9, every = "1ms"))]
fn blocks(lab: &Lab) -> Result<(), String> {
    std::thread::sleep(Duration::from_millis(400));
    lab.act("ended").map_err(|error| error.to_string())
}

#[flow]
async fn blocked(lab: &Lab) -> Result<(), String> {
    steps! {
        a = act(lab, "a");
        #[deadline("200ms")]
        late = blocks(lab);
    }
    let _ = (a, late);
    Ok(())
}

/// A thread can't be dropped: nothing is undone before it has ended.
#[tokio::test]
async fn a_deadline_of_a_blocking_step_waits_for_its_thread() {
    let lab = Lab::new();
    let failure = blocked(&lab).await.unwrap_err();
    late(&failure, "late", "a blocking step");
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(lab.texts(), ["a", "ended", "undo a"]);
}
