//! Signals that are waited for no longer than a time.

use std::{sync::Arc, time::Duration};

use steps::{
    Outcome, SignalError, Signals, State, Status,
    clock::TestClock,
    prelude::*,
    store::MemoryStore,
    testing::{FakeClock, Lab},
};

use crate::support::{act, run};

const DAY: Duration = Duration::from_secs(86_400);

#[step]
async fn fail() -> Result<(), String> {
    Err("no".into())
}

#[flow]
async fn asks(lab: &Lab, limit: String) -> Result<Option<u32>, String> {
    steps! {
        a      = act(lab, "a");
        answer = steps::signal::<u32>().within(&limit);
        b      = act(lab, "b");
    }
    let _ = (a, b);
    Ok(answer)
}

#[tokio::test]
async fn the_value_is_none_when_the_time_is_over_and_what_follows_runs() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let began = clock.now();
    assert_eq!(run(asks(&lab, "2d".into()), &clock).await.unwrap(), None);
    assert_eq!(clock.now().duration_since(began).as_secs(), 2 * 86_400);
    assert!(lab.is_there("b"));
}

#[tokio::test]
async fn a_signal_that_comes_in_time_is_the_value() {
    let lab = Lab::new();
    let signals = Signals::new();
    signals.send(asks::STEPS.answer, &7).unwrap();
    let flow = asks(&lab, "2d".into()).signals(&signals);
    assert_eq!(run(flow, &FakeClock::new()).await.unwrap(), Some(7));
}

#[tokio::test]
async fn its_end_is_recorded_when_the_line_begins_and_survives_passes() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let flow = || asks(&lab, "2d".into()).clock(Arc::new(clock.clone()));
    let began = clock.now();
    let pass = flow().advance().await.unwrap();
    let Outcome::Waiting {
        until: Some(until),
        signals,
    } = &pass.outcome
    else {
        panic!()
    };
    assert_eq!(signals, &["answer"]);
    assert_eq!(until.duration_since(began).as_secs(), 2 * 86_400);
    let node = pass.state.answer.state().unwrap();
    assert_eq!(
        (node.status, node.deadline),
        (Status::Waiting, Some(*until))
    );
    let tree = pass.state.tree().to_string();
    assert!(
        tree.contains(&format!("for a signal, until {until} at the latest")),
        "{tree}"
    );

    clock.advance(DAY);
    let text = pass.state.state().to_json();
    assert!(
        text.contains(r#""until":"signal","deadline":"2030-01-03T"#),
        "{text}"
    );
    let flow_again = || flow().resume(State::from_json(&text).unwrap());
    let pass = flow_again().advance().await.unwrap();
    let Outcome::Waiting {
        until: Some(later), ..
    } = &pass.outcome
    else {
        panic!()
    };
    assert_eq!(later, until);
    clock.advance(DAY);
    let pass = flow_again().advance().await.unwrap();
    assert!(
        matches!(pass.outcome, Outcome::Done(None)),
        "{:?}",
        pass.outcome
    );
    assert_eq!(pass.state.answer.output().unwrap(), Some(None));
    assert_eq!(pass.state.answer.attempts(), 1);
}

#[tokio::test]
async fn a_signal_given_before_the_end_counts_even_if_no_pass_was_made_in_time() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let flow = || asks(&lab, "2d".into()).clock(Arc::new(clock.clone()));
    let mut state = flow().advance().await.unwrap().state;
    state.signal(asks::STEPS.answer, &5).unwrap();
    clock.advance(3 * DAY);
    let pass = flow().resume(state).advance().await.unwrap();
    assert!(
        matches!(pass.outcome, Outcome::Done(Some(5))),
        "{:?}",
        pass.outcome
    );
}

/// The clock of a saved state is that of whoever gives it the signal.
#[tokio::test]
async fn a_late_signal_to_a_saved_state_is_refused() {
    let lab = Lab::new();
    let mut state = asks(&lab, "1ns".into())
        .clock(Arc::new(Behind))
        .advance()
        .await
        .unwrap()
        .state;
    let error = state.signal(asks::STEPS.answer, &5).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the step `answer` can take no signal any more: the time of `answer` is over"
    );
}

/// A clock long ago, that stands.
#[derive(Debug)]
struct Behind;

