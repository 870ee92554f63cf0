//! A `loop keep n`, which lets rounds go.

use std::time::Duration;

use steps::{
    State,
    prelude::*,
    testing::{Explorer, Injected, Lab},
};

use crate::basics::{charge, count};

/// Older rounds are let go with the record of the end of the newest.
#[flow]
pub(crate) async fn beating(lab: &Lab) -> Result<u32, Injected> {
    steps! {
        before = count(lab, "before", 1);
        beat = loop keep 1 {
            let n: u32 = prev.map_or(0, |prev| prev.seen + 1);
            seen  = count(lab, "seen", n);
            each  = for n in [1_u32] by n { told = charge(lab, &format!("{seen} {n}")); }
            pause = steps::sleep(Duration::from_secs(60));
        } until seen == 2;
        last = count(lab, "last", beat.seen);
    }
    let _ = before;
    Ok(last)
}

/// What of a loop that lets rounds go is recorded are its newest rounds, wherever it was cut off.
pub(crate) fn keeps_one(_: &Lab, state: &State) -> Result<(), String> {
    let rounds = state.get("beat").map_or(&[][..], |beat| &beat.states);
    let names: Vec<usize> = rounds
        .iter()
        .map(|round| round.name.parse().unwrap())
        .collect();
    let is_right = names.len() <= 2 && names.windows(2).all(|two| two[0] + 1 == two[1]);
    is_right
        .then_some(())
        .ok_or(format!("its rounds are {names:?}"))
}

#[tokio::test]
async fn rounds_that_are_let_go() {
    let report = Explorer::new(Lab::clone, beating)
        .once(["2 1"])
        .check(keeps_one)
        .explore()
        .await
        .unwrap();
    assert!(report.faults.contains("undo 2 1"), "{report:?}");
    assert!(report.faults.contains("undo before1"), "{report:?}");
}
