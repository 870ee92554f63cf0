//! What one execution may hold is bounded, and what passes a bound is that step's failure.

use std::{convert::Infallible, sync::Arc, time::Duration};

use steps::{RunLimits, prelude::*, state::NodeData, testing::FakeClock};

use crate::support::{pass, read};

#[step]
async fn text(length: usize) -> Result<String, Infallible> {
    Ok("x".repeat(length))
}

#[step]
async fn keep(cx: &Cx, length: usize) -> Result<(), serde_json::Error> {
    cx.save(&"x".repeat(length))
}

#[step]
async fn nothing() -> Result<(), Infallible> {
    Ok(())
}

#[flow]
async fn large(
    given: String,
    output: usize,
    info: usize,
    items: usize,
) -> Result<usize, Infallible> {
    steps! {
        text(output);
        keep(cx, info);
        all = for n in 0..items by n { nothing(); }
    }
    let _ = given;
    Ok(all.len() + text.len())
}

#[flow]
async fn endless() -> Result<(), Infallible> {
    steps! {
        rounds = loop { nothing(); } until false;
    }
    let _ = rounds;
    Ok(())
}

fn limits() -> RunLimits {
    RunLimits::DEFAULT.payload(100).items(10).nodes(50)
}

#[tokio::test]
async fn what_is_within_the_limits_runs() {
    let run = large("x".repeat(10), 90, 90, 10);
    assert_eq!(run.limits(limits()).await.unwrap(), 100);
}

#[tokio::test]
async fn what_passes_a_limit_fails_there() {
    for (run, step, error) in [
        (
            large(String::new(), 99, 1, 1),
            "text",
            "its output is 101 bytes",
        ),
        (
            large(String::new(), 1, 99, 1),
            "keep",
            "its working data is 101 bytes",
        ),
        (
            large(String::new(), 1, 1, 11),
            "all",
            "it has 11 items, and the limit is 10",
        ),
    ] {
        let failure = run.limits(limits()).await.unwrap_err();
        assert_eq!(failure.step(), Some(step), "{failure}");
        assert!(failure.to_string().contains(error), "{failure}");
    }
}

/// Fails this often, each time with another and longer error.
#[step(retry(times = 100_000, every = "1ms"))]
async fn refused(cx: &Cx, times: u32) -> Result<u32, String> {
    let attempt = cx.attempt();
    if attempt > times {
        return Ok(attempt);
    }
    let text = "x".repeat(100 * attempt as usize);
    Err(format!("error {attempt} {text} end"))
}

#[flow]
async fn outage(times: u32) -> Result<u32, String> {
    steps! { answer = refused(cx, times); }
    Ok(answer)
}

#[tokio::test]
async fn errors_grow() {
    let clock = FakeClock::new();
    let run = outage(1000).clock(Arc::new(clock.clone()));
    assert_eq!(
        run.await.unwrap(),
        1001,
        "each failure counts for `retry` alone"
    );

    let mut saved = None;
    let mut sizes = Vec::new();
    for _ in 0..200 {
        let flow = outage(1000).clock(Arc::new(clock.clone()));
        pass(&mut saved, flow).await;
        clock.advance(Duration::from_secs(1));
        sizes.push(read(&saved).to_json().len());
    }
    let state = read(&saved);
    let node = state.get("answer").unwrap();
    assert_eq!(
        (node.errors.len(), node.error_count()),
        (NodeData::MAX_ERRORS, 200)
    );
    assert!(node.errors[0].starts_with("error 1 "));
    assert!(node.errors[9].starts_with("error 200 ") && node.errors[9].ends_with("x end"));
    assert!(node.errors[9].contains(" bytes cut out] "));
    assert!(
        node.errors
            .iter()
            .all(|text| text.len() <= NodeData::MAX_ERROR_BYTES)
    );
    let most = 2 * NodeData::MAX_ERRORS * NodeData::MAX_ERROR_BYTES + 1000;
    assert!(sizes.iter().all(|size| *size < most), "{sizes:?}");
}

/// Fails when all beside it have begun.
#[step]
async fn fails(n: usize) -> Result<(), String> {
    tokio::task::yield_now().await;
    Err(format!("error {n}"))
}

#[flow]
async fn all_refused(items: usize) -> Result<usize, String> {
    steps! {
        all = for n in 0..items by n parallel { fails(n); }
    }
    Ok(all.len())
}

#[tokio::test]
async fn the_errors_of_many_items_are_bounded() {
    let clock = FakeClock::new();
    let failure = all_refused(100).clock(Arc::new(clock)).await.unwrap_err();
    let all = failure.state.get("all").unwrap();
    assert_eq!(
        (all.errors.len(), all.error_count()),
        (NodeData::MAX_ERRORS, 100)
    );
    assert_eq!(failure.failed().len(), 100);
}

#[flow]
async fn inner(n: u32) -> Result<u32, Infallible> {
    steps! { a = nothing(); b = { c = nothing(); } }
    let _ = (a, b);
    Ok(n)
}

