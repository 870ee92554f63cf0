//! The program `steps`.

use std::process::{Command, Output};

use serde_json::Value;
use steps_test_support::cargo;

/// Runs it on a store.
pub fn steps(url: &str, args: &[&str]) -> Output {
    let mut steps = Command::new(cargo::steps());
    steps.args(args).env("STEPS_DB", url);
    steps.output().expect("it can be started")
}

/// What it writes as JSON, one value a line.
pub fn json(url: &str, args: &[&str]) -> Vec<Value> {
    let ran = steps(url, &[args, &["--json"]].concat());
    let (out, err) = (text(&ran.stdout), text(&ran.stderr));
    assert!(ran.status.success(), "{args:?}: {out}{err}");
    let lines = out.lines();
    lines
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[track_caller]
pub fn refused(ran: &Output, code: i32, says: &str) {
    let err = text(&ran.stderr);
    assert_eq!(ran.status.code(), Some(code), "{err}");
    assert!(err.contains(says), "{err}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
