//! Starts the children one after the other, and looks at what they have told.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Output},
};

use crate::child::CHILD;

fn child(role: &str, folder: &Path) -> Output {
    let program = std::env::current_exe().expect("this program's own path");
    let mut command = Command::new(program);
    command.args([CHILD, role]).arg(folder);
    command.output().expect("a child can be started")
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let told = folder.path().join("told");
    let read = || fs::read_to_string(&told).unwrap_or_default();

    // It was committed, as the function was called with it, and nothing was told.
    let before = child("dies-before", folder.path());
    assert_eq!(before.status.signal(), Some(9), "{}", said(&before));
    assert_eq!(said(&before), "called dies-before\n");
    assert_eq!(read(), "");

    // It was told, and not settled.
    let other = tempfile::tempdir().expect("a temporary folder");
    let after = child("dies-after", other.path());
    assert_eq!(after.status.signal(), Some(9), "{}", said(&after));
    assert_eq!(said(&after), "called dies-after\n");

    for (folder, id, times) in [(&folder, "dies-before", 1), (&other, "dies-after", 2)] {
        let last = child("lives", folder.path());
        assert!(last.status.success(), "{}", said(&last));
        let told = fs::read_to_string(folder.path().join("told")).expect("it was told");
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), times, "{told}");
        // A repeat is known by its key.
        assert!(lines.iter().all(|line| *line == lines[0]), "{told}");
        assert!(told.starts_with(&format!("{id} done ")), "{told}");
    }
    println!("told once after a death before it, and twice after one behind it");
}
