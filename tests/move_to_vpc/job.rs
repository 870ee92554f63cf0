//! One state file and the passes made over it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use steps_test_support::cargo;

use crate::tree::find;

pub(crate) const DONE: Option<i32> = Some(0);
pub(crate) const FAILED: Option<i32> = Some(1);
pub(crate) const BAD_INPUT: Option<i32> = Some(2);
pub(crate) const NOT_YET: Option<i32> = Some(75);

/// One state file in a folder of its own.
pub(crate) struct Job {
    _folder: TempDir,
    pub(crate) file: PathBuf,
}

/// What one pass gave.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) printed: String,
    pub(crate) complained: String,
}

impl Job {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("state.json");
        Self {
            _folder: folder,
            file,
        }
    }

    pub(crate) fn with(text: &str) -> Self {
        let job = Self::new();
        fs::write(&job.file, text).expect("the state file can be written");
        job
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = Command::new(cargo::example("move_to_vpc"))
            .arg("--state")
            .arg(&self.file)
            .args(args)
            .output()
            .expect("the example starts");
        Ran {
            status: status.code(),
            printed: String::from_utf8(stdout).expect("it prints text"),
            complained: String::from_utf8(stderr).expect("it complains in text"),
        }
    }

    /// Comes again until it is no longer told to.
    pub(crate) fn run_until_settled(&self, args: &[&str]) -> Ran {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let ran = self.run(args);
            if ran.status != NOT_YET {
                return ran;
            }
            assert!(Instant::now() < end, "still not settled: {}", ran.printed);
            thread::sleep(Duration::from_millis(200));
        }
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.file).expect("the state file can be read")
    }

    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&self.text()).expect("the state file is JSON")
    }

    pub(crate) fn node(&self, group: &str, step: &str) -> Value {
        let state = self.state();
        find(find(&state, group).expect(group), step)
            .expect(step)
            .clone()
    }
}
