use serde_json::Value;

use super::GoForm;
use crate::{
    base::json::Json,
    model::{
        state::{NodeData, State, Undo},
        status::Status,
    },
};

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The only thing that the Go files write in two ways: an empty list of errors may also be `null`.
fn no_errors_are_null(node: &mut Value) {
    if node["errs"] == serde_json::json!([]) {
        node["errs"] = Value::Null;
    }
    for below in node["states"].as_array_mut().unwrap() {
        no_errors_are_null(below);
    }
}

#[test]
fn the_go_files_are_written_as_they_were() {
    for text in [
        include_str!("../../../../../tests/data/go-move-to-vpc-done.json"),
        include_str!("../../../../../tests/data/go-move-to-vpc-failed.json"),
        include_str!("../../../../../tests/data/go-move-to-vpc-pending.json"),
    ] {
        let state = State::from_json(text).unwrap();
        let mut original = value(text);
        no_errors_are_null(&mut original);
        assert_eq!(value(&state.to_go_json(GoForm::Errs)), original);

        let mut again = State::from_json(&state.to_go_json(GoForm::Err)).unwrap();
        again.errors.clone_from(&state.errors);
        assert_eq!(again, state);
    }
}

/// Returns what the Go library would understand from the Go form.
fn seed(status: Status, errors: &[&str], undo: &str) -> (Status, Vec<String>) {
    let time = Some(jiff::Timestamp::UNIX_EPOCH);
    let node = NodeData {
        name: "a".into(),
        status,
        errors: errors.iter().map(ToString::to_string).collect(),
        started_at: time,
        done_at: time,
        output: Some(Json::parse("7").unwrap()),
        undo: Some(Undo {
            err: undo.into(),
            ..Undo::default()
        }),
        ..NodeData::default()
    };
    let read = State::from_json(&State::from(node).to_go_json(GoForm::Err)).unwrap();
    assert_eq!(read.info.is_some(), status == Status::Done, "{status}");
    (read.status, read.node.errors)
}

#[test]
fn the_go_form_calls_nothing_done_that_has_no_effect() {
    for status in Status::ALL {
        let expected = match status {
            Status::Done => (Status::Done, vec![]),
            Status::Failed => (Status::Failed, vec!["failed".to_owned()]),
            Status::Pending | Status::Skipped | Status::Undone => (Status::Pending, vec![]),
            _ => (Status::Running, vec![]),
        };
        assert_eq!(seed(status, &[], ""), expected, "{status}");
    }
    for status in [Status::Failed, Status::Undone, Status::Stuck] {
        assert_eq!(
            seed(status, &["x"], "y"),
            (Status::Failed, vec!["x".to_owned()]),
            "{status}"
        );
    }
    assert_eq!(
        seed(Status::UndoFailed, &[], "y"),
        (Status::Failed, vec!["y".to_owned()])
    );
}
