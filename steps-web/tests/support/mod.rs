//! Executions in every status, for the tests in process and in a browser.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use steps::{External, engine::Builder, prelude::*};

#[step]
async fn charge(cents: u32) -> Result<u32, String> {
    Ok(cents)
}

#[undo(charge)]
async fn refund(_cents: u32, _charged: &u32) -> Result<(), String> {
    Ok(())
}

/// Waits for an approval.
#[flow]
pub(crate) async fn order(cents: u32) -> Result<u32, String> {
    steps! {
        charged  = charge(cents);
        approval = steps::signal::<bool>();
    }
    if approval {
        Ok(charged)
    } else {
        Err("not approved".to_owned())
    }
}

#[step]
async fn pack(what: &str) -> Result<String, String> {
    Ok(format!("packed {what}"))
}

/// Whether an anvil can be shipped by now.
pub(crate) static STRONG: AtomicBool = AtomicBool::new(false);

#[step(retry(times = 2, every = "20ms"))]
async fn ship(cx: &Cx, what: &str) -> Result<(), String> {
    cx.set_status_message(format!("ships {what}"));
    cx.log(format_args!("loads <{what}> on the train"));
    if what == "anvil" && !STRONG.load(Ordering::Relaxed) {
        return Err("too heavy,\nby far".to_owned());
    }
    Ok(())
}

/// Is held where it fails.
#[flow(on_failure = "hold")]
pub(crate) async fn parcel(what: String) -> Result<String, String> {
    steps! {
        packed = pack(&what);
        ship(cx, &what);
    }
    Ok(packed)
}

#[step]
async fn dig() -> Result<(), String> {
    Ok(())
}

#[undo(dig)]
async fn fill(_dug: &()) -> Result<(), String> {
    Err("no earth".to_owned())
}

#[step]
async fn plant() -> Result<(), String> {
    Err("no tree".to_owned())
}

/// Fails, and can't be undone.
#[flow]
pub(crate) async fn garden() -> Result<(), String> {
    steps! {
        hole = dig();
        plant();
    }
    Ok(())
}

#[step]
async fn scan(part: u32) -> Result<u32, String> {
    tokio::time::sleep(Duration::from_millis(u64::from(part) * 15)).await;
    Ok(part)
}

/// Has steps beside and below one another, and a sleep.
#[flow]
pub(crate) async fn survey(count: u32) -> Result<u32, String> {
    steps! {
        first = scan(1);
        many = parallel {
            left = scan(2);
            right = scan(4);
        };
        parts = for part in 1..=count by part {
            seen = scan(part);
        };
        sleep = steps::sleep("40ms");
        last = scan(first);
    }
    let _ = (many, parts, last);
    Ok(count)
}

/// How far a probe is.
#[derive(serde::Deserialize)]
struct Progress {
    layers: u32,
}

/// Somebody else looks at the image, and reports. One that is slow is not even submitted.
#[step(external)]
async fn probe(image: &str, _cx: &Cx) -> Result<External<u32>, String> {
    if image == "slow" {
        std::future::pending::<()>().await;
    }
    Ok(External::submitted())
}

#[on_check_in(probe)]
async fn probed(_image: &str, cx: &Cx, progress: &Progress) {
    cx.set_status_message(format!("{} layers", progress.layers));
}

/// Waits for a report.
#[flow]
pub(crate) async fn probe_image(image: String) -> Result<u32, String> {
    steps! { flaws = probe(&image, cx); }
    Ok(flaws)
}

/// An engine that serves the flows.
pub(crate) fn served(builder: Builder) -> Builder {
    builder
        .serve(order::with())
        .serve(parcel::with())
        .serve(garden::with())
        .serve(survey::with())
        .serve(probe_image::with())
        .poll(Duration::from_millis(10))
}

/// Makes an execution in each status.
pub(crate) async fn fill_all(engine: &Engine) {
    let far = "2100-01-01T00:00:00Z".parse().unwrap();
    let wait = Duration::from_secs(20);
    let sent = engine.start(parcel::input("book".into())).id("sent");
    let sent = sent.label("zone", "eu").await.unwrap();
    sent.outcome().await.unwrap();
    let seen = engine.start(survey::input(5)).id("seen").await.unwrap();
    seen.outcome().await.unwrap();
    let held = engine.start(parcel::input("anvil".into())).id("held");
    let held = held
        .attrs(
            serde_json::json!({"big": 9_007_199_254_740_993_u64, "card": {"number": "card 4111"}}),
        )
        .await
        .unwrap();
    assert_eq!(held.ended().await.unwrap().status, Status::Failed);
    let stuck = engine.start(garden::input()).id("stuck").await.unwrap();
    assert_eq!(stuck.ended().await.unwrap().status, Status::Stuck);
    let stopped = engine.start(order::input(3)).id("stopped").await.unwrap();
    stopped.stop_and_wait(wait).await.unwrap();
    let undone = engine.start(order::input(4)).id("undone").await.unwrap();
    undone.undo().await.unwrap();
    assert_eq!(undone.ended().await.unwrap().status, Status::Undone);
    engine
        .start(order::input(5))
        .id("later")
        .at(far)
        .await
        .unwrap();
    let waiting = engine.start(order::input(6)).id("waiting").await.unwrap();
    until(&waiting, Status::Waiting).await;
    engine
        .schedule("nightly", parcel::input("book".into()))
        .every("6h")
        .await
        .unwrap();
}

/// Waits until an execution has this status.
pub(crate) async fn until(handle: &steps::engine::Handle, status: Status) {
    for _ in 0..2000 {
        if handle.status().await.unwrap() == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it is {} and not {status}", handle.status().await.unwrap());
}
