//! What the second form of the file tells besides, and what is told that strands nothing.

use super::*;

#[test]
fn a_file_in_the_first_form_is_read_and_written_anew() {
    let snapshot = Snapshot::of("first");
    fs::write(snapshot.file(), include_str!("first_form.json")).unwrap();
    snapshot.assert("first", "").unwrap();
    let message = snapshot.assert("renamed", "update").unwrap_err();
    assert!(message.contains("if `first` is its new name"), "{message}");
    snapshot.assert("first", "update").unwrap();
    assert_eq!(snapshot.text().unwrap(), include_str!("first.json"));
}

#[test]
fn what_else_was_recorded_and_has_changed_is_named() {
    let snapshot = Snapshot::of("told_first");
    let message = snapshot.assert("told_other", "update").unwrap_err();
    let message = message.replace("`told` would", "`snap` would");
    let keep =
        "keep it as it was; what is new can be a line of another name, behind the flow's last step";
    assert_eq!(
        findings(&message),
        listed(&[
            (
                "the input had a field `n`, which no parameter takes, and `size` is new",
                "if `size` is its new name, write `#[alias = \"n\"]` before it; otherwise keep `n`, and \
                 make `size` an `Option`",
            ),
            (
                "the flow has another output: it gave `u32`, and gives `String` now",
                "what executions that are done have given is read as the new type",
            ),
            (
                "`ok` does not fit: it gave `bool`, and gives `String` now",
                keep
            ),
            (
                "`pause` does not fit: it was a `sleep`, and is a `signal` now",
                keep
            ),
            (
                "`each` does not fit: an item was of the type `u32`, and is of `alloc::string::String` now",
                keep,
            ),
            (
                "`some` does not fit: the value that it matches was of the type \
                 `core::option::Option<u32>`, and is of `core::option::Option<u64>` now",
                keep,
            ),
            (
                "`again` may have begun more than 2 rounds, which are its most now",
                "keep the bound",
            ),
            (
                "`o` called `num`, and calls `other_num` now",
                "what `num` did is taken back by the undo of `other_num`; if it can't be, keep the line, \
                 and write the new one behind the flow's last step",
            ),
        ])
    );
}

#[test]
fn what_strands_nothing_and_may_not_be_meant_is_told() {
    let snapshot = Snapshot::of("told_first");
    let message = snapshot.assert("told_fits", "").unwrap_err();
    assert!(message.contains("fits all executions"), "{message}");
    for told in [
        "Is this meant?",
        "the flow has another output: it gave `u32`, and gives `String` now",
        "`o` called `num`, and calls `other_num` now",
    ] {
        assert!(message.contains(told), "{message}");
    }
    snapshot.assert("told_fits", "update").unwrap();
    snapshot.assert("told_fits", "").unwrap();
}
