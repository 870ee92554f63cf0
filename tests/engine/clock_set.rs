//! The wall clock is set back, or forward, while something waits: by a clock that only the tests
//! move. Real processes under a faked clock are tried in `tests/clock_set`.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use steps::{
    Failure, Status,
    clock::TestClock as _,
    engine::{Engine, EngineError},
    prelude::*,
    sqlite::SqliteOptions,
    store::{MemoryStore, Store},
    testing::FakeClock,
};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[step(timeout = "1m")]
async fn hangs() -> Result<(), String> {
    std::future::pending().await
}

#[flow]
async fn timeout() -> Result<(), String> {
    steps! { hangs(); }
    Ok(())
}

#[step(retry(times = 1, every = "1m"))]
async fn fails_once(cx: &Cx) -> Result<(), String> {
    (cx.attempt() > 1)
        .then_some(())
        .ok_or_else(|| "not yet".to_owned())
}

#[flow]
async fn retry() -> Result<(), String> {
    steps! { fails_once(cx); }
    Ok(())
}

#[step(readonly, poll(every = "1m", times = 9))]
async fn is_there(cx: &Cx) -> Result<Option<()>, String> {
    Ok((cx.attempt() > 1).then_some(()))
}

#[flow]
async fn poll() -> Result<(), String> {
    steps! { is_there(cx); }
    Ok(())
}

#[flow]
async fn nap() -> Result<(), String> {
    steps! { pause = steps::sleep(MINUTE); }
    Ok(())
}

#[step]
async fn makes(_cx: &Cx) -> Result<u32, String> {
    Ok(1)
}

#[undo(makes, retry(times = 1, every = "1m"))]
async fn unmakes(cx: &Cx, _: &u32) -> Result<(), String> {
    (cx.attempt() > 1)
        .then_some(())
        .ok_or_else(|| "not yet".to_owned())
}

#[step]
async fn breaks() -> Result<(), String> {
    Err("broken".to_owned())
}

#[flow]
async fn undo() -> Result<(), String> {
    steps! { made = makes(cx); breaks(); }
    let _ = made;
    Ok(())
}

#[step]
async fn makes_more() -> Result<u32, String> {
    Ok(1)
}

#[undo(makes_more, timeout = "1m")]
async fn never_unmakes(_: &u32) -> Result<(), String> {
    std::future::pending().await
}

#[flow]
async fn undo_timeout() -> Result<(), String> {
    steps! { made = makes_more(); breaks(); }
    let _ = made;
    Ok(())
}

#[flow]
async fn at_once() -> Result<(), String> {
    steps! {
        both = parallel {
            fails_once(cx);
            long = steps::sleep(2 * MINUTE);
        };
    }
    Ok(())
}

#[flow]
async fn waits_for_both() -> Result<(), String> {
    steps! {
        both = parallel {
            pause = steps::sleep(MINUTE);
            word = steps::signal::<String>();
        };
    }
    Ok(())
}

/// Sets the wall clock after ten seconds of a wait, by this much.
fn set_later(clock: &FakeClock, by: SignedDuration) {
    let clock = clock.clone();
    tokio::spawn(async move {
        clock.sleep(MINUTE / 6).await;
        clock.set(clock.now() + by);
    });
}

/// Checks how long something took by the clock that nobody sets.
fn took(what: &str, clock: &FakeClock, begun: Duration, expected: Duration) {
    let took = clock.elapsed().saturating_sub(begun);
    let right = took >= expected && took < expected + MINUTE / 2;
    assert!(right, "{what}: {took:?} instead of {expected:?}");
}

/// Runs a flow in memory, and returns its status.
macro_rules! in_memory {
    ($flow:ident, $clock:expr) => {
        match $flow().clock(Arc::new($clock.clone())).await {
            Ok(()) => Status::Done,
            Err(failure) => Failure::status(&failure),
        }
    };
}

