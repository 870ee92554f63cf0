//! What is asked of a run from outside while it runs: to stop here, to be undone in `undo`.

mod undo;

use std::{future::IntoFuture, sync::Arc, time::Duration};

use steps::{
    Cause, Control, Failure, Flow, Outcome, Run, State, Status,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::{act, fail, num, ready};

/// Asks for something in the middle of the step.
#[step]
async fn stops(control: &Control, lab: &Lab, name: &str) -> Result<(), Injected> {
    lab.act(name)?;
    control.stop();
    Ok(())
}

#[undo(stops)]
async fn stops_back(_control: &Control, lab: &Lab, name: &str, (): &()) -> Result<(), Injected> {
    lab.undo(name)
}

#[step]
async fn undoes(control: &Control, lab: &Lab, name: &str) -> Result<(), Injected> {
    lab.act(name)?;
    control.undo();
    Ok(())
}

#[undo(undoes)]
async fn undoes_back(_control: &Control, lab: &Lab, name: &str, (): &()) -> Result<(), Injected> {
    lab.undo(name)
}

/// Takes its time, and looks whether it had better end.
#[step]
async fn long(cx: &Cx, lab: &Lab, name: &str) -> Result<bool, Injected> {
    lab.clock().sleep(Duration::from_millis(20)).await;
    lab.act(name)?;
    Ok(cx.cancelled())
}

#[undo(long)]
async fn long_back(cx: &Cx, lab: &Lab, name: &str, _: &bool) -> Result<(), Injected> {
    assert!(!cx.cancelled(), "an undo is not cancelled");
    lab.undo(name)
}

/// Takes its time to fail.
#[step]
async fn late(lab: &Lab) -> Result<(), String> {
    lab.clock().sleep(Duration::from_millis(20)).await;
    Err("no".to_owned())
}

/// Ends with an error if it had better end.
#[step(retry(times = 100, every = "1h"))]
async fn careful(cx: &Cx, lab: &Lab, name: &str) -> Result<(), Injected> {
    lab.clock().sleep(Duration::from_millis(20)).await;
    if cx.cancelled() {
        return Err(Injected("it is over".to_owned()));
    }
    lab.act(name)
}

#[verify(careful)]
async fn careful_done(_cx: &Cx, lab: &Lab, name: &str) -> Option<()> {
    lab.is_there(name).then_some(())
}

async fn clocked<F: Flow>(lab: &Lab, run: Run<'_, F>) -> Result<F::Output, Failure> {
    run.clock(Arc::new(lab.clock().clone())).into_future().await
}

fn status(state: &State, path: &str) -> Status {
    state.get(path).map_or(Status::Pending, |node| node.status)
}

fn statuses(state: &State, paths: &[&str]) -> Vec<Status> {
    paths.iter().map(|path| status(state, path)).collect()
}

fn begun_again(failure: &Failure) -> State {
    let mut state = State::from_json(&failure.state.to_json()).unwrap();
    assert!(state.recover().unwrap() > 0);
    assert_eq!(state.recover().unwrap(), 0);
    state
}

#[flow]
async fn plain(control: &Control, lab: &Lab) -> Result<u32, Injected> {
    steps! {
        a = act(lab, "a");
        b = stops(control, lab, "b");
        c = num(lab, 3);
    }
    let _ = (a, b);
    Ok(c)
}

#[tokio::test]
async fn a_stop_begins_no_other_step() {
    let (lab, control) = (Lab::new(), Control::new());
    let stopped = plain(&control, &lab).control(&control).await.unwrap_err();
    assert!(matches!(stopped.cause, Cause::Stopped));
    assert_eq!(stopped.to_string(), "flow `plain` was stopped");
    assert_eq!(stopped.status(), Status::Stopped);
    assert_eq!(lab.texts(), ["a", "b"]);
    let found = statuses(&stopped.state, &["a", "b", "c"]);
    assert_eq!(found, [Status::Done, Status::Done, Status::Pending]);

    // It stays stopped until it is recovered.
    let state = State::clone(&stopped.state);
    let again = plain(&control, &lab).resume(state).await.unwrap_err();
    assert!(matches!(again.cause, Cause::Stopped));
    let other = Control::new();
    let run = plain(&other, &lab).resume(begun_again(&stopped));
    assert_eq!(run.await.unwrap(), 3);
    assert_eq!(lab.texts(), ["a", "b", "3"]);
}

#[tokio::test]
async fn what_is_asked_before_the_run_counts() {
    let (lab, control) = (Lab::new(), Control::new());
    control.stop();
    let stopped = plain(&control, &lab).control(&control).await.unwrap_err();
    assert_eq!(stopped.status(), Status::Stopped);
    assert_eq!(stopped.state.started_at, None);
    let state = begun_again(&stopped);
    assert_eq!(state.status, Status::Pending);
    // In another run the step asks nobody who listens.
    assert_eq!(plain(&Control::new(), &lab).resume(state).await.unwrap(), 3);

    let (lab, control) = (Lab::new(), Control::new());
    control.stop();
    control.undo();
    let undone = plain(&control, &lab).control(&control).await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    assert_eq!(undone.status(), Status::Undone);
    assert!(lab.texts().is_empty());
}

#[tokio::test]
async fn a_pass_that_is_stopped_says_so() {
    let (lab, control) = (Lab::new(), Control::new());
    let run = plain(&control, &lab).control(&control);
    let advance = run.advance().await.unwrap();
    assert_eq!(advance.requeue_after(), None);
    let Outcome::Failed(stopped) = advance.outcome else {
        panic!("{advance:?}");
    };
    assert!(matches!(stopped.cause, Cause::Stopped), "{stopped}");
}

#[flow]
async fn last_one_stops(control: &Control, lab: &Lab) -> Result<(), Injected> {
    steps! { a = act(lab, "a"); b = stops(control, lab, "b"); }
    let _ = (a, b);
    Ok(())
}

#[flow]
async fn stops_and_fails(control: &Control, lab: &Lab) -> Result<(), String> {
    steps! { a = act(lab, "a"); p = parallel { c = late(lab); b = stops(control, lab, "b"); } d = act(lab, "d"); }
    let _ = (a, p, d);
    Ok(())
}

#[tokio::test]
async fn what_comes_to_its_end_all_the_same_is_not_stopped() {
    let (lab, control) = (Lab::new(), Control::new());
    let run = last_one_stops(&control, &lab).control(&control);
    run.await.unwrap();
    assert_eq!(lab.texts(), ["a", "b"]);
}

/// An error after the stop may well come of ending early: it is no failure, and the step runs again.
#[tokio::test]
async fn an_attempt_that_fails_after_a_stop_is_made_again() {
    let (lab, control) = (Lab::new(), Control::new());
    let run = stops_and_fails(&control, &lab).control(&control);
    let failure = clocked(&lab, run).await.unwrap_err();
    assert!(matches!(failure.cause, steps::Cause::Stopped), "{failure}");
    assert_eq!(
        statuses(&failure.state, &["", "a", "p", "p.c", "p.b", "d"]),
        [
            Status::Stopped,
            Status::Done,
            Status::Running,
            Status::Waiting,
            Status::Done,
            Status::Pending
        ]
    );
    assert!(failure.state.get("p.c").unwrap().errors.is_empty());

    let run = stops_and_fails(&control, &lab).resume(begun_again(&failure));
    let failure = clocked(&lab, run).await.unwrap_err();
    assert_eq!(
        (failure.step(), failure.status()),
        (Some("p.c"), Status::Undone)
    );
    assert!(lab.there().is_empty());
}

#[flow]
async fn at_once(control: &Control, lab: &Lab) -> Result<bool, Injected> {
    steps! {
        p = parallel {
            a = long(cx, lab, "a");
            #[atomic]
            e = { f = long(cx, lab, "f"); g = act(lab, "g"); }
            wait = ready(lab, "go");
            b = { c = stops(control, lab, "c"); d = act(lab, "d"); }
        }
        each = for n in [1_u32, 2, 3] by n parallel(2) { h = num(lab, n); }
    }
    drop(each);
    Ok(p.a)
}

#[tokio::test]
async fn a_stop_lets_what_runs_at_once_finish() {
    let (lab, control) = (Lab::new(), Control::new());
    let run = at_once(&control, &lab).control(&control);
    let stopped = clocked(&lab, run).await.unwrap_err();
    assert!(matches!(stopped.cause, Cause::Stopped), "{stopped}");
    assert_eq!(lab.texts(), ["c", "a", "f"]);
    let state = &stopped.state;
    assert_eq!(
        state.get("p.a").unwrap().output.as_ref().unwrap().get(),
        "true",
        "it could see it"
    );
    assert_eq!(
        statuses(
            state,
            &["p.a", "p.b.c", "p.b.d", "p.e.f", "p.e.g", "p.wait", "each"]
        ),
        [
            Status::Done,
            Status::Done,
            Status::Pending,
            Status::Done,
            Status::Pending,
            Status::Waiting,
            Status::Pending
        ]
    );
    let state = begun_again(&stopped);
    lab.act("go").unwrap();
    let other = Control::new();
    assert!(
        clocked(&lab, at_once(&other, &lab).resume(state))
            .await
            .unwrap()
    );
    assert_eq!(lab.there().len(), 9);
}

#[flow]
async fn rounds_and_items(control: &Control, lab: &Lab, stop_at: u32) -> Result<u32, Injected> {
    steps! {
        turns = loop max 3 { a = num(lab, prev.map_or(1, |prev| prev.a + 1)); s = if a == stop_at { x = stops(control, lab, "s"); } } until a == 3;
        each = for n in 11_u32..14 by n { b = num(lab, n); t = if n == stop_at { y = stops(control, lab, "t"); } }
        inner = flow nested(control, lab, stop_at);
    }
    drop(each);
    Ok(turns.a + inner)
}

#[flow]
async fn nested(control: &Control, lab: &Lab, stop_at: u32) -> Result<u32, Injected> {
    steps! { i = num(lab, 21); u = if i == stop_at { z = stops(control, lab, "u"); } j = num(lab, 22); }
    drop(u);
    Ok(j)
}

#[tokio::test]
async fn a_stop_holds_in_rounds_items_and_nested_flows() {
    let whole = ["1", "2", "3", "11", "12", "13", "21", "22"];
    for (stop_at, done) in [(2, 2), (3, 3), (12, 5), (13, 6), (21, 7)] {
        let (lab, control) = (Lab::new(), Control::new());
        let run = rounds_and_items(&control, &lab, stop_at).control(&control);
        let stopped = run.await.unwrap_err();
        assert!(matches!(stopped.cause, Cause::Stopped), "{stopped}");
        let numbers = |lab: &Lab| -> Vec<String> {
            lab.texts()
                .into_iter()
                .filter(|text| text.parse::<u32>().is_ok())
                .collect()
        };
        assert_eq!(numbers(&lab), whole[..done], "stopped at {stop_at}");
        let running: Vec<_> = stopped
            .state
            .walk()
            .filter(|(_, node)| {
                node.kind == steps::state::Kind::Step && node.status == Status::Running
            })
            .collect();
        assert!(running.is_empty(), "{running:?}");
        let state = begun_again(&stopped);
        let other = Control::new();
        let run = rounds_and_items(&other, &lab, stop_at).resume(state);
        assert_eq!(run.await.unwrap(), 25);
        assert_eq!(numbers(&lab), whole);
        let undone = rounds_and_items(&other, &lab, stop_at).resume(State::clone(&stopped.state));
        let undone = undone.undo().await.unwrap_err();
        assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    }
}

#[flow]
async fn sleeper(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = act(lab, "a");
        p = parallel { b = steps::sleep(Duration::from_secs(86_400)); c = steps::signal::<u32>(); d = ready(lab, "go"); }
    }
    let _ = (a, p);
    Ok(())
}

