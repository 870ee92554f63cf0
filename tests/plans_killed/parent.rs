//! Starts the children one after the other, and looks at what was done.

use std::{
    collections::HashMap,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Output},
};

use crate::child::CHILD;

fn child(dies_at: &str, folder: &Path) -> Output {
    let program = std::env::current_exe().expect("this program's own path");
    let mut command = Command::new(program);
    command.args([CHILD, dies_at]).arg(folder);
    command.output().expect("a child can be started")
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

pub(crate) fn run() {
    // After its effect, and before that is recorded.
    for dies_at in ["a", "b", "c", "d", "e", "undo abe", "undo abc", "undo a"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let killed = child(dies_at, folder);
        assert_eq!(
            killed.status.signal(),
            Some(9),
            "{dies_at}: {}",
            said(&killed)
        );
        let ended = child("nothing", folder);
        assert!(ended.status.success(), "{dies_at}: {}", said(&ended));
        assert!(
            said(&ended).contains("`plan.end.runs.fail`: it fails"),
            "{}",
            said(&ended)
        );
        let done = fs::read_to_string(folder.join("done")).expect("something was done");
        check(dies_at, &done.lines().collect::<Vec<_>>());
    }
    println!("killed at each step and at undos: all was done, and taken back in the right order");
}

/// Each was done and undone, once, but for the one at which the process died, which may be there twice.
fn check(dies_at: &str, done: &[&str]) {
    let all = [
        "a", "b", "c", "d", "e", "undo abe", "undo abc", "undo ab", "undo ad", "undo a",
    ];
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for what in done {
        *counts.entry(what).or_default() += 1;
    }
    for what in all {
        let most = if what == dies_at { 2 } else { 1 };
        let count = counts.remove(what).unwrap_or_default();
        // What ran beside the death may have been done without being recorded.
        let beside = ["b", "c", "d", "undo abc", "undo ab", "undo ad"];
        let most = if beside.contains(&what) { 2 } else { most };
        assert!(
            (1..=most).contains(&count),
            "died at {dies_at}: {what} {count} times: {done:?}"
        );
    }
    assert!(counts.is_empty(), "{counts:?}");
    let last = |what: &str| {
        done.iter()
            .rposition(|it| *it == what)
            .expect("it was done")
    };
    for (first, then) in [
        ("undo abe", "undo abc"),
        ("undo abe", "undo ad"),
        ("undo abc", "undo ab"),
        ("undo ab", "undo a"),
        ("undo ad", "undo a"),
    ] {
        assert!(
            last(first) < last(then),
            "died at {dies_at}: {first} after {then}: {done:?}"
        );
    }
}
