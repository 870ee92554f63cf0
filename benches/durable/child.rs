//! This program again, as a separate process that is traced, killed, or measured alone.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tokio::runtime::Runtime;

use crate::{Result, drive::Place, idle, syncs, takeup};

const CHILD: &str = "--child";

/// Returns a command that runs this program as a child: its task, its file, and its counts.
pub(crate) fn command(what: &str, file: &Path, counts: [u64; 2]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments(what, file, counts));
    Ok(command)
}

/// Returns the arguments of that command.
pub(crate) fn arguments(what: &str, file: &Path, counts: [u64; 2]) -> Vec<std::ffi::OsString> {
    let [first, second] = counts.map(|count| count.to_string());
    vec![
        CHILD.into(),
        what.into(),
        file.into(),
        first.into(),
        second.into(),
    ]
}

/// Runs the child's task, if this process is a child.
pub(crate) fn run(args: &[String]) -> Option<Result> {
    let [child, what, file, first, second] = args else {
        return None;
    };
    if child != CHILD {
        return None;
    }
    let file = PathBuf::from(file);
    Some((|| {
        let counts = [first.parse()?, second.parse()?];
        let runtime = Runtime::new()?;
        match what.as_str() {
            syncs::CHILD => runtime.block_on(syncs::child(Place::Full(&file), counts)),
            syncs::IN_MEMORY => runtime.block_on(syncs::child(Place::Memory, counts)),
            takeup::CHILD => runtime.block_on(takeup::child(&file, counts)),
            idle::FILL => runtime.block_on(idle::fill(&file, counts)),
            idle::REST => runtime.block_on(idle::rest(&file, counts)),
            other => Err(format!("no child does {other}").into()),
        }
    })())
}
