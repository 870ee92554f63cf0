//! A → (B, C); D ← B and C; E ← B: each begins as soon as what it uses is there.

use std::{sync::Arc, time::Duration};

use steps::{
    Status,
    clock::TestClock,
    prelude::*,
    testing::{Fault, Injected, Lab},
};

use crate::support::explored;

#[step]
async fn work(lab: &Lab, name: &str, millis: u64, _after: &[u64]) -> Result<u64, Injected> {
    lab.clock().sleep(Duration::from_millis(millis)).await;
    lab.act(name)?;
    Ok(millis)
}

#[undo(work)]
async fn back(lab: &Lab, name: &str, _: u64, _: &[u64], _: &u64) -> Result<(), Injected> {
    lab.undo(name)
}

#[flow]
async fn diamond(lab: &Lab) -> Result<u64, Injected> {
    steps! {
        all = parallel {
            a = work(lab, "a", 100, &[]);
            b = work(lab, "b", 300, &[a]);
            c = work(lab, "c", 200, &[a]);
            d = work(lab, "d", 310, &[b, c]);
            e = work(lab, "e", 150, &[b]);
        }
    }
    Ok(all.d + all.e)
}

#[tokio::test]
async fn it_takes_as_long_as_its_longest_path() {
    let lab = Lab::new();
    let run = diamond(&lab).clock(Arc::new(lab.clock().clone()));
    assert_eq!(run.await.unwrap(), 460);
    assert_eq!(lab.clock().elapsed().as_millis(), 100 + 300 + 310);
    assert_eq!(lab.texts(), ["a", "c", "b", "e", "d"]);
}

#[tokio::test]
async fn what_uses_a_failed_one_does_not_begin() {
    let lab = Lab::new();
    lab.fault("c", Fault::FailBefore);
    let run = diamond(&lab).clock(Arc::new(lab.clock().clone()));
    let failure = run.await.unwrap_err();
    assert_eq!(
        (failure.step(), failure.status()),
        (Some("all.c"), Status::Undone)
    );
    assert!(!failure.state.started("all.d"));
    assert!(lab.there().is_empty(), "{:?}", lab.texts());
}

#[tokio::test]
async fn whenever_it_dies() {
    let faults = explored!(diamond());
    for fault in ["d", "e", "undo a", "undo b"] {
        assert!(faults.contains(fault), "{faults:?}");
    }
}
