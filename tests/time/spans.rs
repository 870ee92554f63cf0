//! Durations: as text and as expressions, wherever one is taken.

use std::time::Duration;

use steps::{
    AsDuration, State,
    clock::TestClock,
    prelude::*,
    testing::{FakeClock, Lab},
};

use crate::support::{act, run};

const PAUSE: Duration = Duration::from_secs(2);

mod config {
    pub(super) const DAYS: std::time::Duration = std::time::Duration::from_secs(3 * 86_400);
}

#[flow]
async fn pauses(lab: &Lab, text: String, time: Duration) -> Result<(), String> {
    steps! {
        literal = steps::sleep("2w");
        input   = steps::sleep(text);
        value   = steps::sleep(time);
        named   = steps::sleep(config::DAYS);
        act(lab, "x");
    }
    Ok(())
}

/// How long each line of a flow took, in seconds.
fn took(state: &State, names: &[&str]) -> Vec<i64> {
    let of = |name: &&str| {
        let node = state.get(name).unwrap();
        let (from, to) = (node.started_at.unwrap(), node.done_at.unwrap());
        to.duration_since(from).as_secs()
    };
    names.iter().map(of).collect()
}

#[tokio::test]
async fn a_sleep_takes_text_and_durations() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let flow = pauses(&lab, "1h30m".into(), PAUSE).clock(std::sync::Arc::new(clock.clone()));
    let mut state = flow.advance().await.unwrap().state;
    for _ in 0..4 {
        clock.advance(Duration::from_secs(20 * 86_400));
        let flow = pauses(&lab, "1h30m".into(), PAUSE).clock(std::sync::Arc::new(clock.clone()));
        let until: Vec<_> = ["literal", "input", "value", "named"]
            .iter()
            .filter_map(|name| state.state().get(name)?.until)
            .collect();
        assert_eq!(until.len(), 1);
        state = flow.resume(state).advance().await.unwrap().state;
    }
    assert_eq!(state.state().status, steps::Status::Done);
    assert!(lab.is_there("x"));
}

#[tokio::test]
async fn a_sleep_lasts_as_long_as_its_text_says() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let began = clock.now();
    run(pauses(&lab, "1.5d".into(), PAUSE), &clock)
        .await
        .unwrap();
    let days = clock.now().duration_since(began).as_secs() / 86_400;
    assert_eq!(days, 14 + 1 + 3);
}

#[tokio::test]
async fn a_text_that_is_no_duration_fails_its_sleep_and_says_what_to_write() {
    let (lab, clock) = (Lab::new(), FakeClock::new());
    let failure = run(pauses(&lab, "soon".into(), PAUSE), &clock)
        .await
        .unwrap_err();
    assert_eq!(failure.step(), Some("input"));
    let error = &failure.failed()[0].error;
    assert!(
        error.contains("`soon` is no duration") && error.contains("\"30d\""),
        "{error}"
    );
    assert_eq!(took(&failure.state, &["literal"]), [14 * 86_400]);
}

#[step(retry(times = 1, every = PAUSE, max = config::DAYS), timeout = Duration::from_secs(3600))]
async fn flaky(cx: &Cx) -> Result<u32, String> {
    if cx.attempt() < 2 {
        Err("not yet".into())
    } else {
        Ok(cx.attempt())
    }
}

#[step(poll(every = "1w"))]
async fn weekly(cx: &Cx) -> Result<Option<u32>, String> {
    Ok((cx.attempt() > 2).then(|| cx.attempt()))
}

/// A step of the user's with this name takes any text.
mod own {
    use super::*;
    #[step]
    pub(super) async fn sleep(text: &str) -> Result<usize, String> {
        Ok(text.len())
    }
}

#[flow]
async fn policies() -> Result<u32, String> {
    steps! {
        first  = flaky(cx);
        #[step(poll(every = config::DAYS))]
        second = weekly(cx);
        third  = own::sleep("soundly");
    }
    Ok(first + second + u32::try_from(third).unwrap())
}

#[tokio::test]
async fn a_policy_takes_expressions() {
    let clock = FakeClock::new();
    let began = clock.now();
    assert_eq!(run(policies(), &clock).await.unwrap(), 2 + 3 + 7);
    assert_eq!(
        clock.now().duration_since(began).as_secs(),
        2 + 2 * 3 * 86_400
    );
}

/// The macros and the library read the same texts, each with code of its own.
#[test]
fn texts_mean_the_same_to_the_compiler_and_at_run_time() {
    use steps::__private::{Handlers, StepMeta};
    macro_rules! same {
        ($($name:ident $text:literal)*) => {$({
            #[step(timeout = $text)]
            async fn $name() -> Result<(), String> { Ok(()) }
            let none = Handlers::<$name> { undo: None, verify: None, observe: None, check_in: None, stop: None };
            assert_eq!(StepMeta::of(&none).policy.timeout, Some($text.as_duration().unwrap()), $text);
        })*};
    }
    same! {
        a "1ns" b "3us" c "4µs" d "200ms" e "1.5s" f "10m" g "1h30m" h "30d" i "2w" j " 1w 2d 3h "
    }
}