#[tokio::test]
async fn clock_set_in_memory_waits_take_their_time() {
    for by in [-HOUR, HOUR] {
        macro_rules! check {
            ($($flow:ident, $status:ident, $minutes:literal;)*) => {$(
                let clock = FakeClock::new();
                set_later(&clock, by);
                let status = in_memory!($flow, clock);
                assert_eq!(status, Status::$status, stringify!($flow));
                took(stringify!($flow), &clock, Duration::ZERO, $minutes * MINUTE);
            )*};
        }
        check! {
            timeout, Undone, 1;
            retry, Done, 1;
            poll, Done, 1;
            nap, Done, 1;
            undo, Undone, 1;
            undo_timeout, Stuck, 1;
            at_once, Done, 2;
        }
    }
}

#[tokio::test]
async fn clock_set_between_two_passes() {
    let clock = FakeClock::new();
    let pass = nap()
        .clock(Arc::new(clock.clone()))
        .advance()
        .await
        .expect("it waits");
    let left = pass.requeue_after().expect("it waits");
    assert!(left <= MINUTE && left > MINUTE / 2, "{left:?}");
    clock.set(clock.now() - HOUR);
    clock.advance(MINUTE / 2);
    let left = pass.requeue_after().expect("it waits");
    assert!(left <= MINUTE / 2, "{left:?}");
}

/// A store of each kind, by this clock.
async fn stores(clock: &FakeClock) -> [(Arc<dyn Store>, Option<tempfile::TempDir>); 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = SqliteOptions::new(folder.path().join("steps.db"));
    let options = options.clock(Arc::new(clock.clone()));
    let sqlite = options.open().await.expect("it opens");
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    [(Arc::new(memory), None), (Arc::new(sqlite), Some(folder))]
}

async fn engine(store: Arc<dyn Store>, clock: &FakeClock) -> Engine {
    let engine = Engine::with_shared_store(store)
        .clock(Arc::new(clock.clone()))
        .serve(timeout::with())
        .serve(retry::with())
        .serve(poll::with())
        .serve(nap::with())
        .serve(undo::with())
        .serve(undo_timeout::with())
        .serve(at_once::with())
        .serve(waits_for_both::with());
    engine.start().await.expect("it starts")
}

