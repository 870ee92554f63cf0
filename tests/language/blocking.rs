//! Functions that block their thread: what they are given, and who waits for them after a timeout.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use steps::{CancelReason, Status, prelude::*};

/// What happened, in order.
type Log = Arc<Mutex<Vec<String>>>;

fn note(log: &Log, what: impl Into<String>) {
    log.lock().unwrap().push(what.into());
}

fn seen(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

/// Blocks until the attempt has timed out, and tells its end.
fn blocks_too_long(cx: &Cx, log: &Log, what: &str) {
    note(log, format!("{what} {} begins", cx.attempt()));
    while cx.cancel_reason() != Some(CancelReason::TimedOut) {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Time for somebody else to begin, who must not.
    std::thread::sleep(Duration::from_millis(20));
    note(log, format!("{what} {} ends", cx.attempt()));
}

#[step(blocking)]
fn copy(cx: &Cx, log: &Log, from: &str) -> Result<String, String> {
    if cx.cancelled() {
        return Err("given up".into());
    }
    cx.save(&from.len()).map_err(|error| error.to_string())?;
    cx.progress(1, 2);
    note(log, cx.path());
    Ok(format!("{from} {}", cx.label("colour").unwrap_or("none")))
}

#[undo(copy, blocking)]
fn remove(cx: &Cx, log: &Log, from: &str, copied: &String) -> Result<(), String> {
    note(
        log,
        format!("undo {} of {from}: {copied}, {}", cx.path(), cx.attempt()),
    );
    Ok(())
}

#[verify(copy, blocking)]
fn is_copied(cx: &Cx, log: &Log, from: &str) -> Option<String> {
    note(log, format!("verify {} of {from}", cx.path()));
    None
}

#[observe(copy, blocking)]
fn files(cx: &Cx, log: &Log, _from: &str) -> usize {
    note(log, format!("look at {}", cx.path()));
    log.lock().unwrap().len()
}

#[step]
async fn fails() -> Result<(), String> {
    Err("no".into())
}

#[flow]
async fn backup(log: &Log, from: String, good: bool) -> Result<String, String> {
    steps! {
        copied = copy(cx, log, &from);
        end = if !good {
            no = fails();
        }
    }
    let _ = end;
    Ok(copied)
}

#[on_done(backup, blocking)]
fn tell(log: &Log, from: &str, _good: &bool, copied: &String) {
    note(log, format!("done {from}: {copied}"));
}

#[on_failed(backup, blocking)]
fn tell_failure(log: &Log, from: &str, _good: &bool, failure: &steps::Failure) {
    note(log, format!("failed {from}: {}", failure.status().as_str()));
}

#[tokio::test]
async fn blocking_cx() {
    let log = Log::default();
    let done = backup(&log, "a".into(), true).label("colour", "red").await;
    assert_eq!(done.unwrap(), "a red");
    let looked = [
        "look at copied",
        "copied",
        "look at copied",
        "done a: a red",
    ];
    assert_eq!(seen(&log), looked);

    let failure = backup(&log, "b".into(), false).await.unwrap_err();
    assert_eq!(failure.status(), Status::Undone);
    assert_eq!(
        seen(&log)[3..],
        ["undo copied of b: b none, 1", "failed b: undone"]
    );
    assert_eq!(failure.state.states[0].progress.map(|it| it.done), Some(1));
}

#[step(blocking, timeout = "500ms", retry(times = 1, every = "1ms"))]
fn slow(cx: &Cx, log: &Log) -> Result<(), String> {
    blocks_too_long(cx, log, "attempt");
    Ok(())
}

#[step]
async fn first(log: &Log) -> Result<(), String> {
    note(log, "first");
    Ok(())
}

#[undo(first, blocking, timeout = "500ms", retry(times = 1, every = "1ms"))]
fn slowly_back(log: &Log, _done: &()) -> Result<(), String> {
    note(log, "undo begins");
    std::thread::sleep(Duration::from_secs(1));
    note(log, "undo ends");
    Ok(())
}

#[flow]
async fn slow_job(log: &Log) -> Result<(), String> {
    steps! {
        one = first(log);
        two = slow(cx, log);
    }
    let _ = (one, two);
    Ok(())
}

#[tokio::test]
async fn blocking_timeout() {
    let log = Log::default();
    let failure = slow_job(&log).await.unwrap_err();
    note(&log, failure.status().as_str());
    assert_eq!(
        seen(&log),
        [
            "first",
            "attempt 1 begins",
            "attempt 1 ends",
            "attempt 2 begins",
            "attempt 2 ends",
            "undo begins",
            "undo ends",
            "undo begins",
            "undo ends",
            "stuck",
        ]
    );
    assert_eq!(failure.failed()[0].error, "timed out after 500ms");
}

#[step(blocking, timeout = "500ms")]
fn done_late(cx: &Cx, log: &Log) -> Result<String, String> {
    blocks_too_long(cx, log, "attempt");
    Ok("lost".into())
}

#[verify(done_late)]
async fn was_done(_cx: &Cx, log: &Log) -> Option<String> {
    note(log, "verify");
    Some("found".into())
}

#[flow]
async fn late(log: &Log) -> Result<String, String> {
    steps! { it = done_late(cx, log); }
    Ok(it)
}

#[tokio::test]
async fn a_verify_after_a_timeout_waits_for_the_thread_too() {
    let log = Log::default();
    assert_eq!(late(&log).await.unwrap(), "found");
    assert_eq!(seen(&log), ["attempt 1 begins", "attempt 1 ends", "verify"]);
}

type Gate = Arc<Mutex<mpsc::Receiver<()>>>;

#[step(blocking(detached), timeout = "500ms", retry(times = 1, every = "1ms"))]
fn left_alone(cx: &Cx, log: &Log, gate: &Gate) -> Result<u32, String> {
    note(log, format!("{} begins", cx.attempt()));
    if cx.attempt() == 1 {
        gate.lock().unwrap().recv().unwrap();
        assert_eq!(cx.cancel_reason(), Some(CancelReason::TimedOut));
        note(log, "1 ends");
    }
    Ok(cx.attempt())
}

#[flow]
async fn leaves(log: &Log, gate: &Gate) -> Result<u32, String> {
    steps! { it = left_alone(cx, log, gate); }
    Ok(it)
}

#[tokio::test]
async fn nobody_waits_for_a_detached_thread() {
    let (log, (opens, gate)) = (Log::default(), mpsc::channel());
    let gate = Arc::new(Mutex::new(gate));
    assert_eq!(leaves(&log, &gate).await.unwrap(), 2);
    assert_eq!(seen(&log), ["1 begins", "2 begins"]);
    opens.send(()).unwrap();
    while seen(&log) != ["1 ends"] {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[step(blocking, timeout = "5ms")]
fn never_begins(log: &Log) -> Result<(), String> {
    note(log, "begins");
    Ok(())
}

#[flow]
async fn crowded(log: &Log) -> Result<(), String> {
    steps! { it = never_begins(log); }
    let _ = it;
    Ok(())
}

#[test]
fn a_blocking_step_that_got_no_thread_in_time_does_not_begin_later() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let log = Log::default();
    let failure = runtime.block_on(async {
        let (opens, gate) = mpsc::channel::<()>();
        let other = tokio::task::spawn_blocking(move || gate.recv());
        let failure = crowded(&log).await.unwrap_err();
        opens.send(()).unwrap();
        other.await.unwrap().unwrap();
        // What was queued has been taken from the queue after this.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        failure
    });
    assert_eq!(failure.failed()[0].error, "timed out after 5ms");
    assert_eq!(seen(&log), [""; 0]);
}

/// An async step is dropped at its timeout, and the threads of what it ran are waited for.
#[step(timeout = "500ms", retry(times = 1, every = "1ms"))]
async fn runs_another(cx: &Cx, log: &Log) -> Result<(), String> {
    note(log, format!("outer {}", cx.attempt()));
    let inner = inner_job(log).await;
    note(log, "not dropped");
    inner.map_err(|failure| failure.to_string())
}

#[step(blocking)]
fn sleeps(log: &Log, name: &str) -> Result<(), String> {
    note(log, format!("{name} begins"));
    std::thread::sleep(Duration::from_secs(1));
    note(log, format!("{name} ends"));
    Ok(())
}

#[flow]
async fn inner_job(log: &Log) -> Result<(), String> {
    steps! {
        a = sleeps(log, "a");
        b = sleeps(log, "b");
    }
    let _ = (a, b);
    Ok(())
}

#[flow]
async fn outer_job(log: &Log) -> Result<(), String> {
    steps! { it = runs_another(cx, log); }
    let _ = it;
    Ok(())
}

#[tokio::test]
async fn a_timeout_of_an_async_step_waits_for_the_threads_inside_and_begins_no_more() {
    let log = Log::default();
    outer_job(&log).await.unwrap_err();
    let round = |n: &str| [format!("outer {n}"), "a begins".into(), "a ends".into()];
    assert_eq!(seen(&log), [round("1"), round("2")].concat());
}