impl TestClock for Behind {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
    fn sleep_until(&self, _: jiff::Timestamp) -> steps::journal::BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

#[flow]
async fn everywhere(lab: &Lab) -> Result<(Vec<Option<u32>>, u32), String> {
    steps! {
        both = parallel {
            quick = steps::signal::<u32>().within("1h");
            slow  = steps::signal::<u32>().within("3h");
        }
        each = for n in 0..3 by n parallel {
            vote = steps::signal::<u32>().within("1h");
        }
        rounds = loop max 5 {
            answer = steps::signal::<u32>().within("1h");
            misses = count(lab, prev.map_or(0, |round| round.misses), answer.is_none());
        } until misses == 2;
        #[optional]
        maybe = steps::signal::<u32>().within("1h");
    }
    let mut votes: Vec<_> = each.iter().map(|item| item.vote).collect();
    votes.extend([both.quick, both.slow, maybe.flatten()]);
    Ok((votes, rounds.misses))
}

#[step]
async fn count(_lab: &Lab, before: u32, missed: bool) -> Result<u32, String> {
    Ok(before + u32::from(missed))
}

#[tokio::test]
async fn it_stands_in_a_parallel_a_for_and_a_loop_and_any_is_taken_by_one() {
    let (lab, clock, signals) = (Lab::new(), FakeClock::new(), Signals::new());
    let began = clock.now();
    signals.send(everywhere::STEPS.both.slow, &1).unwrap();
    signals.send(everywhere::STEPS.each.vote.at(1), &2).unwrap();
    signals.send(everywhere::STEPS.each.vote.any(), &3).unwrap();
    signals
        .send(everywhere::STEPS.rounds.answer.any(), &4)
        .unwrap();
    let (mut votes, misses) = run(everywhere(&lab).signals(&signals), &clock)
        .await
        .unwrap();
    assert_eq!(
        (votes[1], votes[3], votes[4], votes[5]),
        (Some(2), None, Some(1), None)
    );
    votes.truncate(3);
    votes.sort_unstable();
    assert_eq!((votes, misses), (vec![None, Some(2), Some(3)], 2));
    // The quick one, the item without a vote, two rounds, and the last.
    assert_eq!(clock.now().duration_since(began).as_secs(), 5 * 3600);
}

#[flow]
async fn fails_later(lab: &Lab) -> Result<(), String> {
    steps! {
        a      = act(lab, "a");
        answer = steps::signal::<u32>().within("1h");
        named  = act(lab, &format!("{answer:?}"));
        fail();
    }
    let _ = (a, named);
    Ok(())
}

#[tokio::test]
async fn an_undo_after_it_gets_the_same_none() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    run(fails_later(&lab), &clock).await.unwrap_err();
    assert_eq!(lab.texts(), ["a", "None", "undo None", "undo a"]);
}

#[tokio::test]
async fn a_limit_that_is_no_duration_fails_the_line() {
    let lab = Lab::new();
    let failure = run(asks(&lab, "soon".into()), &FakeClock::new())
        .await
        .unwrap_err();
    assert_eq!(failure.step(), Some("answer"));
}

/// `null` is no `u32`, though the value of the line may be none.
#[tokio::test]
async fn what_is_sent_is_checked_as_the_signals_own_type() {
    let store = MemoryStore::new();
    let lab = Arc::new(Lab::new());
    let engine = Engine::with_store(store).serve(asks::with(Arc::clone(&lab)));
    let engine = engine.start().await.unwrap();
    let started = engine
        .start(asks::input("1d".into()))
        .id("x")
        .await
        .unwrap();
    let error = started.signal_path("answer", &()).await.unwrap_err();
    assert!(error.to_string().contains("answer"), "{error}");
    started.signal_path("answer", &9).await.unwrap();
    assert_eq!(started.outcome().await.unwrap(), Some(9));
}

/// Also where the wall clock is set back by an hour meanwhile.
#[tokio::test]
async fn clock_set_within() {
    for hours in [0, -1] {
        let (clock, lab) = (FakeClock::new(), Arc::new(Lab::new()));
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let engine = Engine::with_store(store).clock(Arc::new(clock.clone()));
        let engine = engine.serve(asks::with(lab)).start().await.unwrap();
        let began = clock.elapsed();
        let set = {
            let clock = clock.clone();
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(60)).await;
                clock.set(clock.now() + jiff::SignedDuration::from_hours(hours));
            })
        };
        let run = engine.start(asks::input("10m".into())).await.unwrap();
        assert_eq!(run.outcome().await.unwrap(), None);
        set.await.unwrap();
        let minutes = (clock.elapsed() - began).as_secs_f64() / 60.0;
        assert!((10.0..11.0).contains(&minutes), "{hours}: {minutes}");
    }
}

/// No process runs it at its end, and it is over all the same.
#[tokio::test]
async fn an_engine_refuses_a_late_signal_also_where_nobody_runs_the_execution() {
    let (store, lab) = (MemoryStore::new(), Arc::new(Lab::new()));
    let engine = Engine::with_store(store.reopen()).clock(Arc::new(Behind));
    let first = engine.serve(asks::with(lab)).start().await.unwrap();
    let run = first.start(asks::input("1d".into())).id("y").await.unwrap();
    for _ in 0..1000 {
        if run.status().await.unwrap() == Status::Waiting {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(run.status().await.unwrap(), Status::Waiting);
    run.signal(asks::STEPS.answer, &1)
        .await
        .expect("by its own clock it is early");

    let run = first.start(asks::input("1d".into())).id("z").await.unwrap();
    for _ in 0..1000 {
        if run.status().await.unwrap() == Status::Waiting {
            break;
        }
        tokio::task::yield_now().await;
    }
    let second = Engine::with_store(store.reopen()).start().await.unwrap();
    let z = second.execution::<asks>("z").await.unwrap();
    let error = z.signal(asks::STEPS.answer, &1).await.unwrap_err();
    let steps::engine::EngineError::Signal { error, .. } = error else {
        panic!("{error}")
    };
    assert!(
        matches!(&error, SignalError::TakesNone { why, .. } if why.contains("is over")),
        "{error}"
    );
}
