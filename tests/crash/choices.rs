//! A `race`, a `match`, and failures that are caught: what a crash leaves after a choice, such as between the
//! win and the losers' end.

use std::time::Duration;

use steps::{
    prelude::*,
    testing::{Explorer, Injected, Lab},
};

use crate::basics::{act, charge};

#[step]
async fn slow(lab: &Lab, name: &str) -> Result<String, Injected> {
    lab.act(format!("begin {name}"))?;
    lab.clock().sleep(Duration::from_millis(20)).await;
    lab.act(name)?;
    Ok(name.to_owned())
}

#[undo(slow)]
async fn slow_back(lab: &Lab, name: &str, _: &String) -> Result<(), Injected> {
    lab.undo(name)?;
    lab.undo(format!("begin {name}"))
}

#[flow]
async fn caught(lab: &Lab) -> Result<String, Injected> {
    steps! {
        #[caught]
        one = { a = act(lab, "a"); b = charge(lab, "b"); }
        #[caught]
        two = act(lab, "two");
        path = if let Err(failure) = one { c = act(lab, &failure.path); }
        last = act(lab, "last");
    }
    let _ = (two, path);
    Ok(last)
}

#[tokio::test]
async fn failures_that_are_caught() {
    let report = Explorer::new(Lab::clone, caught)
        .once(["b"])
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo a"), "{report:?}");
    assert!(report.faults.contains("undo two"), "{report:?}");
}

#[flow]
async fn racing(lab: &Lab) -> Result<String, Injected> {
    steps! {
        before = act(lab, "before");
        first = race {
            quick = act(lab, "quick");
            group = { a = act(lab, "a"); b = slow(lab, "b"); }
            pause = steps::sleep("1h");
        }
        last = act(lab, match first {
            RacingFirst::Quick(name) => name,
            RacingFirst::Group(group) => &group.b,
            RacingFirst::Pause(()) => "pause",
        });
    }
    let _ = before;
    Ok(last)
}

#[tokio::test]
async fn a_race() {
    let report = Explorer::new(Lab::clone, racing)
        .concurrent()
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo a"), "{report:?}");
}

/// It says something else once the arm has begun: what is recorded decides.
fn changing(lab: &Lab) -> Option<u32> {
    (!lab.is_there("some 7")).then_some(7)
}

#[flow]
async fn matching(lab: &Lab) -> Result<String, Injected> {
    steps! {
        way = match changing(lab) {
            some = Some(n) if !lab.is_there("some 7") => {
                a = act(lab, &format!("some {n}"));
                inner = match n { seven = 7 => act(lab, "seven"); other = _ => charge(lab, "other"); }
            }
            none = _ => charge(lab, "none");
        }
        last = act(lab, "last");
    }
    let _ = way;
    Ok(last)
}

#[tokio::test]
async fn a_match() {
    let report = Explorer::new(Lab::clone, matching).explore().await.unwrap();
    assert!(report.faults.contains("undo seven"), "{report:?}");
}

#[flow]
async fn matching_items(lab: &Lab) -> Result<(), Injected> {
    steps! {
        each = for n in 0..2_u32 by n parallel {
            #[optional]
            way = match n { zero = 0 => { c = act(lab, "c"); d = charge(lab, "d"); } other = _ => {} }
        }
    }
    let _ = each;
    Ok(())
}

#[tokio::test]
async fn a_match_in_items() {
    let report = Explorer::new(Lab::clone, matching_items)
        .concurrent()
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo c"), "{report:?}");
}
