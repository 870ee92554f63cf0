//! The example `subscription`, run as a program: its three customers, and one over a `kill -9`.
// Tests are read for what they show.
#![allow(clippy::pedantic)]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use steps_test_support::cargo;

fn subscription(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(cargo::example("subscription"));
    command.arg("--dir").arg(folder).args(["--day", "20ms"]);
    command.args(words);
    command
}

fn run(folder: &Path, words: &[&str]) -> Output {
    subscription(folder, words).output().expect("it runs")
}

fn printed(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(text).expect("it prints text")
}

/// A process that works on the subscriptions until the test ends.
struct Server(Child);

impl Server {
    fn new(folder: &Path) -> Self {
        let mut command = subscription(folder, &["serve"]);
        Self(command.stdout(Stdio::null()).spawn().expect("it runs"))
    }
}

impl Drop for Server {
    /// As `kill -9` does.
    fn drop(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it has ended");
    }
}

fn ledger(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("ledger.txt")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split('\t').next());
    lines.map(str::to_owned).collect()
}

fn until(folder: &Path, line: &str) {
    let begun = Instant::now();
    while !ledger(folder).iter().any(|found| found == line) {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "no {line:?} in {:?}",
            ledger(folder)
        );
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn three_customers() {
    let output = Command::new(cargo::example("subscription"))
        .output()
        .expect("it runs");
    let text = printed(&output);
    assert!(output.status.success(), "{text}");
    for line in [
        "ann: too many letters",
        "bob: moving abroad",
        "cy: no payment",
        "ann is told: goodbye: too many letters",
        "bob pays for month 2",
        "bob is told: goodbye: moving abroad",
        "cy is told: goodbye: no payment",
    ] {
        assert_eq!(
            text.lines().filter(|found| *found == line).count(),
            1,
            "{line}: {text}"
        );
    }
    let declined = "cy is told: your card was declined for month 2";
    assert_eq!(
        text.lines().filter(|found| *found == declined).count(),
        3,
        "{text}"
    );
    assert!(
        !text.contains("ann pays") && !text.contains("bob pays for month 3"),
        "{text}"
    );
}

#[test]
fn over_a_kill_nothing_is_written_or_paid_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let begun = run(folder, &["start", "dan"]);
    assert_eq!(printed(&begun), "dan: pending\n");
    let again = run(folder, &["start", "dan"]);
    assert_eq!(printed(&again), "dan: pending\n");

    let server = Server::new(folder);
    until(folder, "dan pays for month 1");
    drop(server);
    let server = Server::new(folder);
    until(folder, "dan pays for month 2");
    // It may be between two periods, where nobody waits for it.
    let begun = Instant::now();
    loop {
        let cancelled = run(folder, &["cancel", "dan", "--reason", "moved"]);
        if cancelled.status.success() {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "{}",
            printed(&cancelled)
        );
    }
    until(folder, "dan is told: goodbye: moved");
    let ledger = ledger(folder);
    for (index, line) in ledger.iter().enumerate() {
        assert!(!ledger[..index].contains(line), "{line} twice: {ledger:?}");
    }
    drop(server);
    assert_eq!(
        ledger.last().map(String::as_str),
        Some("dan is told: goodbye: moved")
    );
}

#[test]
fn bad_usage_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let day = Command::new(cargo::example("subscription"))
        .args(["--day", "soon", "list"])
        .output()
        .expect("it runs");
    assert_eq!(day.status.code(), Some(2));
    assert!(printed(&day).contains("soon"), "{}", printed(&day));
    let unknown = run(folder, &["cancel", "nobody", "--reason", "why not"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        printed(&unknown).contains("nobody"),
        "{}",
        printed(&unknown)
    );
    assert_eq!(printed(&run(folder, &["list"])), "");
}
