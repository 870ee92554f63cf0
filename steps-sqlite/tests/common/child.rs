//! Runs a part of a test in a process of its own, which may be killed, or whose system calls may be
//! made to fail.

use std::{
    env,
    io::{BufRead, BufReader, Lines},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

/// Where a child finds its database.
const FOLDER: &str = "STEPS_SQLITE_TEST_FOLDER";

/// In a child: the folder it was given. `None` where the test is run by itself.
pub fn folder() -> Option<std::path::PathBuf> {
    env::var_os(FOLDER).map(Into::into)
}

/// A process that runs one ignored test of this file.
pub struct Process {
    pub child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// The next line that the child's test has written after `> `. `None` at the end.
    pub fn line(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.expect("a line");
            // libtest may have written on the same line before it.
            if let Some((_, told)) = line.split_once("> ") {
                return Some(told.to_owned());
            }
        }
    }

    /// All further lines, until it ends.
    pub fn rest(&mut self) -> Vec<String> {
        let lines = std::iter::from_fn(|| self.line()).collect();
        self.child.wait().expect("it has ended");
        lines
    }
}

/// Starts a test without faults.
pub fn start(test: &str, folder: &TempDir) -> Process {
    let command = Command::new(env::current_exe().expect("this program"));
    run(command, test, folder)
}

/// Starts a test whose system calls fail: `faults` are expressions of `strace -e inject=…`.
pub fn start_injected(test: &str, folder: &TempDir, faults: &[&str]) -> Process {
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync,fdatasync,pwrite64",
    ]);
    for fault in faults {
        command.args(["-e", &format!("inject={fault}")]);
    }
    command.arg(env::current_exe().expect("this program"));
    run(command, test, folder)
}

/// Starts a test as a user that is not root, so that permissions are checked.
pub fn start_as_anybody(test: &str, folder: &TempDir) -> Process {
    let program = env::current_exe().expect("this program");
    let is_root = std::fs::metadata(folder.path()).expect("a folder").uid() == 0;
    if !is_root {
        return run(Command::new(program), test, folder);
    }
    // The program may be in a folder that only root can read.
    let copy = folder.path().join("program");
    std::fs::copy(program, &copy).expect("a copy");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let mut command = Command::new(copy);
    command.uid(65534).gid(65534);
    run(command, test, folder)
}

fn run(mut command: Command, test: &str, folder: &TempDir) -> Process {
    command
        .args([
            test,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped());
    let name = command.get_program().to_owned();
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!(
            "{} can't be started ({error}); this test needs it",
            Path::new(&name).display()
        )
    });
    let stdout = child.stdout.take().expect("its output");
    Process {
        child,
        lines: BufReader::new(stdout).lines(),
    }
}
