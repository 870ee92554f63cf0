//! Sleeping, and waiting for a signal.

use std::{sync::Arc, time::Duration};

use steps::{
    Cause, Outcome, SignalError, Signals, Status,
    prelude::*,
    testing::{Cut, FakeClock, Lab, Recorder},
};

use crate::support::{num, pass, read, run};

#[flow]
async fn approves(lab: &Lab) -> Result<u32, String> {
    steps! {
        both = parallel {
            amount = steps::signal::<u32>();
            name = steps::signal::<String>();
        }
        done = num(lab, both.amount);
        each = for n in 0..2_u32 by n { s = steps::signal::<u32>(); }
    }
    let _ = &both.name;
    Ok(done + each.iter().map(|each| each.s).sum::<u32>())
}

fn signals_of<T: std::fmt::Debug>(outcome: Outcome<T>) -> Vec<String> {
    match outcome {
        Outcome::Waiting {
            until: None,
            signals,
        } => signals,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_signal_is_given_to_the_saved_state() {
    let lab = Lab::new();
    let mut saved = None;
    let signals = signals_of(pass(&mut saved, approves(&lab)).await);
    assert_eq!(signals, ["both.amount", "both.name"]);
    let mut state = ApprovesState::from(read(&saved));
    assert_eq!(state.execution_status(), steps::Status::Waiting);
    state.signal(approves::STEPS.both.amount, &7).unwrap();
    let early = state.signal(approves::STEPS.each.s.at(0), &7).unwrap_err();
    assert!(matches!(early, SignalError::NotWaiting { .. }), "{early}");
    assert_eq!(
        early.to_string(),
        "`each.0.s` does not wait for a signal now; `both.amount`, `both.name` do"
    );
    let again = state.signal(approves::STEPS.both.amount, &8).unwrap_err();
    assert!(matches!(again, SignalError::TakesNone { .. }), "{again}");
    saved = Some(state.state().to_json());
    assert_eq!(
        signals_of(pass(&mut saved, approves(&lab)).await),
        ["both.name"]
    );
    let mut state = ApprovesState::from(read(&saved));
    let late = state.signal(approves::STEPS.both.amount, &8).unwrap_err();
    assert!(matches!(late, SignalError::NotWaiting { .. }), "{late}");
    state
        .signal(approves::STEPS.both.name, &"x".to_owned())
        .unwrap();
    saved = Some(state.state().to_json());
    for n in 0..2 {
        assert_eq!(
            signals_of(pass(&mut saved, approves(&lab)).await),
            [format!("each.{n}.s")]
        );
        let mut state = ApprovesState::from(read(&saved));
        state.signal(approves::STEPS.each.s.at(n), &n).unwrap();
        saved = Some(state.state().to_json());
    }
    let outcome = pass(&mut saved, approves(&lab)).await;
    assert!(matches!(outcome, Outcome::Done(8)), "{outcome:?}");
}

#[tokio::test]
async fn a_signal_is_sent_to_a_run_before_or_while_it_waits() {
    let lab = Lab::new();
    let signals = Signals::new();
    signals
        .send(approves::STEPS.both.name, &"x".to_owned())
        .unwrap();
    signals.send(approves::STEPS.each.s.at(1), &1).unwrap();
    signals.send(approves::STEPS.both.amount, &6).unwrap();
    let second = signals.send(approves::STEPS.both.amount, &7).unwrap_err();
    assert!(matches!(second, SignalError::TakesNone { .. }), "{second}");
    signals.replace(approves::STEPS.both.amount, &7).unwrap();
    let sender = signals.clone();
    let later = async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        sender.send(approves::STEPS.each.s.at(0), &10).unwrap();
    };
    let run = approves(&lab).signals(&signals);
    let (sum, ()) = tokio::join!(run, later);
    assert_eq!(sum.unwrap(), 18);
}

#[tokio::test]
async fn a_wait_is_one_attempt_of_a_sleep_and_of_a_signal() {
    let lab = Lab::new();
    let clock = FakeClock::new();
    let mut saved = None;
    for _ in 0..4 {
        pass(&mut saved, sleeps(&lab).clock(Arc::new(clock.clone()))).await;
        clock.advance(Duration::from_secs(1800));
    }
    let mut asked = None;
    for _ in 0..2 {
        pass(&mut asked, approves(&lab)).await;
    }
    let mut state = ApprovesState::from(read(&asked));
    state.signal(approves::STEPS.both.amount, &7).unwrap();
    asked = Some(state.state().to_json());
    pass(&mut asked, approves(&lab)).await;
    for (saved, path) in [(&saved, "pause"), (&asked, "both.amount")] {
        let state = read(saved);
        let node = state.get(path).unwrap();
        assert_eq!((node.status, node.attempts), (Status::Done, 1), "{path}");
        let tree = state.tree().to_string();
        assert!(!tree.contains("attempts"), "{tree}");
    }
}

#[tokio::test]
async fn a_run_that_nobody_can_give_a_signal_says_so() {
    let failure = approves(&Lab::new()).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Waiting { signals } if signals.len() == 2));
    assert!(failure.to_string().contains("both.amount"), "{failure}");
}

