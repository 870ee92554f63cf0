//! Time limits, deadlines and the branches of an `else if`, whatever is cut off.

use steps::{
    prelude::*,
    testing::{Explorer, Injected, Lab},
};

#[step]
async fn make(lab: &Lab, name: &str) -> Result<(), Injected> {
    lab.act(name)
}

#[undo(make)]
async fn unmake(lab: &Lab, name: &str, (): &()) -> Result<(), Injected> {
    lab.undo(name)
}

/// All ends in time.
#[flow(deadline = "1d")]
async fn timed(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = make(lab, "a");
        #[deadline("1h")]
        in_time = { b = make(lab, "b"); pause = steps::sleep("10m"); c = make(lab, "c"); }
        asked = steps::signal::<u32>().within("1h");
        path = if asked == Some(1) {
            one = make(lab, "one");
        } else if asked.is_none() {
            none = make(lab, "none");
        } else {
            other = make(lab, "other");
        }
        last = make(lab, "last");
    }
    let _ = (a, in_time, asked, path, last);
    Ok(())
}

/// The deadline passes, and all is undone.
#[flow]
async fn late(lab: &Lab) -> Result<(), Injected> {
    steps! {
        a = make(lab, "a");
        #[deadline("1h")]
        group = {
            both = parallel {
                slow = { d = make(lab, "d"); nap = steps::sleep("2h"); never = make(lab, "never"); }
                quick = make(lab, "e");
            }
        }
    }
    let _ = (a, group);
    Ok(())
}

#[tokio::test]
async fn limits_and_else_if_wherever_it_is_cut_off() {
    let report = Explorer::new(Lab::clone, timed).explore().await.unwrap();
    assert!(report.faults.contains("undo none"), "{report:?}");
    assert!(report.faults.contains("last"), "{report:?}");
}

#[tokio::test]
async fn a_deadline_that_passes_wherever_it_is_cut_off() {
    let explorer = Explorer::new(Lab::clone, late).concurrent();
    let report = explorer.explore().await.unwrap();
    assert!(report.faults.contains("undo d"), "{report:?}");
    assert!(!report.faults.contains("never"), "{report:?}");
}