#[flow]
async fn many(n: u32) -> Result<usize, Infallible> {
    steps! {
        f = for i in 0..n by i { a = nothing(); g = { b = nothing(); } c = if i > 0 { d = nothing(); } }
    }
    Ok(f.len())
}

#[flow]
async fn many_at_once(n: u32) -> Result<usize, Infallible> {
    steps! { f = for i in 0..n by i parallel { a = nothing(); b = nothing(); } }
    Ok(f.len())
}

#[flow]
async fn many_rounds(n: u32) -> Result<u32, Infallible> {
    steps! {
        f = loop { a = flow inner(prev.map_or(1, |prev| prev.a + 1)); } until a >= n
    }
    Ok(f.a)
}

#[flow]
async fn many_flows(n: u32) -> Result<usize, Infallible> {
    steps! { f = parallel { a = flow many(n); b = flow many_at_once(n); } }
    Ok(f.a + f.b)
}

/// Every node counts, and what ends well has no more than the limit.
#[tokio::test]
async fn claim_nodes_limit() {
    macro_rules! check {
        ($($flow:ident($n:expr), $nodes:expr;)*) => {$({
            let nodes = $nodes;
            let run = |most| $flow($n).limits(RunLimits::DEFAULT.nodes(most)).with_state();
            let (_, state) = run(nodes).await.unwrap();
            assert_eq!(state.state().walk().count(), nodes, stringify!($flow));
            for most in 1..nodes {
                let failure = run(most).await.unwrap_err();
                let text = failure.to_string();
                assert!(text.contains(&format!("and the limit is {most}")), "{most}: {text}");
                let written = failure.state.walk().count();
                assert!(written <= most, "{written} nodes, and the limit is {most}");
            }
        })*};
    }
    check! {
        // The root, the `for`, and of each item: itself, its three lines, and those in these.
        many(8), 2 + 8 * 6 - 1;
        many_at_once(7), 2 + 7 * 3;
        // The root, the `loop`, and of each round: itself, the flow, its two lines, the step in one.
        many_rounds(9), 2 + 9 * 5;
        many_flows(3), 4 + (1 + 3 * 6 - 1) + (1 + 3 * 3);
    }
}

#[tokio::test]
async fn claim_nodes_limit_of_a_run_that_goes_on_with_less() {
    let (_, state) = many(8).with_state().await.unwrap();
    // All is done already.
    let run = many(8).resume(state).limits(RunLimits::DEFAULT.nodes(3));
    assert_eq!(run.await.unwrap(), 8);
}

#[tokio::test]
async fn a_loop_without_an_end_ends_at_the_limit() {
    let failure = endless().limits(limits()).await.unwrap_err();
    assert_eq!(failure.step(), Some("rounds"), "{failure}");
    assert!(
        failure.to_string().contains("and the limit is 50"),
        "{failure}"
    );
}

#[step]
async fn grow(
    log: &std::sync::Mutex<Vec<String>>,
    name: &str,
    length: usize,
) -> Result<String, Infallible> {
    log.lock().unwrap().push(format!("grow {name}"));
    Ok("x".repeat(length))
}

#[undo(grow)]
async fn shrink(
    log: &std::sync::Mutex<Vec<String>>,
    name: &str,
    length: usize,
    grown: &String,
) -> Result<(), Infallible> {
    assert_eq!(*grown, "x".repeat(length));
    log.lock().unwrap().push(format!("shrink {name} {length}"));
    Ok(())
}

#[flow]
async fn growing(log: &std::sync::Mutex<Vec<String>>, last: usize) -> Result<(), Infallible> {
    steps! {
        a = grow(log, "a", 60);
        both = parallel {
            b = grow(log, "b", 20);
            c = grow(log, "c", last);
        }
    }
    Ok(())
}

#[tokio::test]
async fn all_values_together_have_a_limit() {
    // The input is `{"last":…}`, and each text has two quotes.
    let limits = RunLimits::DEFAULT.tree(11 + 62 + 22 + 32);
    let log = std::sync::Mutex::default();
    growing(&log, 30).id("g").limits(limits).await.unwrap();
    log.lock().unwrap().clear();
    let failure = growing(&log, 31).id("g").limits(limits).await.unwrap_err();
    assert_eq!(failure.step(), Some("both.c"));
    let text = &failure.failed()[0].error;
    for part in [
        "its output is 33 bytes of JSON",
        "the tree of execution `g` would have 128",
        "the limit is 127",
        "the largest is `a`, with 62 bytes",
    ] {
        assert!(text.contains(part), "{text}");
    }
    // What can't be recorded is taken back, and so is all that was done.
    let log = log.into_inner().unwrap();
    assert_eq!(
        log,
        [
            "grow a",
            "grow b",
            "grow c",
            "shrink c 31",
            "shrink b 20",
            "shrink a 60"
        ]
    );
}