#[flow]
async fn sleeps(lab: &Lab) -> Result<u32, String> {
    steps! {
        a = num(lab, 1);
        pause = steps::sleep(Duration::from_secs(3600));
        b = num(lab, 2);
    }
    let () = pause;
    Ok(a + b)
}

#[tokio::test]
async fn a_sleep_goes_on_for_what_is_left_of_it() {
    let lab = Lab::new();
    let clock = FakeClock::new();
    let flow = || sleeps(&lab).clock(Arc::new(clock.clone()));
    let mut saved = None;
    let mut times = Vec::new();
    for _ in 0..2 {
        match pass(&mut saved, flow()).await {
            Outcome::Waiting {
                until: Some(time), ..
            } => times.push(time),
            other => panic!("{other:?}"),
        }
        clock.advance(Duration::from_secs(1800));
    }
    assert_eq!(times[0], times[1]);
    let outcome = pass(&mut saved, flow()).await;
    assert!(matches!(outcome, Outcome::Done(3)), "{outcome:?}");
    assert_eq!(lab.texts(), ["1", "2"]);
}

#[tokio::test]
async fn regression_a_crash_as_a_sleep_ended_made_it_sleep_again() {
    let lab = Lab::new();
    let clock = FakeClock::new();
    let mut saved = None;
    let _ = pass(&mut saved, sleeps(&lab).clock(Arc::new(clock.clone()))).await;
    clock.advance(Duration::from_secs(3600));
    let recorder = Recorder::cut(Cut::After(1));
    tokio::select! {
        _ = run(sleeps(&lab).resume(read(&saved)).journal(Arc::new(recorder.clone())), &clock) => {
            panic!("it was to be cut off");
        }
        () = recorder.struck() => {}
    }
    let state = steps::State::from_json(&recorder.document().unwrap()).unwrap();
    assert!(
        state.started("pause") && !state.succeeded("b"),
        "{}",
        state.tree()
    );
    let outcome = pass(
        &mut recorder.document(),
        sleeps(&lab).clock(Arc::new(clock)),
    )
    .await;
    assert!(matches!(outcome, Outcome::Done(3)), "{outcome:?}");
}

#[flow]
async fn petition(lab: &Lab) -> Result<u32, String> {
    steps! {
        first  = num(lab, 100);
        rounds = loop max ROUNDS {
            vote = steps::signal::<u32>();
            told = num(lab, vote);
        } until told >= 3;
        last = steps::signal::<u32>();
    }
    Ok(first + rounds.told + last)
}

const ROUNDS: u32 = 2 * 2;

