//! The clocks that the store compares times with: the wall clock, and for leases the time since the
//! machine was started, which nobody can set, and which all processes of the machine share. They are
//! set with the file's options, as a test may bring its own.

use std::{
    any::Any,
    sync::{Arc, LazyLock},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::Connection;
use steps_core::clock::{Apart, TestClock};

use crate::{
    error::Result,
    row::nanos::{clamped, nanos},
};

/// What the clocks showed at once, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The wall clock, since 1970.
    pub(crate) wall: i64,
    /// The time since the machine was started; `None` where the system does not tell it.
    pub(crate) boot: Option<i64>,
    /// The wall clock at the start of the machine, if nobody had set it since.
    started: i64,
}

/// From when on an execution may be claimed, as its row has it: one of the two times, or neither if
/// it may not be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    /// By the wall clock.
    pub(crate) due_at: Option<i64>,
    /// By the time since the machine was started.
    pub(crate) free_at: Option<i64>,
}

impl Now {
    #[cfg(test)]
    pub(crate) fn of(wall: i64, boot: i64) -> Self {
        Self {
            wall,
            boot: Some(boot),
            started: wall - boot,
        }
    }

    /// Returns the moment that is this much later, such as the end of a lease.
    pub(crate) fn after(self, span: Duration) -> Turn {
        let later = |now: i64| now.saturating_add(nanos(span));
        match self.boot {
            Some(boot) => Turn {
                due_at: None,
                free_at: Some(later(boot)),
            },
            None => Turn::at(later(self.wall)),
        }
    }

    /// Returns the time of a moment since the start of the machine by the wall clock.
    pub(crate) fn wall_at(self, boot: i64) -> i64 {
        self.started.saturating_add(boot)
    }
}

impl Turn {
    /// Once the wall clock shows this time.
    pub(crate) fn at(time: i64) -> Self {
        Self {
            due_at: Some(time),
            free_at: None,
        }
    }

    /// Returns whether it may be claimed.
    pub(crate) fn has_come(self, now: Now) -> bool {
        self.due_at.is_some_and(|due| due <= now.wall)
            || (self.free_at.zip(now.boot)).is_some_and(|(free, boot)| free <= boot)
    }

    /// Returns the time, by the wall clock.
    pub(crate) fn time(self, now: Now) -> Option<i64> {
        self.due_at
            .or_else(|| self.free_at.map(|free| now.wall_at(free)))
    }
}

/// The system's clocks, or those of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    test: Option<(Arc<dyn TestClock>, Arc<Apart>)>,
}

/// How far the system's two clocks are apart.
static SYSTEM: Apart = Apart::new();

/// The start of the machine, as the system names it.
static BOOT: LazyLock<Option<String>> = LazyLock::new(system::boot);

impl Clock {
    pub(crate) fn test(clock: Arc<dyn TestClock>) -> Self {
        Self {
            test: Some((clock, Arc::default())),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let (wall, boot, apart) = match &self.test {
            Some((clock, apart)) => (clock.now(), Some(nanos(clock.elapsed())), &**apart),
            None => {
                let boot = BOOT.is_some().then(system::since_boot).flatten();
                (Timestamp::now(), boot, &SYSTEM)
            }
        };
        let wall = clamped(wall);
        Now {
            wall,
            boot,
            started: boot.map_or(wall, |boot| apart.of(wall, boot)),
        }
    }

    /// Keeps a test's clock from jumping until the guard is dropped.
    pub(crate) fn hold(&self) -> Option<Box<dyn Any + Send + Sync>> {
        self.test.as_ref().map(|(clock, _)| clock.hold())
    }

    /// Returns the name of the machine's start, which no other start has. Empty where the system
    /// gives it none, so leases go by the wall clock.
    pub(crate) fn boot(&self) -> &str {
        match &self.test {
            Some(_) => "a test",
            None => BOOT.as_deref().unwrap_or_default(),
        }
    }
}

/// Returns whether the times in the file count from this start of the machine.
pub(crate) fn is_of_boot(conn: &Connection, boot: &str) -> Result<bool> {
    let known: String = conn.query_row("SELECT id FROM boot", [], |row| row.get(0))?;
    Ok(known == boot)
}

/// Frees all executions that were held, or due, when the machine was started another time: nobody
/// holds them any more, and the times of that start say nothing now.
pub(crate) fn enter_boot(conn: &Connection, boot: &str) -> Result<()> {
    if !is_of_boot(conn, boot)? {
        conn.execute("UPDATE boot SET id = ?1", [boot])?;
        let free = "UPDATE executions SET due_at = 0, free_at = NULL WHERE free_at IS NOT NULL";
        conn.execute(free, [])?;
    }
    Ok(())
}

/// Linux: the clock that stands still while the machine is suspended, as do the processes that hold
/// leases. So waking up ends none.
#[cfg(target_os = "linux")]
mod system {
    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn boot() -> Option<String> {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let id = id.trim();
        (!id.is_empty()).then(|| id.to_owned())
    }

    pub(super) fn since_boot() -> Option<i64> {
        let time = clock_gettime(ClockId::Monotonic);
        let seconds = time.tv_sec.checked_mul(1_000_000_000)?;
        seconds.checked_add(time.tv_nsec)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn boot() -> Option<String> {
        None
    }

    pub(super) fn since_boot() -> Option<i64> {
        None
    }
}

#[cfg(test)]
mod tests;
