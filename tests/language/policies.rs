//! Retries, polls, timeouts, blocking steps; on the function and on the line.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use steps::{
    Outcome, State, Status,
    clock::TestClock,
    prelude::*,
    testing::{FakeClock, Lab},
};

use crate::support::{pass, read, run};

#[step(retry(times = 4, every = "1s", backoff = 3.0, max = "10s"))]
async fn flaky(
    cx: &Cx,
    clock: &FakeClock,
    times: &Mutex<Vec<f64>>,
    good: u32,
) -> Result<u32, String> {
    let now = clock.now().as_millisecond() as f64 / 1000.0;
    times.lock().unwrap().push(now);
    if cx.attempt() < good {
        return Err(format!("attempt {}", cx.attempt()));
    }
    Ok(cx.attempt())
}

#[flow]
async fn flakes(clock: &FakeClock, times: &Mutex<Vec<f64>>, good: u32) -> Result<u32, String> {
    steps! { f = flaky(cx, clock, times, good); }
    Ok(f)
}

fn gaps(times: &Mutex<Vec<f64>>) -> Vec<f64> {
    let times = times.lock().unwrap();
    times
        .windows(2)
        .map(|two| (two[1] - two[0]).round())
        .collect()
}

#[tokio::test]
async fn pauses_grow_up_to_their_max_and_attempts_are_bounded() {
    let (clock, times) = (FakeClock::new(), Mutex::default());
    assert_eq!(run(flakes(&clock, &times, 3), &clock).await.unwrap(), 3);
    assert_eq!(gaps(&times), [1.0, 3.0]);
    let (clock, times) = (FakeClock::new(), Mutex::default());
    let failure = run(flakes(&clock, &times, 100), &clock).await.unwrap_err();
    assert_eq!(gaps(&times), [1.0, 3.0, 9.0, 10.0]);
    assert_eq!(failure.failed()[0].error, "attempt 5");
    assert_eq!(failure.state.get("f").unwrap().errors.len(), 5);
}

/// A3: after an error the pass ends, and says when to come again.
#[tokio::test]
async fn a_pass_makes_one_attempt_and_does_not_hurry_a_retry() {
    let (clock, times) = (FakeClock::new(), Mutex::default());
    let mut saved = None;
    for _ in 0..3 {
        let flow = flakes(&clock, &times, 2).clock(Arc::new(clock.clone()));
        let outcome = pass(&mut saved, flow).await;
        assert!(
            matches!(outcome, Outcome::Waiting { until: Some(_), .. }),
            "{outcome:?}"
        );
    }
    assert_eq!(times.lock().unwrap().len(), 1);
    clock.advance(Duration::from_secs(1));
    let flow = flakes(&clock, &times, 2).clock(Arc::new(clock.clone()));
    assert!(matches!(pass(&mut saved, flow).await, Outcome::Done(2)));
}

#[step(retry(times = 3, every = "1s", when = is_busy))]
async fn busy(cx: &Cx, text: &str) -> Result<u32, std::io::Error> {
    match cx.attempt() {
        1 => Err(std::io::Error::new(
            std::io::ErrorKind::ResourceBusy,
            "busy",
        )),
        2 => Err(std::io::Error::other(text.to_owned())),
        n => Ok(n),
    }
}

fn is_busy(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ResourceBusy
}

#[flow]
async fn busies(text: String) -> Result<u32, String> {
    steps! { b = busy(cx, text); }
    Ok(b)
}

#[flow]
async fn overrides(text: String) -> Result<u32, String> {
    steps! {
        #[step(retry(times = 3, every = "1s", jitter = 0.5, when = |_| true))]
        b = busy(cx, text);
    }
    Ok(b)
}

#[tokio::test]
async fn only_the_errors_that_when_names_are_tried_again() {
    let clock = FakeClock::new();
    let failure = run(busies("other".to_owned()), &clock).await.unwrap_err();
    assert_eq!(failure.state.get("b").unwrap().attempts, 2);
    let error = failure.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(error.to_string(), "other");
    // The line's own policy comes before the function's.
    assert_eq!(run(overrides("other".to_owned()), &clock).await.unwrap(), 3);
}

#[step(poll(every = "10s", times = 3), retry(times = 2, every = "1s"))]
async fn asks(cx: &Cx, script: &str) -> Result<Option<u32>, String> {
    match script.chars().nth(cx.attempt() as usize - 1) {
        Some('n') => Ok(None),
        Some('e') => Err("no answer".to_owned()),
        _ => Ok(Some(cx.attempt())),
    }
}