/// A run that sleeps by the real clock is asked from another task.
async fn woken(ask: fn(&Control)) -> (Failure, Lab) {
    let (lab, control) = (Lab::new(), Control::new());
    let run = tokio::spawn({
        let (lab, control) = (lab.clone(), control.clone());
        async move { sleeper(&lab).control(&control).await }
    });
    while lab.texts().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    ask(&control);
    let ended = tokio::time::timeout(Duration::from_secs(10), run).await;
    let failure = ended.expect("it is woken").unwrap().unwrap_err();
    (failure, lab)
}

#[tokio::test]
async fn a_run_that_sleeps_is_woken() {
    let (stopped, _) = woken(Control::stop).await;
    assert!(matches!(stopped.cause, Cause::Stopped), "{stopped}");
    let waits = statuses(&stopped.state, &["p.b", "p.c", "p.d"]);
    assert_eq!(waits, [Status::Waiting; 3]);

    let (undone, lab) = woken(Control::undo).await;
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
    assert_eq!(lab.texts(), ["a", "undo a"]);
}

#[flow]
async fn waits_beside(lab: &Lab, control: &Control) -> Result<(), Injected> {
    steps! {
        p = parallel {
            a = asks_late(lab, control);
            b = ready(lab, "never");
            c = ready(lab, "ever");
        }
    }
    drop(p);
    Ok(())
}

/// Waits until the steps beside it have been cancelled.
#[step]
async fn asks_late(lab: &Lab, control: &Control) -> Result<(), Injected> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    control.undo();
    tokio::time::timeout(Duration::from_secs(10), async {
        while !lab.is_there("both were given up") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .map_err(|_| Injected("nobody looked".to_owned()))
}

#[tokio::test]
async fn what_waits_beside_a_running_step_is_woken() {
    let (lab, control) = (Lab::new(), Control::new());
    let seen = lab.clone();
    let run = waits_beside(&lab, &control)
        .control(&control)
        .observe(move |event| {
            if event.status == Status::Failed && event.path == "p.c" {
                seen.act("both were given up").unwrap();
            }
        });
    let undone = run.await.unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
}
