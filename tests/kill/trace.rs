//! What a process did to its files, as `strace` tells it: writes, syncs, and when each was over.

use std::{
    collections::HashMap,
    path::Path,
    process::{Command, Stdio},
};

/// One thing that a process did to a file in its folder, at the time when the call came back.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The file's name, without the folder.
    pub(crate) file: String,
    pub(crate) what: Op,
}

/// What was done to it.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// These bytes were written there.
    Write(u64, Vec<u8>),
    /// So many bytes were appended.
    Append(u64),
    Truncate(u64),
    /// What was written before the call of this number is on disk.
    Sync(usize),
    Unlink,
}

/// The command that runs another one and notes what it does to files; before its own arguments.
///
/// # Panics
///
/// Where there is no `strace`, and it can't be installed.
pub(crate) fn strace(output: &Path) -> Command {
    if !there_is_strace() {
        install();
    }
    let mut command = Command::new("strace");
    command
        .args(["-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", "70000"])
        .args([
            "-e",
            "trace=pwrite64,write,fdatasync,fsync,ftruncate,unlink",
        ])
        .args(["-e", "signal=none", "-o"])
        .arg(output);
    command
}

fn there_is_strace() -> bool {
    let mut command = Command::new("strace");
    command.arg("--version").stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn install() {
    let installed = Command::new("apt-get")
        .args(["install", "--yes", "--quiet", "strace"])
        .stdout(Stdio::null())
        .status();
    assert!(
        installed.is_ok_and(|status| status.success()) && there_is_strace(),
        "this scenario needs `strace`, to know what was synced when the power is cut: install it \
         with the system's packages (`apt-get install strace`)"
    );
}

/// Reads what `strace` wrote.
pub(crate) fn read(text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    // What a thread has begun: the call as far as it is known, and the number of calls before.
    let mut begun: HashMap<&str, (&str, usize)> = HashMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, (start, calls.len()));
            continue;
        }
        let (start, before) = match rest.strip_prefix("<... ") {
            Some(_) => match begun.remove(thread) {
                Some(begun) => begun,
                None => continue,
            },
            None => (rest, calls.len()),
        };
        let Some((_, result)) = rest.rsplit_once(" = ") else {
            continue;
        };
        let result = result.split(' ').next().and_then(|word| word.parse().ok());
        calls.extend(result.and_then(|result| call(start, before, result)));
    }
    calls
}

/// `pwrite64(8<\x2f…>, "\x37…", 32, 0) = 32`, up to where it was interrupted.
fn call(start: &str, before: usize, result: u64) -> Option<Call> {
    let (name, rest) = start.split_once('(')?;
    if name == "unlink" {
        let file = rest.strip_prefix('"')?.split('"').next()?;
        let (file, what) = (file_name(file)?, Op::Unlink);
        return Some(Call { file, what });
    }
    let (_, rest) = rest.split_once('<')?;
    let (path, rest) = rest.split_once('>')?;
    let file = file_name(path)?;
    let what = match name {
        "pwrite64" => {
            let (data, rest) = rest.strip_prefix(", \"")?.split_once('"')?;
            let mut data = bytes(data);
            data.truncate(usize::try_from(result).ok()?);
            let offset = rest.trim_start_matches(", ").split(", ").nth(1)?;
            let digits: String = offset.chars().take_while(char::is_ascii_digit).collect();
            Op::Write(digits.parse().ok()?, data)
        }
        "write" => Op::Append(result),
        "ftruncate" => {
            let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
            Op::Truncate(digits.parse().ok()?)
        }
        _ => Op::Sync(before),
    };
    Some(Call { file, what })
}

fn file_name(path: &str) -> Option<String> {
    let path = String::from_utf8(bytes(path)).ok()?;
    Some(path.rsplit_once('/')?.1.to_owned())
}

/// The bytes of `\x37\x7f`.
fn bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => 0,
    };
    text.as_bytes()
        .chunks_exact(4)
        .map(|four| 16 * digit(four[2]) + digit(four[3]))
        .collect()
}
