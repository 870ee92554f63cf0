//! What JSON can't hold, in an engine: refused when it is given, and never recorded as done.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use steps::{Engine, Status, engine::EngineError, prelude::*};

#[step(retry(times = 3, every = "1ms"))]
async fn mean(sum: f64, n: f64) -> Result<f64, String> {
    Ok(sum / n)
}

#[step]
async fn publish(mean: f64) -> Result<String, String> {
    Ok(mean.to_string())
}

#[flow]
async fn report(sum: f64, n: f64) -> Result<String, String> {
    steps! {
        mean = mean(sum, n);
        pause = steps::sleep(Duration::from_millis(5));
        text = publish(mean);
    }
    Ok(text)
}

#[flow]
async fn asked() -> Result<f64, String> {
    steps! { level = steps::signal::<f64>(); }
    Ok(level)
}

#[tokio::test]
async fn regression_nan_output_in_an_engine() {
    let engine = Engine::open("memory:").await.unwrap();
    let engine = engine.serve(report::with()).serve(asked::with());
    let engine = engine.start().await.unwrap();
    let run = engine.start(report::input(0.0, 0.0)).await.unwrap();
    let failed = run.outcome().await.unwrap_err().to_string();
    assert!(
        failed.contains("`mean`") && failed.contains("`f64` is written as `null`"),
        "{failed}"
    );
    assert_ne!(run.status().await.unwrap(), Status::Done);

    let bad = || report::input(1.0, f64::NAN);
    for refused in [
        engine.start(bad()).await,
        engine.start(bad()).after(Duration::from_millis(1)).await,
    ] {
        let Err(EngineError::InvalidValue { why, .. }) = refused else {
            panic!("it is taken, or another error");
        };
        assert!(
            why.contains("its input can't be saved as JSON: field `n`: `f64` is written as `null`"),
            "{why}"
        );
    }
    let run = engine.start(report::input(4.0, 2.0)).await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), "2");

    let run = engine.start(asked::input()).await.unwrap();
    for error in [
        run.signal(asked::STEPS.level, &f64::NAN).await.unwrap_err(),
        run.signal_path("level", &f64::NAN).await.unwrap_err(),
    ] {
        assert!(matches!(error, EngineError::InvalidValue { .. }), "{error}");
        assert!(error.to_string().contains("JSON has no NaN"), "{error}");
    }
    run.signal(asked::STEPS.level, &2.5).await.unwrap();
    assert!(run.outcome().await.unwrap() > 2.0);
}

/// A price with its tax.
fn prices() -> impl Iterator<Item = f64> {
    (1..2000).map(|cents| f64::from(cents) / 100.0 * 1.19)
}

#[step]
async fn quote() -> Result<Vec<f64>, String> {
    Ok(prices().collect())
}

#[step]
async fn same(quoted: &[f64]) -> Result<bool, String> {
    Ok(quoted.iter().copied().eq(prices()))
}

#[flow]
async fn later() -> Result<bool, String> {
    steps! {
        prices = quote();
        pause = steps::sleep(Duration::from_millis(300));
        same = same(&prices);
    }
    Ok(same)
}

#[tokio::test]
async fn regression_float_ulp_a_price_is_the_same_after_a_wait() {
    let engine = Engine::open("memory:").await.unwrap().serve(later::with());
    let engine = engine.start().await.unwrap();
    let begun = Instant::now();
    let run = engine.start(later::input()).await.unwrap();
    assert!(run.outcome().await.unwrap());
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[step]
async fn pay(wei: u128) -> Result<u128, String> {
    Ok(wei)
}

#[flow]
async fn transfer(wei: u128, to: HashSet<u32>) -> Result<u128, String> {
    steps! { paid = pay(wei); }
    let _ = to;
    Ok(paid)
}

#[tokio::test]
async fn regression_wide_numbers_and_hash_set_input_under_an_id_that_is_taken() {
    let engine = Engine::open("memory:")
        .await
        .unwrap()
        .serve(transfer::with());
    let engine = engine.start().await.unwrap();
    let wei = 25_000_000_000_000_000_000;
    let to = || (0..50).collect::<HashSet<_>>();
    let start = |wei, to| engine.start(transfer::input(wei, to)).id("t");
    let none = HashSet::new;
    start(wei, none()).await.unwrap().outcome().await.unwrap();
    assert_eq!(
        start(wei, none()).await.unwrap().outcome().await.unwrap(),
        wei
    );
    let error = start(wei + 1, none()).await.map(drop).unwrap_err();
    assert!(matches!(error, EngineError::OtherInput { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("`wei` was `25000000000000000000`, and is now"),
        "{error}"
    );
    let start = |to| engine.start(transfer::input(1, to)).id("s");
    start(to()).await.unwrap();
    let error = start(to()).await.map(drop).unwrap_err().to_string();
    assert!(
        error.contains("`to` has the same items in another order"),
        "{error}"
    );
}
