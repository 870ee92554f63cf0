//! The scenarios, and the processes that they start.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process::{Child, ExitCode, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use steps_test_support::faketime;
use tempfile::TempDir;

use crate::child::{CHILD, PATIENCE, now};

type Scenario = (&'static str, fn(&Path));

const SCENARIOS: &[Scenario] = &[
    ("clock_set_back_nothing_waits_longer", set_back),
    ("clock_set_forward_nothing_ends_early", set_forward),
    ("clock_set_back_a_dead_holders_lease_ends", dead_holder),
    ("clock_set_forward_a_live_holder_is_left_alone", live_holder),
    (
        "clock_set_back_what_waits_afterwards_is_taken_over",
        taken_over,
    ),
    ("clock_set_back_what_is_due_stays_due", stays_due),
];

/// Runs the scenarios with one of these words in their names, or all.
pub(crate) fn run(words: &[String]) -> ExitCode {
    // Options are those of other tests' harness.
    let words = words.iter().filter(|word| !word.starts_with('-'));
    let words: Vec<&String> = words.collect();
    let mut code = ExitCode::SUCCESS;
    for (name, scenario) in SCENARIOS {
        if !words.is_empty() && !words.iter().any(|word| name.contains(*word)) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        faketime::set(folder.path(), 0);
        let result = catch_unwind(AssertUnwindSafe(|| scenario(folder.path())));
        match result {
            Ok(()) => println!("test {name} ... ok"),
            Err(_) => {
                println!("test {name} ... FAILED; its files: {}", left(folder));
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// Leaves a folder behind.
fn left(folder: TempDir) -> String {
    folder.keep().display().to_string()
}

/// A process, which is killed with the value.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(role: &str, folder: &Path) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = faketime::command(program, folder)
            .args([CHILD, role])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (tell, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(told) = line.strip_prefix("> ") {
                    drop(tell.send(told.to_owned()));
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line.
    fn tells(&self, expected: &str) {
        match self.lines.recv_timeout(2 * PATIENCE) {
            Ok(line) => assert_eq!(line, expected),
            Err(error) => panic!("waited for {expected:?}: {error}"),
        }
    }

    /// Waits until it is up, and checks its wall clock, which is to be this many seconds off.
    fn is_up(&self, seconds: i64) {
        let line = self.lines.recv_timeout(2 * PATIENCE).expect("it comes up");
        let shown = line.strip_prefix("up at ").expect("it is up first");
        let shown: i64 = shown.parse().expect("a number");
        let off = shown - now();
        assert!((off - seconds).abs() < 600, "the clock is off by {off} s");
    }

    /// Returns whether it has told this by now.
    fn has_told(&self, line: &str) -> bool {
        self.lines.try_iter().any(|told| told == line)
    }

    fn order(&mut self, id: &str) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{id}").expect("it listens");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until an execution is done.
fn done(folder: &Path, id: &str) {
    let begun = Instant::now();
    loop {
        let conn = rusqlite::Connection::open(folder.join("steps.db")).expect("it opens");
        let status: String = conn
            .query_row("SELECT status FROM executions WHERE id = ?1", [id], |row| {
                row.get(0)
            })
            .expect("it is there");
        if status == "done" {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{id} is still {status}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn set_back(folder: &Path) {
    Process::start("back", folder).tells("all is done");
}

fn set_forward(folder: &Path) {
    Process::start("forward", folder).tells("all is done");
}

/// Starts a process that holds the execution `x`.
fn holder(folder: &Path) -> Process {
    let mut holder = Process::start("worker", folder);
    holder.is_up(0);
    holder.order("x");
    holder.tells("begun");
    holder
}

/// A process dies, and then the clock is set back: another one takes up what it held.
fn dead_holder(folder: &Path) {
    drop(holder(folder));
    faketime::set(folder, -3600);
    let other = Process::start("worker", folder);
    other.is_up(-3600);
    other.tells("begun");
    fs::write(folder.join("go"), "").expect("it is written");
    done(folder, "x");
}

/// The clock is set forward while a process is at a step: no other begins it beside.
fn live_holder(folder: &Path) {
    let holder = holder(folder);
    let mut other = Process::start("worker", folder);
    other.is_up(0);
    faketime::set(folder, 3600);
    // Its claims since then have come to the store in this order.
    other.order("y");
    other.tells("begun");
    thread::sleep(Duration::from_secs(1));
    assert!(!other.has_told("begun"), "the step runs in two processes");
    fs::write(folder.join("go"), "").expect("it is written");
    done(folder, "x");
    done(folder, "y");
    assert!(!other.has_told("begun") && !holder.has_told("begun"));
}

/// What a process records after the clock was set back is right for one that takes over.
fn taken_over(folder: &Path) {
    let first = holder(folder);
    faketime::set(folder, -3600);
    fs::write(folder.join("fail"), "").expect("it is written");
    let begun = Instant::now();
    loop {
        let conn = rusqlite::Connection::open(folder.join("steps.db")).expect("it opens");
        let sql = "SELECT count(*) FROM executions WHERE due_at IS NOT NULL";
        let waits: i64 = conn.query_row(sql, [], |row| row.get(0)).expect("a number");
        // It waits for a second only, and may be at the next attempt already.
        if waits > 0 || first.has_told("begun") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the step has not failed");
        thread::sleep(Duration::from_millis(5));
    }
    drop(first);
    let other = Process::start("worker", folder);
    other.is_up(-3600);
    other.tells("begun");
    fs::write(folder.join("go"), "").expect("it is written");
    done(folder, "x");
}

/// A process starts an execution, and then the clock is set back: another one runs it at once.
fn stays_due(folder: &Path) {
    let front = Process::start("front", folder);
    front.tells("started x");
    faketime::set(folder, -3600);
    let worker = Process::start("worker", folder);
    worker.is_up(-3600);
    worker.tells("begun");
    fs::write(folder.join("go"), "").expect("it is written");
    done(folder, "x");
}
