//! Starts the children one after the other, and looks at what they have made.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Output},
};

use jiff::{SignedDuration, Timestamp};

use crate::child::{CHILD, TICKS};

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
    let before = child("dies-before", folder.path());
    assert_eq!(before.status.signal(), Some(9), "{}", said(&before));
    let first = said(&before);
    assert!(first.starts_with("New "), "{first}");
    let first: Timestamp = first["New ".len()..].trim().parse().expect("a time");
    let ticks = folder.path().join("ticks");
    assert!(!ticks.exists(), "no tick was made");

    let after = child("dies-after", folder.path());
    assert_eq!(after.status.signal(), Some(9), "{}", said(&after));
    assert!(said(&after).starts_with("Unchanged "), "{}", said(&after));

    let last = child("lives", folder.path());
    assert!(last.status.success(), "{}", said(&last));
    let made = fs::read_to_string(ticks).expect("ticks were made");
    let made: Vec<Timestamp> = made
        .lines()
        .map(|line| line.parse().expect("a time"))
        .collect();
    let all: BTreeSet<Timestamp> = made.iter().copied().collect();
    assert_eq!(all.len(), made.len(), "each once: {made:?}");
    let mut next = first;
    for tick in all {
        assert_eq!(tick, next, "none is lost");
        next += SignedDuration::from_secs(1);
    }
    assert!(made.len() as u64 >= TICKS, "{made:?}");
    println!("{} ticks, each once", made.len());
}
