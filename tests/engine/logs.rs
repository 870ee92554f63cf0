//! What steps log, and how it is read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use steps::{
    engine::{EngineError, Handle},
    log::{LogLevel, LogLimits, LogLine},
    prelude::*,
    store::ExecutionQuery,
};
use tokio::sync::Notify;

use crate::{
    between::Between,
    support::{Db, on_each_store},
};

#[step(retry(times = 1, every = "1ms"))]
async fn reserve(cx: &Cx, room: u32) -> Result<u32, String> {
    cx.log(format_args!("asks for room {room}"));
    if cx.attempt() == 1 {
        cx.log_at(LogLevel::Warn, "the hotel does not answer");
        return Err("no answer".to_owned());
    }
    Ok(room)
}

#[undo(reserve)]
async fn give_back(cx: &Cx, _room: u32, reserved: &u32) -> Result<(), String> {
    cx.log(format_args!("gives {reserved} back"));
    Ok(())
}

#[step(blocking, readonly)]
fn weigh(cx: &Cx, pieces: u32) -> Result<u32, String> {
    if pieces > 9000 {
        return Err("too many".to_owned());
    }
    for piece in 0..pieces {
        cx.log(format_args!("piece {piece}"));
    }
    Ok(pieces)
}

#[step]
async fn fly(cx: &Cx, all_is_well: bool) -> Result<(), String> {
    cx.log_at(LogLevel::Debug, "");
    if all_is_well {
        Ok(())
    } else {
        Err("the airport is closed".to_owned())
    }
}

#[flow]
async fn travel(pieces: u32, all_is_well: bool) -> Result<u32, String> {
    steps! {
        all = parallel {
            room = reserve(cx, 7);
            bags = weigh(cx, pieces);
        }
        flown = fly(cx, all_is_well);
    }
    let _: () = flown;
    Ok(all.room)
}

fn told(lines: &[LogLine]) -> Vec<String> {
    let line = |line: &LogLine| {
        let undo = if line.is_undo { " undo" } else { "" };
        let LogLine {
            level,
            path,
            attempt,
            message,
            ..
        } = line;
        format!("{level} {path} {attempt}{undo}: {message}")
    };
    lines.iter().map(line).collect()
}

async fn engine(db: &Db, limits: LogLimits) -> Engine {
    let builder = db.engine().await.log_limits(limits);
    let started = builder.serve(travel::with()).serve(slow::with()).start();
    started.await.expect("it starts")
}

async fn travelled(engine: &Engine, pieces: u32, all_is_well: bool) -> Handle {
    let start = engine.start(travel::input(pieces, all_is_well)).id("t");
    let run = start.await.expect("it starts");
    let _ = run.outcome().await;
    (*run).clone()
}

static GOES_ON: Notify = Notify::const_new();
static HANGS: Notify = Notify::const_new();

#[step]
async fn wait(cx: &Cx, hangs: bool) -> Result<(), String> {
    cx.log("begins");
    if hangs {
        HANGS.notify_one();
        std::future::pending::<()>().await;
    }
    GOES_ON.notified().await;
    cx.log("goes on");
    Ok(())
}

#[flow]
async fn slow(hangs: bool) -> Result<(), String> {
    steps! {
        // Before there is anything of the execution in the store.
        let first = { cx.log("first of all"); 1_u32 };
        waited = wait(cx, hangs);
    }
    let _ = (first, waited);
    Ok(())
}

