//! A `match` in the file: its arms, and the type of what it matches.

use super::*;

#[test]
fn arms_may_be_added_moved_and_renamed_with_an_alias() {
    let snapshot = Snapshot::of("way_first");
    snapshot.assert("way_first", "").unwrap();
    assert!(snapshot.text().unwrap().contains("\"arms\""));
    let message = snapshot.assert("way_fits", "").unwrap_err();
    assert!(message.contains("fits all executions"), "{message}");
    snapshot.assert("way_fits", "update").unwrap();
    snapshot.assert("way_fits", "").unwrap();
}

#[test]
fn an_arm_that_is_gone_and_another_type_are_named() {
    let snapshot = Snapshot::of("way_first");
    let message = snapshot.assert("way_gone", "update").unwrap_err();
    assert!(message.contains("`way.one`"), "{message}");
    let message = snapshot.assert("way_other", "update").unwrap_err();
    assert!(
        message.contains("the value that it matches was of the type `u32`, and is of `u64` now"),
        "{message}"
    );
}
