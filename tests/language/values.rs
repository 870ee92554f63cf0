//! Later lines, the undo and the code after `steps!` are given the value as it was read back from
//! its record, whether or not a resume lay between; what can't be read back is never recorded as
//! done.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use steps::{
    Cause, Failure, Signals, Status,
    compat::Misfit,
    prelude::*,
    testing::{Injected, Lab},
};

use crate::support::{act, pass, read, run};

/// Counts its attempts, and has what is not saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    id: u32,
    #[serde(skip)]
    open: bool,
}

fn job(id: u32) -> Job {
    Job { id, open: true }
}

#[step]
async fn open(id: u32) -> Result<Job, Injected> {
    Ok(job(id))
}

#[undo(open)]
async fn close(_id: u32, job: &Job) -> Result<(), Injected> {
    assert!(
        !job.open,
        "the undo is given another value than was read back"
    );
    Ok(())
}

#[observe(open)]
async fn look(_id: u32) -> Job {
    job(9)
}

#[step(poll(every = "1ms"))]
async fn polled(id: u32) -> Result<Option<Job>, Injected> {
    Ok(Some(job(id)))
}

#[step]
async fn is_open(job: &Job) -> Result<bool, Injected> {
    Ok(job.open)
}

#[flow]
async fn part(job: Job) -> Result<Job, Injected> {
    steps! { seen = is_open(&job); }
    assert!(!seen && !job.open);
    Ok(Job { open: true, ..job })
}

#[flow]
async fn every_kind(lab: &Lab, jobs: &[Job], given: Job) -> Result<Job, Injected> {
    steps! {
        opened = open(1);
        polled = polled(2);
        #[optional]
        perhaps = open(3);
        of_input = is_open(&given);
        of_step = is_open(&opened);
        of_poll = is_open(&polled);
        of_optional = is_open(perhaps.as_ref().unwrap());
        looked = if let Some(job) = Some(job(4)) { seen = is_open(job); }
        by_ref = if let Some(job) = jobs.first() { seen = is_open(job); }
        items = for job in [job(6), job(7)] by job.id { seen = is_open(job); }
        refs = for job in jobs by job.id { seen = is_open(job); }
        rounds = loop { made = open(8); seen = is_open(&made); } until !made.open;
        nested = flow part(Job { id: 10, open: true });
        of_nested = is_open(&nested);
        act(lab, "end");
    }
    let flags = [
        of_input,
        of_step,
        of_poll,
        of_optional,
        rounds.seen,
        of_nested,
        opened.open,
        polled.open,
        given.open,
        nested.open,
        rounds.made.open,
    ];
    assert_eq!(flags, [false; 11]);
    assert!(looked.is_some_and(|it| !it.seen) && by_ref.is_some_and(|it| !it.seen));
    assert!(items.iter().all(|it| !it.seen) && refs.iter().all(|it| !it.seen));
    Ok(job(11))
}

#[on_done(every_kind)]
async fn done(_: &Lab, _jobs: &[Job], given: &Job, output: &Job) -> Result<(), Injected> {
    assert!(!given.open && !output.open);
    Ok(())
}

#[tokio::test]
async fn later_lines_are_given_what_a_resume_would_give_them() {
    let lab = Lab::new();
    let jobs = [job(5), job(6)];
    let (output, state) = every_kind(&lab, &jobs, job(0)).with_state().await.unwrap();
    assert_eq!(
        output,
        Job {
            id: 11,
            open: false
        }
    );
    assert_eq!(state.state().on_done_err, None);
    let undone = every_kind(&lab, &jobs, job(0))
        .resume(state)
        .undo()
        .await
        .unwrap_err();
    assert!(matches!(undone.cause, Cause::Undone), "{undone}");
}

// ---- what JSON can't hold

/// `nan_output`: how often each step was called.
static CALLS: AtomicU32 = AtomicU32::new(0);

#[step(retry(times = 5, every = "1ms"))]
async fn mean(sum: f64, n: f64) -> Result<f64, String> {
    CALLS.fetch_add(1, Ordering::Relaxed);
    Ok(sum / n)
}

#[flow]
async fn report(sum: f64, n: f64) -> Result<f64, String> {
    steps! { mean = mean(sum, n); }
    Ok(mean)
}

fn fails_at<T: std::fmt::Debug>(result: Result<T, Failure>, path: &str) -> String {
    let failure = result.unwrap_err();
    assert_eq!(failure.step().unwrap_or_default(), path, "{failure}");
    let text = failure.to_string();
    assert!(text.contains("f64"), "{text}");
    assert!(text.contains("JSON has no NaN"), "{text}");
    text
}

#[tokio::test]
async fn regression_nan_output_was_recorded_as_done() {
    CALLS.store(0, Ordering::Relaxed);
    let text = fails_at(report(0.0, 0.0).await, "mean");
    assert!(
        text.contains("its output can't be saved as JSON: `f64` is written as `null`"),
        "{text}"
    );
    assert_eq!(CALLS.load(Ordering::Relaxed), 1, "it is tried once");
}

#[step]
async fn level(of: f64) -> Result<f64, String> {
    Ok(of)
}

#[step]
async fn watched() -> Result<(), String> {
    Ok(())
}

#[observe(watched)]
async fn watch() -> f64 {
    f64::NAN
}

#[step]
async fn saves(cx: &Cx) -> Result<(), String> {
    cx.save(&[f64::NAN]).map_err(|error| error.to_string())
}