#[flow]
async fn polls(script: String) -> Result<u32, String> {
    steps! { a = asks(cx, script); }
    Ok(a)
}

#[tokio::test]
async fn a_poll_ends_when_it_was_asked_often_enough() {
    let clock = FakeClock::new();
    assert_eq!(run(polls("nn".to_owned()), &clock).await.unwrap(), 3);
    let failure = run(polls("nnnn".to_owned()), &clock).await.unwrap_err();
    assert!(
        failure.to_string().contains("not ready after 3 polls"),
        "{failure}"
    );
    // Failures in a row have their own allowance.
    let failure = run(polls("neee".to_owned()), &clock).await.unwrap_err();
    assert_eq!(failure.state.get("a").unwrap().attempts, 4);
}

#[tokio::test]
async fn regression_failures_between_polls_used_up_the_polls() {
    let clock = FakeClock::new();
    assert_eq!(run(polls("eneene".to_owned()), &clock).await.unwrap(), 7);
    // Also over resumes.
    let mut saved = None;
    for _ in 0..6 {
        let flow = polls("eneene".to_owned()).clock(Arc::new(clock.clone()));
        let outcome = pass(&mut saved, flow).await;
        assert!(
            matches!(outcome, Outcome::Waiting { .. }),
            "{outcome:?}\n{}",
            read(&saved).tree()
        );
        clock.advance(Duration::from_secs(10));
    }
    let outcome = pass(
        &mut saved,
        polls("eneene".to_owned()).clock(Arc::new(clock)),
    )
    .await;
    assert!(matches!(outcome, Outcome::Done(7)), "{outcome:?}");
}

#[step]
async fn long(lab: &Lab) -> Result<u32, String> {
    lab.clock().sleep(Duration::from_secs(100)).await;
    Ok(1)
}

#[flow]
async fn times_out(lab: &Lab) -> Result<u32, String> {
    steps! {
        long_enough = long(lab);
        #[step(timeout = "1m30s")]
        l = long(lab);
    }
    Ok(long_enough + l)
}

#[tokio::test]
async fn a_timeout_ends_an_attempt() {
    let lab = Lab::new();
    let failure = run(times_out(&lab), lab.clock()).await.unwrap_err();
    assert_eq!(
        (failure.step(), &*failure.failed()[0].error),
        (Some("l"), "timed out after 90s")
    );
}

#[step(blocking)]
fn block(at: Arc<std::sync::Barrier>) -> Result<String, String> {
    // Two that block one another would never end on one thread.
    at.wait();
    Ok(format!("{:?}", std::thread::current().id()))
}

#[flow]
async fn blocks(at: &Arc<std::sync::Barrier>) -> Result<(String, String), String> {
    steps! { p = parallel { a = block(Arc::clone(at)); b = block(Arc::clone(at)); } }
    Ok((p.a, p.b))
}

#[tokio::test(flavor = "current_thread")]
async fn blocking_steps_run_beside_one_another_off_the_async_thread() {
    let (a, b) = blocks(&Arc::new(std::sync::Barrier::new(2))).await.unwrap();
    let here = format!("{:?}", std::thread::current().id());
    assert!(a != b && a != here && b != here);
}

#[step]
async fn act() -> Result<u32, String> {
    Ok(1)
}

#[flow]
async fn naps() -> Result<u32, String> {
    steps! { pause = steps::sleep(Duration::ZERO); done = act(); }
    Ok(done)
}

/// A wait was given up for the deaths of its process, of which it can't be the cause.
#[tokio::test]
async fn regression_poison_a_wait_is_not_given_up() {
    let died = |deaths: &str| {
        let state = format!(
            r#"{{"name":"naps","input":{{}},"startedAt":"2026-01-01T00:00:00Z","states":[
                {{"name":"pause","startedAt":"2026-01-01T00:00:00Z"{deaths}}},
                {{"name":"done","startedAt":null}}]}}"#
        );
        State::from_json(&state).unwrap()
    };
    assert_eq!(naps().resume(died(r#","deaths":99"#)).await.unwrap(), 1);

    // A step is.
    let mut state = died("");
    let done = r#"{"name":"done","startedAt":"2026-01-01T00:00:00Z","deaths":99}"#;
    state.states[0].status = Status::Done;
    state.states[0].done_at = state.states[0].started_at;
    state.states[1] = State::from_json(done).unwrap();
    let failure = naps().resume(state).await.unwrap_err();
    assert_eq!(failure.failed()[0].error, "its process died 99 times");
}
