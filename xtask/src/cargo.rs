//! Runs commands in the workspace's root, with errors that name the command.

use std::{
    ffi::OsStr,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use crate::Result;

/// Returns the workspace's root.
pub(crate) fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// Returns a command that runs in the root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Returns a `cargo` command with these arguments.
pub(crate) fn cargo<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut cargo = command("cargo");
    cargo.args(args);
    cargo
}

/// Runs a command and shows its output.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command
        .status()
        .map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{}: {status}", shown(command)).into())
    }
}

/// Runs a check, shows its output, and names in its error the tests that failed, which stand thousands
/// of lines above the end, and what the command said last of errors.
pub(crate) fn check(command: &mut Command) -> Result {
    checked(command, io::stdout(), io::stderr())
}

fn checked(command: &mut Command, out: impl Write, err: impl Write + Send) -> Result {
    let asked = shown(command);
    let failed = |error: io::Error| format!("{asked}: {error}");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let mut tests = Vec::new();
    let mut last_words = Vec::new();
    thread::scope(|scope| {
        let stderr = child.stderr.take().expect("it is piped");
        let stdout = child.stdout.take().expect("it is piped");
        // What cargo says last begins so, and names the programs.
        scope.spawn(|| {
            for_each_line(stderr, err, |line| {
                if line.starts_with("error") {
                    last_words.clear();
                }
                last_words.push(line.to_owned());
            });
        });
        for_each_line(stdout, out, |line| {
            if is_failed_test(line) {
                tests.push(line.to_owned());
            }
        });
    });
    let status = child.wait().map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    let from = last_words.len().saturating_sub(20);
    tests.extend(last_words.drain(from..));
    Err(format!("{asked}: {status}\n{}", tests.join("\n")).into())
}

/// Returns whether a line is that of a test that failed.
fn is_failed_test(line: &str) -> bool {
    line.starts_with("test ") && line.contains(" ... FAILED")
}

/// Passes on what is read, and shows it line by line.
fn for_each_line(from: impl Read, mut to: impl Write, mut read: impl FnMut(&str)) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    // Not by `lines`: what a test prints need not be text.
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Who no longer reads it is not waited for.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        read(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

/// Runs a command and returns its output. Its stderr is shown only if it fails.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", shown(command)))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}\n{stderr}", shown(command), output.status).into())
}

fn shown(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_named_at_the_end() {
        let script = "echo 'test a::b ... ok'; echo 'test a::c ... FAILED (1.2s)'; \
                      echo 'error: 1 of cargo' >&2; echo '    `-p a --test b`' >&2; exit 101";
        let mut shell = command("sh");
        let error = checked(shell.args(["-c", script]), io::sink(), io::sink());
        let error = error.unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "test a::c ... FAILED (1.2s)",
                "error: 1 of cargo",
                "    `-p a --test b`"
            ]
        );
    }

    #[test]
    fn what_is_no_text_stops_nothing() {
        let mut shell = command("sh");
        let mut out = Vec::new();
        shell.args(["-c", r"printf '\377\nend'"]);
        checked(&mut shell, &mut out, io::sink()).unwrap();
        assert_eq!(out, b"\xff\nend");
    }
}
