//! The memory and processor time of a process, from the system.

use std::fs;

use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;

/// Returns the processor time of this process in all its threads, in seconds.
pub(crate) fn cpu() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok((micros[0] + micros[1]) as f64 / 1e6)
}

/// Returns the memory of this process, in bytes.
pub(crate) fn memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.ok_or("no VmRSS in /proc/self/status")?.parse()?;
    Ok(kib * 1024.0)
}
