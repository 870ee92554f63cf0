//! Each metric is told, with labels that the program bounds, and the guide lists just those that are.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

#[path = "../engine/between.rs"]
#[expect(dead_code, reason = "the tests of the engine use it all")]
mod between;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeBounds,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use steps::{
    engine::{Concurrency, OnChange, StatusChange},
    prelude::*,
    signal,
    store::{Acquire, Acquired, MemoryStore, Store, TakeOver},
    telemetry::METRICS,
};

use crate::between::Between;

/// The program's recorder, as Prometheus would ask it.
fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        builder.install_recorder().expect("there is no other one")
    })
}

/// The value in the line that begins with this; `None` if there is none.
fn value(of: &str) -> Option<f64> {
    let text = recorder().render();
    let line = text
        .lines()
        .find(|line| line.starts_with(of) && line[of.len()..].starts_with(' '))?;
    line.rsplit(' ').next()?.parse().ok()
}

async fn comes_to(of: &str, wanted: impl RangeBounds<f64>) {
    for _ in 0..2000 {
        if value(of).is_some_and(|value| wanted.contains(&value)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{of} is {:?}:\n{}", value(of), recorder().render());
}

macro_rules! is {
    ($($of:expr => $value:expr;)*) => {$(
        assert_eq!(value($of), Some(f64::from($value)), "{}:\n{}", $of, recorder().render());
    )*};
}

#[step]
async fn copy(_n: u32) -> Result<(), String> {
    Ok(())
}

#[step(retry(times = 2, every = "1ms"))]
async fn second_time(cx: &Cx) -> Result<(), String> {
    match cx.attempt() {
        1 => Err("not yet".to_owned()),
        _ => Ok(()),
    }
}

#[step(readonly, poll(every = "1ms"))]
async fn ready(cx: &Cx) -> Result<Option<()>, String> {
    Ok((cx.attempt() > 2).then_some(()))
}

#[flow]
async fn small() -> Result<(), String> {
    steps! { copy(1); }
    Ok(())
}

#[flow]
async fn large() -> Result<(), String> {
    steps! {
        let ids: Vec<u32> = vec![1, 2, 3];
        group = { copies = for id in ids by id { part = copy(id); } }
        again = second_time(cx);
        ready(cx);
        child = start small();
        ended = join child;
    }
    Ok(())
}

#[step]
async fn opens(_cx: &Cx) -> Result<(), String> {
    Ok(())
}

#[undo(opens, retry(times = 1, every = "1ms"))]
async fn closes(cx: &Cx, (): &()) -> Result<(), String> {
    match cx.attempt() {
        1 => Err("jammed".to_owned()),
        _ => Ok(()),
    }
}

#[step]
async fn jams() -> Result<(), String> {
    Ok(())
}

#[undo(jams)]
async fn stays((): &()) -> Result<(), String> {
    Err("jammed".to_owned())
}

#[step]
async fn fails() -> Result<(), String> {
    Err("no".to_owned())
}

#[flow]
async fn back() -> Result<(), String> {
    steps! { opens(cx); fails(); }
    Ok(())
}

#[flow]
async fn jammed() -> Result<(), String> {
    steps! { jams(); fails(); }
    Ok(())
}

#[step]
async fn waits(open: &AtomicBool) -> Result<(), String> {
    while !open.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[flow]
async fn slow(open: &Arc<AtomicBool>) -> Result<(), String> {
    steps! { waits(open); }
    Ok(())
}

#[flow(name = "changed")]
async fn before() -> Result<(), String> {
    steps! { one = copy(1); go = signal::<()>(); }
    Ok(())
}

#[flow(name = "changed")]
async fn after() -> Result<(), String> {
    steps! { other = copy(1); go = signal::<()>(); }
    Ok(())
}

/// How steps go, forward and back, and how executions begin and end.
async fn of_steps() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("steps.db").display());
    let engine = Engine::open(&url).await.expect("it opens");
    let calls = Arc::new(AtomicU32::new(0));
    let on = OnChange::new().flow::<small>().status(Status::Done);
    let engine = engine
        .serve(large::with())
        .serve(small::with())
        .serve(back::with())
        .serve(jammed::with())
        .on_execution_change("tell", on.pauses("1ms", "1ms"), move |_: StatusChange| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            async move { if call == 0 { Err("busy") } else { Ok(()) } }
        })
        .start()
        .await
        .expect("it starts");
    let run = engine.start(large::input()).await.expect("it starts");
    run.outcome().await.expect("done");
    let run = engine.start(back::input()).await.expect("it starts");
    run.outcome().await.expect_err("it fails");
    let run = engine.start(jammed::input()).await.expect("it starts");
    run.outcome().await.expect_err("it fails");
    let schedule = engine.schedule("often", small::input()).every("1s").await;
    schedule.expect("it is there");
    comes_to(r#"steps_schedule_ticks_total{flow="small"}"#, 1.0..).await;
    comes_to(
        r#"steps_changes_told_total{function="tell",outcome="told"}"#,
        1.0..,
    )
    .await;
    comes_to(r#"steps_executions_running{flow="large"}"#, 0.0..=0.0).await;
    is! {
        r#"steps_executions_started_total{flow="large"}"# => 1;
        r#"steps_executions_ended_total{flow="large",status="done"}"# => 1;
        r#"steps_executions_ended_total{flow="back",status="undone"}"# => 1;
        r#"steps_executions_ended_total{flow="jammed",status="stuck"}"# => 1;
        r#"steps_queue_delay_seconds_count{flow="back"}"# => 1;
        r#"steps_step_duration_seconds_count{flow="large",step="group.copies.*.part",outcome="done"}"# => 3;
        r#"steps_step_duration_seconds_count{flow="large",step="again",outcome="failed"}"# => 1;
        r#"steps_step_duration_seconds_count{flow="large",step="again",outcome="done"}"# => 1;
        r#"steps_step_duration_seconds_count{flow="large",step="ready",outcome="waiting"}"# => 2;
        r#"steps_step_retries_total{flow="large",step="again"}"# => 1;
        r#"steps_undo_duration_seconds_count{flow="back",step="opens",outcome="failed"}"# => 1;
        r#"steps_undo_duration_seconds_count{flow="back",step="opens",outcome="done"}"# => 1;
        r#"steps_undo_duration_seconds_count{flow="jammed",step="jams",outcome="failed"}"# => 1;
        r#"steps_changes_told_total{function="tell",outcome="failed"}"# => 1;
    }
    let commits = value("steps_store_commits_total").expect("it is told");
    for of in ["writes", "rows", "duration_seconds"] {
        let (count, sum) = (
            format!("steps_store_commit_{of}_count"),
            format!("steps_store_commit_{of}_sum"),
        );
        assert!(value(&count) >= Some(commits), "{count}");
        assert!(value(&sum) > Some(0.0), "{sum}");
    }
    assert!(
        value("steps_store_commit_rows_sum") > Some(commits),
        "more than a row each"
    );
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
    // A tick that nobody made in time.
    tokio::time::sleep(Duration::from_millis(2200)).await;
    let engine = Engine::open(&url)
        .await
        .expect("it opens")
        .serve(small::with());
    let engine = engine.start().await.expect("it starts");
    comes_to(r#"steps_schedule_left_out_total{flow="small"}"#, 1.0..).await;
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
}

/// Executions that wait for a place.
async fn of_places() {
    let open = Arc::new(AtomicBool::new(false));
    let engine = Engine::open("memory:").await.expect("it opens");
    let engine = engine
        .serve(slow::with(Arc::clone(&open)))
        .concurrency(Concurrency::fixed(1));
    let engine = engine
        .lease(Duration::from_millis(100))
        .start()
        .await
        .expect("it starts");
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(engine.start(slow::input()).await.expect("it starts"));
    }
    comes_to("steps_executions_due", 3.0..=3.0).await;
    comes_to(r#"steps_executions_running{flow="slow"}"#, 1.0..=1.0).await;
    comes_to("steps_overdue_seconds", 0.05..).await;
    open.store(true, Ordering::Relaxed);
    for run in runs {
        run.outcome().await.expect("done");
    }
    comes_to("steps_executions_due", 0.0..=0.0).await;
    comes_to("steps_overdue_seconds", 0.0..=0.0).await;
    is! { r#"steps_queue_delay_seconds_count{flow="slow"}"# => 4; }
    assert!(value(r#"steps_queue_delay_seconds_sum{flow="slow"}"#) > Some(0.15));
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
}

/// A lease is lost, and its execution taken over; another one does not fit; the store fails.
async fn of_trouble() {
    let memory = MemoryStore::new();
    let fails = Arc::new(AtomicBool::new(false));
    let store = Between::failing(Arc::new(memory.reopen()), &fails);
    let open = Arc::new(AtomicBool::new(false));
    let engine = Engine::with_store(store)
        .serve(slow::with(Arc::clone(&open)))
        .serve(before::with());
    let engine = engine
        .lease(Duration::from_millis(60))
        .poll(Duration::from_millis(10));
    let engine = engine.start().await.expect("it starts");
    let run = engine
        .start(slow::input())
        .id("lost")
        .await
        .expect("it starts");
    let acquire = Acquire {
        id: "lost".to_owned(),
        worker: "another".to_owned(),
        lease: Duration::from_millis(1),
        over: TakeOver::Any,
    };
    let acquired = memory.acquire(acquire).await.expect("it is there");
    assert!(matches!(acquired, Acquired::Held(_)), "{acquired:?}");
    comes_to("steps_leases_lost_total", 1.0..=1.0).await;
    open.store(true, Ordering::Relaxed);
    run.outcome().await.expect("done");
    is! { r#"steps_executions_taken_over_total{flow="slow"}"# => 1; }

    open.store(false, Ordering::Relaxed);
    engine.start(slow::input()).await.expect("it starts");
    fails.store(true, Ordering::Relaxed);
    comes_to(r#"steps_store_errors_total{work="renew"}"#, 1.0..).await;
    comes_to(r#"steps_store_errors_total{work="claim"}"#, 1.0..).await;
    open.store(true, Ordering::Relaxed);
    comes_to(r#"steps_store_errors_total{work="write"}"#, 1.0..).await;
    fails.store(false, Ordering::Relaxed);

    let run = engine
        .start(before::input())
        .id("old")
        .await
        .expect("it starts");
    while run.status().await.expect("it is there") != Status::Waiting {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
    let engine = Engine::with_store(memory)
        .serve(after::with())
        .start()
        .await
        .expect("it starts");
    let run = engine.get("old").await.expect("it is there");
    run.signal_path("go", &()).await.expect("it is sent");
    comes_to(
        r#"steps_executions_refused_total{flow="changed"}"#,
        1.0..=1.0,
    )
    .await;
    engine
        .shutdown(Duration::from_secs(5))
        .await
        .expect("it ends");
}

/// The names of the metrics that were told, each with the names of its labels.
fn told() -> BTreeMap<String, BTreeSet<String>> {
    let text = recorder().render();
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (name, rest) = line.split_at(line.find(['{', ' ']).expect("a value"));
        let name = ["_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        let labels = told.entry(name.to_owned()).or_default();
        let of_line = rest
            .strip_prefix('{')
            .and_then(|rest| rest.rsplit_once('}'));
        let of_line = of_line.map_or("", |(labels, _)| labels);
        let names = of_line
            .split("\",")
            .filter_map(|label| label.split_once('='));
        labels.extend(
            names
                .map(|(name, _)| name.to_owned())
                .filter(|name| name != "quantile"),
        );
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn each_metric_is_told_with_its_labels() {
    recorder();
    of_steps().await;
    of_places().await;
    of_trouble().await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected: BTreeMap<String, BTreeSet<String>> = METRICS
        .iter()
        .map(|metric| (metric.name.to_owned(), names(metric.labels)))
        .collect();
    assert_eq!(told(), expected);
    let text = recorder().render();
    for metric in METRICS {
        let help = format!("# HELP {} {}", metric.name, metric.meaning);
        assert!(text.contains(&help), "{help}");
    }
}

#[test]
fn the_guide_lists_the_metrics_that_there_are() {
    let page = include_str!("../../src/guide/telemetry.md");
    let rows: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with("| `steps_"))
        .map(str::to_owned)
        .collect();
    let expected: Vec<String> = METRICS
        .iter()
        .map(|metric| {
            let labels: Vec<_> = metric
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            let (name, kind, labels) = (metric.name, metric.kind.as_str(), labels.join(", "));
            format!("| `{name}` | {kind} | {labels} | {} |", metric.meaning)
        })
        .collect();
    assert_eq!(
        rows,
        expected,
        "the rows should be:\n{}",
        expected.join("\n")
    );
}