fn of_engine(outcome: Result<(), EngineError>) -> Status {
    match outcome {
        Ok(()) => Status::Done,
        Err(EngineError::Failed { failure, .. }) => failure.status(),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn clock_set_back_an_engine_waits_no_longer() {
    let clock = FakeClock::new();
    for (store, _folder) in stores(&clock).await {
        let engine = engine(store, &clock).await;
        macro_rules! check {
            ($($flow:ident, $status:ident, $minutes:literal;)*) => {$(
                let begun = clock.elapsed();
                set_later(&clock, -HOUR);
                let run = engine.start($flow::input()).await.expect("it starts");
                let status = of_engine(run.outcome().await);
                assert_eq!(status, Status::$status, stringify!($flow));
                took(stringify!($flow), &clock, begun, $minutes * MINUTE);
            )*};
        }
        check! {
            timeout, Undone, 1;
            retry, Done, 1;
            poll, Done, 1;
            nap, Done, 1;
            undo, Undone, 1;
            undo_timeout, Stuck, 1;
            at_once, Done, 2;
        }
    }
}

#[tokio::test]
async fn clock_set_back_an_execution_begins_in_its_time() {
    let clock = FakeClock::new();
    for (store, _folder) in stores(&clock).await {
        let engine = engine(store, &clock).await;
        for at in [false, true] {
            let begun = clock.elapsed();
            set_later(&clock, -HOUR);
            let start = engine.start(poll::input());
            let start = if at {
                start.at(clock.now() + MINUTE)
            } else {
                start.after(MINUTE)
            };
            let run = start.await.expect("it starts");
            run.outcome().await.expect("done");
            took("a later start, and a poll", &clock, begun, 2 * MINUTE);
        }
    }
}

/// What comes in between takes the execution up, which has to wait on for the rest.
#[tokio::test]
async fn clock_set_back_a_signal_comes_during_a_sleep() {
    let clock = FakeClock::new();
    for (store, _folder) in stores(&clock).await {
        let engine = engine(store, &clock).await;
        let begun = clock.elapsed();
        set_later(&clock, -HOUR);
        let run = engine
            .start(waits_for_both::input())
            .await
            .expect("it starts");
        clock.sleep(MINUTE / 3).await;
        run.signal(waits_for_both::STEPS.both.word, &"go".to_owned())
            .await
            .expect("it waits");
        run.outcome().await.expect("done");
        took("a sleep with a signal in between", &clock, begun, MINUTE);
    }
}

/// A message, or what is due at once, does not wait for the wall clock.
#[tokio::test]
async fn clock_set_back_what_is_due_stays_due() {
    let clock = FakeClock::new();
    for (store, _folder) in stores(&clock).await {
        let front = Engine::with_shared_store(store.clone());
        let front = front.clock(Arc::new(clock.clone()));
        let front = front.start().await.expect("it starts");
        let begun = clock.elapsed();
        front
            .start(nap::input())
            .id("nap")
            .await
            .expect("it starts");
        clock.set(clock.now() - HOUR);
        let worker = engine(store, &clock).await;
        let run = worker.execution::<nap>("nap").await.expect("it is there");
        run.outcome().await.expect("done");
        took("a sleep", &clock, begun, MINUTE);
    }
}

#[step]
async fn sets_back(clock: &FakeClock) -> Result<Duration, String> {
    clock.sleep(MINUTE / 6).await;
    clock.set(clock.now() - HOUR);
    Ok(clock.elapsed())
}

#[flow]
async fn administrator(clock: &FakeClock) -> Result<Duration, String> {
    steps! { set = sets_back(clock); }
    Ok(set)
}

/// A wait that another process began, and that this one has only seen, ends here in its time.
#[tokio::test]
async fn clock_set_back_another_engine_has_seen_the_wait() {
    let clock = FakeClock::new();
    for (store, _folder) in stores(&clock).await {
        let front = Engine::with_shared_store(store.clone()).clock(Arc::new(clock.clone()));
        let front = front.start().await.expect("it starts");
        let start = front.start(poll::input()).id("seen").after(MINUTE);
        start.await.expect("it starts");
        // What takes this up sees in the same look at the store that the other one waits.
        let start = front.start(administrator::input());
        start.id("set").await.expect("it starts");
        let begun = clock.elapsed();
        let worker = Engine::with_shared_store(store).clock(Arc::new(clock.clone()));
        let worker = worker
            .serve(poll::with())
            .serve(administrator::with(clock.clone()));
        let worker = worker.start().await.expect("it starts");
        let set = worker.execution::<administrator>("set").await;
        let set = set.expect("it is there").outcome().await.expect("done");
        assert!(
            set.saturating_sub(begun) < MINUTE,
            "the wait was over before: {set:?}"
        );
        let seen = worker.execution::<poll>("seen").await;
        seen.expect("it is there").outcome().await.expect("done");
        took("a later start, and a poll", &clock, begun, 2 * MINUTE);
    }
}

/// What waits in the store is over when the wall clock says so; what runs has its own time.
#[tokio::test]
async fn clock_set_forward_an_engine_waits_no_longer() {
    let clock = FakeClock::new();
    for (store, _folder) in stores(&clock).await {
        let engine = engine(store, &clock).await;
        macro_rules! check {
            ($($flow:ident, $status:ident, $least:expr;)*) => {$(
                let begun = clock.elapsed();
                set_later(&clock, HOUR);
                let run = engine.start($flow::input()).await.expect("it starts");
                let status = of_engine(run.outcome().await);
                assert_eq!(status, Status::$status, stringify!($flow));
                let took = clock.elapsed().saturating_sub(begun);
                let right = took >= $least && took < MINUTE + MINUTE / 2;
                assert!(right, "{}: {took:?}", stringify!($flow));
            )*};
        }
        let set = MINUTE / 6;
        check! {
            timeout, Undone, MINUTE;
            undo_timeout, Stuck, MINUTE;
            retry, Done, set;
            poll, Done, set;
            nap, Done, set;
            undo, Undone, set;
        }
    }
}
