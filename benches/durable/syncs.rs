//! How often the disk is asked to sync, counted with strace.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Bench, Result, child,
    drive::{Drivers, Place, engine_without_polls},
    table::{Aim, Row, Table},
};

pub(crate) const CHILD: &str = "syncs";
/// The same executions in memory, without a file.
pub(crate) const IN_MEMORY: &str = "memory";

/// The number of steps of one execution.
const STEPS: u64 = 10;

pub(crate) fn rows(bench: &Bench, table: &mut Table) -> Result {
    let works = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    for (at_once, few, many, most) in [(1, 10, 110, 1.1), (64, 640, 3840, 0.05)] {
        let what = format!("syncs a step, {at_once} at a time");
        if works.is_err() {
            table.absent(&what, "there is no strace: `apt install strace`");
            continue;
        }
        let many = bench.size.pick(many, few + (many - few) / 4);
        let counted = |executions| count(bench, at_once, executions);
        // The difference excludes the opening and closing of the file.
        let syncs = counted(many)?.saturating_sub(counted(few)?);
        let a_step = syncs as f64 / ((many - few) * STEPS) as f64;
        if syncs == 0 {
            return Err("strace saw no sync".into());
        }
        table.row(Row::new(what, format!("{a_step:.3}")).aim(a_step, Aim::AtMost(most), ""));
    }
    Ok(())
}

/// Returns the syncs of a process that runs this many executions.
fn count(bench: &Bench, at_once: u64, executions: u64) -> Result<u64> {
    let file = bench.disk.file(&format!("syncs-{at_once}-{executions}.db"));
    let counts = bench.disk.file("syncs.txt");
    let status = Command::new("strace")
        // Only these calls stop the process, so that it otherwise runs at its normal speed.
        .args([
            "-f",
            "--seccomp-bpf",
            "-c",
            "-e",
            "trace=fdatasync,fsync",
            "-o",
        ])
        .arg(&counts)
        .arg(std::env::current_exe()?)
        .args(child::arguments(CHILD, &file, [at_once, executions]))
        .status()?;
    if !status.success() {
        return Err(format!("strace, or the process it traced: {status}").into());
    }
    // The columns: share, seconds, µs per call, calls, errors if there are any, name.
    let counts = std::fs::read_to_string(counts)?;
    let lines = counts.lines().filter(|line| line.ends_with("sync"));
    let calls = lines.map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    let calls: Option<Vec<u64>> = calls.collect();
    Ok(calls.ok_or("strace's table has changed")?.iter().sum())
}

/// Runs this many executions of ten steps.
pub(crate) async fn child(place: Place<'_>, [at_once, executions]: [u64; 2]) -> Result {
    let at_once = usize::try_from(at_once)?;
    let engine = engine_without_polls(place, 64).await?;
    let ended = Drivers::start(&engine, at_once, executions).end().await?;
    if ended != executions {
        return Err(format!("{ended} of {executions} executions").into());
    }
    engine.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}
