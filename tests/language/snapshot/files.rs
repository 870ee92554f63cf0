//! A file that is no snapshot, and a mode that does not exist.

use super::*;

#[test]
fn a_file_that_is_no_snapshot_is_not_written_over() {
    let snapshot = Snapshot::of("first");
    let good = snapshot.text().unwrap();
    let mut said = Vec::new();
    for bad in [
        "<<<<<<< HEAD".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        good.replace("\"format\": 2", "\"format\": 3"),
        good.replace("\"kind\": \"for\"", "\"kind\": \"each\""),
        good.replacen("\"name\": \"b\"", "\"name\": 3", 1),
        good.replacen("\"name\": \"b\"", "\"name\": \"b\", \"nmae\": \"b\"", 1),
    ] {
        fs::write(snapshot.file(), &bad).unwrap();
        let message = snapshot.assert("first", "update").unwrap_err();
        assert_eq!(snapshot.text().unwrap(), bad);
        let why = message.strip_prefix("the snapshot FILE of the flow `snap` can't be read: ");
        let why = why.and_then(|why| why.split_once(". Get it back from where you keep"));
        said.push(why.unwrap_or_else(|| panic!("{message}")).0.to_owned());
    }
    assert_eq!(
        said,
        [
            "expected value at line 1 column 1",
            "it is no object",
            "it has no `format`",
            "it has format 3, and this version of `steps` reads formats up to 2",
            "`/steps/1/steps/1/kind` is not known: each",
            "`/steps/1/steps/0/name` is no text",
            "`/steps/1/steps/0/nmae` is not known",
        ]
    );
    snapshot.assert("first", "overwrite").unwrap();
    assert_eq!(snapshot.text().unwrap(), good);
}

#[test]
fn an_unknown_mode_is_refused() {
    let snapshot = Snapshot::of("first");
    assert_eq!(
        snapshot.assert("first", "yes").unwrap_err(),
        "STEPS_SNAPSHOT is `yes`: it may be `update`, which writes what strands no execution, or \
         `overwrite`, which writes in any case"
    );
}
