//! Starts the children one after the other, and looks at what the other side was sent.

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

fn killed(role: &str, folder: &Path) -> String {
    let output = child(role, folder);
    assert_eq!(output.status.signal(), Some(9), "{role}: {}", said(&output));
    said(&output)
}

fn well(role: &str, folder: &Path) -> String {
    let output = child(role, folder);
    assert!(output.status.success(), "{role}: {}", said(&output));
    said(&output)
}

/// The ids under which it was submitted.
fn submitted(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("submitted")).expect("it was submitted");
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn run() {
    // Nothing says that it was submitted, so it is once more, under the id by which the other side knows it.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    killed("submits-and-dies", folder);
    assert_eq!(submitted(folder).len(), 1);
    well("takes-over", folder);
    let ids = submitted(folder);
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert_eq!(ids[0], ids[1]);
    well("reports", folder);
    assert_eq!(well("ends", folder), "flaws: 3\n");
    assert_eq!(submitted(folder).len(), 2);

    // The other side has reported meanwhile, and whoever took the report is dead, too: it is not lost, and says
    // that it was submitted.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    killed("submits-and-dies", folder);
    assert_eq!(killed("reports-and-dies", folder), "reported\n");
    assert_eq!(well("ends", folder), "flaws: 3\n");
    assert_eq!(submitted(folder).len(), 1);
    println!("submitted again under the same id, and not at all where it was reported");
}
