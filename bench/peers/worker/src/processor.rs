//! The processor time of a database's server: of all its processes together.

use std::{fs, time::Duration};

use nix::unistd::{SysconfVar, sysconf};

use crate::Result;

/// What the server's process, those that it has started, and those of them that have ended took so far.
pub(crate) fn time_of(server: u32) -> Result<Duration> {
    let ticks_per_second = sysconf(SysconfVar::CLK_TCK)?
        .and_then(|ticks| u64::try_from(ticks).ok())
        .filter(|ticks| *ticks > 0)
        .ok_or("the system does not say how long a tick of its processor times is")?;
    let mut ticks = 0;
    let mut is_there = false;
    for entry in fs::read_dir("/proc")? {
        let Some(process) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // One that has just ended is in its parent's time.
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else {
            continue;
        };
        let stat = Stat::parsed(&stat).ok_or_else(|| format!("/proc/{process}/stat: {stat}"))?;
        if process == server || stat.parent == server {
            is_there |= process == server;
            ticks += stat.ticks;
        }
    }
    if !is_there {
        return Err(format!("there is no process {server}, which is to be the server").into());
    }
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(ticks_per_second);
    Ok(Duration::from_nanos(u64::try_from(nanoseconds)?))
}

/// Of a line of `/proc/PID/stat`, see `proc_pid_stat(5)`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Its own, and those of children that it has waited for.
    ticks: u64,
}

impl Stat {
    fn parsed(line: &str) -> Option<Self> {
        // The second field is a name in parentheses, which may hold anything.
        let (_, after) = line.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let parent = fields.get(1)?.parse().ok()?;
        let times = fields.get(11..15)?.iter();
        let times = times.map(|ticks| ticks.parse::<u64>().ok());
        Some(Self {
            parent,
            ticks: times.sum::<Option<u64>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Stat, time_of};

    #[test]
    fn a_name_may_hold_anything() {
        let line = "7 (a) b (c) S 5 7 7 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 99 0 0";
        let stat = Stat {
            parent: 5,
            ticks: 100,
        };
        assert_eq!(Stat::parsed(line), Some(stat));
        assert_eq!(Stat::parsed("7 a S 5"), None);
    }

    #[test]
    fn this_process_is_there() {
        time_of(std::process::id()).unwrap();
        time_of(u32::MAX).unwrap_err();
    }
}