/// In memory, too: each round takes the next one, whether it came before the round or while it waits.
#[tokio::test]
async fn votes_lost() {
    let lab = Lab::new();
    let signals = Signals::new();
    let vote = petition::STEPS.rounds.vote;
    signals.send(vote.any(), &1).unwrap();
    signals.send(vote.any(), &2).unwrap();
    let later = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        signals.send(vote.any(), &3).unwrap();
        signals.send(petition::STEPS.last, &1000).unwrap();
    };
    let (sum, ()) = tokio::join!(petition(&lab).signals(&signals), later);
    assert_eq!(sum.unwrap(), 1103);
    assert_eq!(lab.texts(), ["100", "1", "2", "3"]);
}

/// What the run can tell is an error of the call; what it did not take stays.
#[tokio::test]
async fn a_signal_that_no_step_can_take_is_refused_by_the_run() {
    let (lab, signals) = (Lab::new(), Signals::new());
    const STEPS: PetitionSteps = petition::STEPS;
    let told = |signal: Result<(), SignalError>| signal.unwrap_err().to_string();
    signals.send(STEPS.last, &1000).unwrap();
    let sends = async {
        signals.send(STEPS.rounds.vote.at(1), &1).unwrap();
        while !lab.texts().contains(&"1".to_owned()) {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(
            told(signals.send(STEPS.rounds.vote.at(1), &1)),
            "the step `rounds.1.vote` can take no signal any more: `rounds.1` is done"
        );
        assert_eq!(
            told(signals.send(STEPS.rounds.vote.at(7), &1)),
            "the signal to `rounds.7.vote` was not sent: the rounds of `rounds` are 1 to 4, not `7`"
        );
        assert_eq!(
            told(signals.send(STEPS.last, &1)),
            "the step `last` can take no signal any more: it has been given one"
        );
        assert_eq!(
            told(signals.send(approves::STEPS.both.amount, &1)),
            "the flow `petition` has no step `both.amount`; the flow's signals are `rounds.*.vote`, \
             `last`"
        );
        signals.send(STEPS.rounds.vote.any(), &3).unwrap();
        signals.send(STEPS.rounds.vote.any(), &4).unwrap();
    };
    let (sum, ()) = tokio::join!(petition(&lab).signals(&signals), sends);
    assert_eq!(sum.unwrap(), 1103);
    assert_eq!(signals.untaken(), ["rounds.*.vote"]);
    assert_eq!(
        told(signals.send(STEPS.last, &1)),
        "the step `last` can take no signal any more: the execution is done"
    );
}

/// An observer is called while the run's records are locked.
#[tokio::test]
async fn an_observer_may_send_a_signal() {
    let (lab, signals) = (Lab::new(), Signals::new());
    let sender = signals.clone();
    let run = petition(&lab).signals(&signals).observe(move |event| {
        if event.status == Status::Waiting && event.path.ends_with("vote") {
            sender.send(petition::STEPS.rounds.vote.any(), &3).unwrap();
        } else if event.status == Status::Waiting {
            sender.send(petition::STEPS.last, &1000).unwrap();
        }
    });
    assert_eq!(run.await.unwrap(), 1103);
}

/// A stopped run keeps what it has not taken, for when it goes on.
#[tokio::test]
async fn a_stopped_run_leaves_its_signals_to_the_next_one() {
    let (lab, signals, control) = (Lab::new(), Signals::new(), steps::Control::new());
    control.stop();
    let run = petition(&lab).signals(&signals).control(&control);
    let failure = run.await.unwrap_err();
    for vote in [1, 3] {
        signals
            .send(petition::STEPS.rounds.vote.any(), &vote)
            .unwrap();
    }
    signals.send(petition::STEPS.last, &1000).unwrap();
    let mut state = steps::State::clone(&failure.state);
    state.recover().unwrap();
    let sum = petition(&lab).resume(state).signals(&signals).await;
    assert_eq!(sum.unwrap(), 1103);
}