#[step]
async fn lost() -> Result<f64, String> {
    Err("no answer".to_owned())
}

#[verify(lost)]
async fn found() -> Option<f64> {
    Some(f64::NAN)
}

#[flow]
async fn item() -> Result<(), String> {
    steps! { all = for of in [1.0, f64::NAN] by of.to_bits() { it = level(of); } }
    let _ = all;
    Ok(())
}

#[flow]
async fn look_at() -> Result<(), String> {
    steps! { all = if let Some(of) = Some(f64::INFINITY) { it = level(of); } }
    let _ = all;
    Ok(())
}

#[flow]
async fn look_at_ref(levels: &[f64]) -> Result<(), String> {
    steps! { all = if let Some(of) = levels.first() { it = level(of); } }
    let _ = all;
    Ok(())
}

#[flow]
async fn round() -> Result<(), String> {
    steps! { all = loop { it = level(f64::NAN); } until it > 0.0; }
    let _ = all;
    Ok(())
}

#[flow]
async fn nested() -> Result<(), String> {
    steps! { all = flow report(f64::NAN, 1.0); }
    let _ = all;
    Ok(())
}

#[flow]
async fn of_flow() -> Result<f64, String> {
    steps! { one = level(1.0); }
    Ok(one / 0.0)
}

#[flow]
async fn of_nested() -> Result<(), String> {
    steps! { all = flow of_flow(); }
    let _ = all;
    Ok(())
}

#[flow]
async fn before() -> Result<(), String> {
    steps! { watched(); }
    Ok(())
}

#[flow]
async fn working() -> Result<(), String> {
    steps! { saves(cx); }
    Ok(())
}

#[flow]
async fn verified() -> Result<f64, String> {
    steps! { lost = lost(); }
    Ok(lost)
}

#[tokio::test]
async fn regression_nan_output_its_siblings_fail_where_they_stand() {
    fails_at(item().await, "all");
    fails_at(look_at().await, "all");
    fails_at(look_at_ref(&[f64::NAN]).await, "all");
    fails_at(round().await, "all.1.it");
    let text = fails_at(nested().await, "all");
    assert!(text.contains("field `sum`"), "{text}");
    fails_at(of_flow().await, "");
    fails_at(of_nested().await, "all");
    fails_at(before().await, "watched");
    fails_at(verified().await, "lost");
    let text = working().await.unwrap_err().to_string();
    assert!(text.contains("JSON has no NaN"), "{text}");
}

#[tokio::test]
async fn regression_nan_output_an_input_names_its_parameter() {
    let wanted = |failure: Failure| {
        assert!(
            matches!(failure.cause, Cause::Misfit(Misfit::BadInput(_))),
            "{failure}"
        );
        let text = failure.to_string();
        assert!(
            text.contains(
                "its input can't be saved as JSON: field `n`: `f64` is written as `null`"
            ),
            "{text}"
        );
    };
    wanted(report(1.0, f64::NAN).await.unwrap_err());
    wanted(report(1.0, f64::NAN).advance().await.unwrap_err());
    let state = report(1.0, 2.0).advance().await.unwrap().state;
    wanted(
        report(1.0, f64::NAN)
            .resume(state.clone())
            .await
            .unwrap_err(),
    );
    let replaced = report(1.0, f64::NAN).resume(state).replace_input();
    wanted(replaced.await.unwrap_err());
}

#[flow]
async fn asked() -> Result<(), String> {
    steps! { level = steps::signal::<f64>(); perhaps = steps::signal::<Option<Option<f64>>>(); }
    let _ = (level, perhaps);
    Ok(())
}

#[tokio::test]
async fn regression_nan_output_a_signal_is_refused_when_it_is_sent() {
    let signals = Signals::new();
    let error = signals.send(asked::STEPS.level, &f64::NAN).unwrap_err();
    assert!(
        error.to_string().contains("`f64` is written as `null`"),
        "{error}"
    );
    let error = signals.send(asked::STEPS.perhaps, &Some(None)).unwrap_err();
    assert!(error.to_string().contains("Some(None)"), "{error}");
    let mut state = asked().advance().await.unwrap().state;
    assert!(state.signal(asked::STEPS.level, &f64::INFINITY).is_err());
    state.signal(asked::STEPS.level, &1.0).unwrap();
}

// ---- `Some(())` and `None`

#[step]
async fn is_there(yes: bool) -> Result<Option<()>, Injected> {
    Ok(yes.then_some(()))
}

#[flow]
async fn two_ways(lab: &Lab, yes: bool) -> Result<String, Injected> {
    steps! {
        there = is_there(yes);
        way = if there.is_some() { act(lab, "then"); } else { act(lab, "else"); }
    }
    let _ = way;
    Ok("end".to_owned())
}

/// A `Some(())` is written as `null`, and was `None` after a wait: the flow went the other way.
#[tokio::test]
async fn regression_some_of_nothing_came_back_as_none() {
    let lab = Lab::new();
    let failure = run(two_ways(&lab, true), lab.clock()).await.unwrap_err();
    assert_eq!(failure.step(), Some("there"));
    let text = failure.to_string();
    assert!(
        text.contains("`Option<()>` does not survive JSON: Some(()) is written as `null`"),
        "{text}"
    );
    assert_eq!(lab.texts().len(), 0);
    let mut saved = None;
    pass(&mut saved, two_ways(&lab, false)).await;
    assert_eq!(read(&saved).status, Status::Done);
    assert_eq!(lab.texts(), ["else"]);
}
