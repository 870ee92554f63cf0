//! Worker processes with clocks of their own.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use steps_test_support::faketime;
use tempfile::TempDir;

use crate::child::CHILD;

/// How long something may take that takes seconds on an idle machine: much less than the hour by which clocks are wrong.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// By how much times may differ that are the same: less than the hour, and more than a slow machine takes.
pub(crate) const ABOUT: SignedDuration = SignedDuration::from_mins(10);

/// A process, which is killed with the value.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// What it has told that nobody has asked for yet.
    told: Vec<String>,
    /// The file with its clock's offset.
    _clock: TempDir,
}

impl Process {
    /// Starts one whose clock is so many seconds off, and waits until it is up.
    pub(crate) fn start(url: &str, folder: &Path, off: i64) -> Self {
        let clock = tempfile::tempdir().expect("a temporary folder");
        faketime::set(clock.path(), off);
        let program = std::env::current_exe().expect("this program");
        let mut child = faketime::command(program, clock.path())
            .args([CHILD, url])
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
        let mut process = Self {
            child,
            lines,
            told: Vec::new(),
            _clock: clock,
        };
        let up = process.wait_for(|line| line.starts_with("up at "));
        let shown: Timestamp = up["up at ".len()..].parse().expect("a time");
        let truth = Timestamp::now() + SignedDuration::from_secs(off);
        let differs = shown.duration_since(truth).abs();
        assert!(differs < ABOUT, "its clock is not off by {off} s: {shown}");
        process
    }

    /// Returns the first line of this kind, which may have been told before.
    fn wait_for(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.told.iter().position(|line| is_it(line)) {
                return self.told.remove(at);
            }
            match self.lines.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => self.told.push(line),
                Err(RecvTimeoutError::Timeout) if begun.elapsed() < PATIENCE => {}
                Err(error) => panic!("waited for a line: {error}; it has told {:?}", self.told),
            }
        }
    }

    /// Waits until it has told this.
    pub(crate) fn tells(&mut self, line: &str) {
        self.wait_for(|told| told == line);
    }

    /// Whether it has told this by now.
    pub(crate) fn has_told(&mut self, line: &str) -> bool {
        self.told.extend(self.lines.try_iter());
        self.told.iter().any(|told| told == line)
    }

    /// Gives it an order, and waits until that is done.
    pub(crate) fn does(&mut self, order: &str) {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{order}").expect("it listens");
        self.tells(&format!("did {order}"));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