on_each_store! {
    async fn each_attempt_and_each_undo_has_its_lines(db) {
        let engine = engine(&db, LogLimits::DEFAULT).await;
        let before = jiff::Timestamp::now();
        let run = travelled(&engine, 2, false).await;
        let room = run.log().step("all.room").await.unwrap();
        let expected = [
            "info all.room 1: asks for room 7",
            "warn all.room 1: the hotel does not answer",
            "info all.room 2: asks for room 7",
            "info all.room 1 undo: gives 7 back",
        ];
        assert_eq!(told(&room), expected);
        assert!(room.iter().all(|line| line.at >= before && line.at <= jiff::Timestamp::now()));
        let of_step: Vec<i64> = room.iter().map(|line| line.of_step).collect();
        assert_eq!(of_step, [1, 2, 3, 4]);
        let all = run.log().await.unwrap();
        assert_eq!(all.len(), 7);
        assert!(all.is_sorted_by(|a, b| a.number < b.number));
        assert_eq!(run.log().step("all").await.unwrap().len(), 6, "with what is below");
        assert_eq!(told(&run.log().step("flown").await.unwrap()), ["debug flown 1: "]);
        assert!(run.log().step("nothing").await.unwrap().is_empty());
    }

    async fn a_log_is_read_from_its_end_and_page_by_page(db) {
        let engine = engine(&db, LogLimits::DEFAULT).await;
        let run = travelled(&engine, 50, true).await;
        let tail = run.log().step("all.bags").tail(3).await.unwrap();
        let expected = [47, 48, 49].map(|n| format!("info all.bags 1: piece {n}"));
        assert_eq!(told(&tail), expected);
        let (mut pages, mut last) = (Vec::new(), 0);
        loop {
            let page = run.log().after(last).limit(7).await.unwrap();
            let Some(line) = page.last() else { break };
            last = line.number;
            assert!(page.len() <= 7);
            pages.extend(page);
        }
        assert_eq!(pages, run.log().await.unwrap());
        assert_eq!(pages.len(), 54);
    }

    async fn of_much_that_is_logged_the_newest_is_kept(db) {
        let limits = LogLimits::DEFAULT.per_step(10).per_execution(12).line(8);
        let engine = engine(&db, limits).await;
        let run = travelled(&engine, 2500, true).await;
        let bags = run.log().step("all.bags").await.unwrap();
        assert_eq!(bags.len(), 10);
        assert_eq!((bags[0].of_step, bags[9].of_step), (2491, 2500), "it tells how many are gone");
        assert_eq!(bags[9].message, "piece…", "cut, with a mark");
        assert!(run.log().await.unwrap().len() <= 12);
    }

    async fn a_log_is_deleted_with_its_execution(db) {
        let engine = engine(&db, LogLimits::DEFAULT).await;
        let run = travelled(&engine, 1, true).await;
        assert!(!run.log().await.unwrap().is_empty());
        run.delete().await.unwrap();
        let error = run.log().await.unwrap_err();
        assert!(matches!(error, EngineError::Unknown { .. }), "{error}");
        let again = travelled(&engine, 0, true).await;
        assert_eq!(again.log().await.unwrap().len(), 4, "of the new one alone");
        let left = db.store().await.count(ExecutionQuery::default()).await;
        assert_eq!(left.unwrap(), 1);
    }
}

/// It is there while the step runs, without anything else being written; also what was logged before the
/// execution was.
#[tokio::test]
async fn what_a_running_step_logs_is_soon_there() {
    let engine = engine(&Db::memory(), LogLimits::DEFAULT).await;
    let run = engine.start(slow::input(false)).await.unwrap();
    let begun = Instant::now();
    let soon = loop {
        let lines = run.log().await.unwrap();
        if lines.len() == 2 {
            break told(&lines);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{lines:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(
        soon,
        ["info first 1: first of all", "info waited 1: begins"]
    );
    GOES_ON.notify_one();
    run.outcome().await.unwrap();
    let last = run.log().tail(1).await.unwrap();
    assert_eq!(told(&last), ["info waited 1: goes on"]);
}

/// Lines of what was stopped in the middle are written before the store is closed.
#[tokio::test]
async fn a_shutdown_writes_what_was_logged() {
    let db = Db::memory();
    let engine = engine(&db, LogLimits::DEFAULT).await;
    engine.start(slow::input(true)).id("s").await.unwrap();
    HANGS.notified().await;
    engine.shutdown(Duration::ZERO).await.unwrap();
    let reader = db.engine().await.start().await.unwrap();
    let lines = reader.get("s").await.unwrap().log().await.unwrap();
    assert_eq!(lines.last().map(|line| &*line.message), Some("begins"));
}

/// A log that can't be written keeps no step from its end, and is written when that works.
#[tokio::test]
async fn a_store_that_takes_no_log_fails_no_step() {
    let db = Db::memory();
    let fails = Arc::new(AtomicBool::new(true));
    let store = Between::without_log(db.store().await, &fails);
    let builder = Engine::with_store(store).serve(travel::with());
    let engine = builder.start().await.unwrap();
    let run = travelled(&engine, 1, true).await;
    assert_eq!(run.status().await.unwrap(), Status::Done);
    assert!(run.log().await.unwrap().is_empty());
    fails.store(false, Ordering::SeqCst);
    let begun = Instant::now();
    while run.log().await.unwrap().len() < 5 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
