//! `steps::log::layer`: which events are whose.

use std::sync::Once;

use steps::{
    log::{LogLevel, layer},
    prelude::*,
};
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// Sets the process's subscriber, once.
fn subscribe() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(layer(LogLevel::Info));
        tracing::subscriber::set_global_default(subscriber).expect("the first");
    });
}

#[step(retry(times = 1, every = "1ms"))]
async fn copy(cx: &Cx, pages: u32) -> Result<u32, String> {
    tracing::info!(pages, of = "a book", "copies");
    tracing::debug!("of no interest");
    let span = tracing::info_span!("inside");
    span.in_scope(|| tracing::warn!("deeper"));
    cx.log("by hand");
    let task = async { tracing::info!("in a task") };
    tokio::spawn(task.in_current_span())
        .await
        .map_err(|error| error.to_string())?;
    // Not of the step: in no span.
    tokio::spawn(async { tracing::error!("somewhere else") })
        .await
        .map_err(|error| error.to_string())?;
    if cx.attempt() == 1 {
        Err("paper jam".to_owned())
    } else {
        Ok(pages)
    }
}

#[undo(copy)]
async fn shred(_cx: &Cx, _pages: u32, copied: &u32) -> Result<(), String> {
    tracing::warn!("shreds {copied}");
    Ok(())
}

#[step(blocking)]
fn bind(pages: u32) -> Result<(), String> {
    tracing::info!(error = %std::io::Error::other("stuck"), "binds");
    Err(format!("{pages} are too many"))
}

#[flow]
async fn publish(pages: u32) -> Result<(), String> {
    steps! {
        copied = copy(cx, pages);
        bind(copied);
    }
    Ok(())
}

fn told(lines: &[steps::log::LogLine]) -> Vec<String> {
    let line = |line: &steps::log::LogLine| {
        let undo = if line.is_undo { " undo" } else { "" };
        format!("{} {}{undo}: {}", line.level, line.attempt, line.message)
    };
    lines.iter().map(line).collect()
}

#[tokio::test]
async fn events_are_kept_in_the_log_of_the_step_that_they_are_in() {
    subscribe();
    let builder = Engine::open("memory:")
        .await
        .unwrap()
        .serve(publish::with());
    let engine = builder.start().await.unwrap();
    let run = engine.start(publish::input(3)).await.unwrap();
    run.outcome().await.unwrap_err();
    let attempt = |n: u32| {
        [
            "copies pages=3 of=\"a book\"",
            "deeper",
            "by hand",
            "in a task",
        ]
        .map(|text| {
            format!(
                "{} {n}: {text}",
                if text == "deeper" { "warn" } else { "info" }
            )
        })
    };
    let mut expected: Vec<String> = [attempt(1), attempt(2)].concat();
    expected.push("warn 1 undo: shreds 3".to_owned());
    assert_eq!(told(&run.log().step("copied").await.unwrap()), expected);
    let bind = run.log().step("bind").await.unwrap();
    assert_eq!(
        told(&bind),
        ["info 1: binds error=stuck"],
        "from the thread of a blocking step"
    );
    assert_eq!(run.log().await.unwrap().len(), 10, "and nothing else");
}

/// An observer is called while the records are locked, and may tell `tracing` of it inside of a step.
#[tokio::test]
async fn without_an_engine_nothing_is_kept_and_nothing_hangs() {
    subscribe();
    let run = publish(1).observe(|event| tracing::info!(?event, "observed"));
    let failure = run.await.unwrap_err();
    assert_eq!(
        failure.to_string().lines().next(),
        Some("flow `publish` failed at `bind`: 1 are too many (what had been done was undone)")
    );
}
