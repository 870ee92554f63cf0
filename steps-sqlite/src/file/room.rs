//! Whether the log leaves room on the disk: on a small one it is copied into the database early, as it
//! could not be any more once nothing is free.

use std::path::Path;

/// A log smaller than this is left alone, in bytes.
const SMALL: u64 = 256 << 10;

/// The size of the log and what is free beside it, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) log: u64,
    pub(crate) free: u64,
}

impl Room {
    /// Returns whether the log should be copied now. The database may grow by all of it, and what is
    /// written meanwhile needs room, too.
    pub(crate) fn is_scarce(self) -> bool {
        self.log >= SMALL && self.free < 2 * self.log
    }
}

/// Returns the room of this log; `None` where it can't be known.
#[cfg(target_os = "linux")]
pub(crate) fn of(log: &Path) -> Option<Room> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statvfs, statx};

    let disk = statvfs(log).ok()?;
    // The size only: see `identity`.
    let found = statx(CWD, log, AtFlags::empty(), StatxFlags::SIZE).ok()?;
    Some(Room {
        log: found.stx_size,
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
    })
}

/// Returns the room of this log; `None` where it can't be known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_log: &Path) -> Option<Room> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_copied_before_the_disk_is_full_and_not_while_it_is_small() {
        let scarce = |log, free| Room { log, free }.is_scarce();
        assert!(!scarce(SMALL - 1, 0));
        assert!(scarce(SMALL, 2 * SMALL - 1));
        assert!(!scarce(SMALL, 2 * SMALL));
        assert!(!scarce(16 << 20, 1 << 30));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn it_is_read_from_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("steps.db-wal");
        assert!(of(&log).is_none());
        std::fs::write(&log, [0; 5000]).unwrap();
        let room = of(&log).unwrap();
        assert_eq!(room.log, 5000);
        assert!(room.free > 0);
    }
}
