//! What one execution may hold is bounded, and what passes a bound is that step's failure.

use std::convert::Infallible;

use steps::{RunLimits, prelude::*};

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
        (large("x".repeat(200), 1, 1, 1), "", "its input is"),
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

#[tokio::test]
async fn a_loop_without_an_end_ends_at_the_limit() {
    let failure = endless().limits(limits()).await.unwrap_err();
    assert_eq!(failure.step(), Some("rounds"), "{failure}");
    assert!(
        failure.to_string().contains("and the limit is 50"),
        "{failure}"
    );
}
