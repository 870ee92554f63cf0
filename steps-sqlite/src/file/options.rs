//! How a file is opened: the settings, their defaults and bounds. Reading them from a URL is left
//! to `url`, applying them to `connect`, and opening the store to `store`.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use steps_core::clock::TestClock;

use super::{
    clock::Clock,
    room::{self, Room},
};

/// Whether an acknowledged write survives a crash of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Synchronous {
    /// It does: each commit is synced to the disk before its callers are answered. The default.
    #[default]
    Full,
    /// It may not: the log is synced only when it is copied into the database. A crash of the
    /// *process* loses nothing. A crash of the *machine*, or a power cut, loses the last commits,
    /// which may be many seconds' worth: executions continue from an earlier step, and steps that
    /// were already recorded as done run again. The file itself stays intact.
    Normal,
}

impl Synchronous {
    /// SQLite's number for it.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Full => 2,
            Self::Normal => 1,
        }
    }
}

/// A file, and the settings to open it with.
///
/// ```
/// # use std::time::Duration;
/// use steps_sqlite::{SqliteOptions, Synchronous};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("steps.db");
/// let store = SqliteOptions::new(path)
///     .synchronous(Synchronous::Normal)
///     .busy_timeout(Duration::from_secs(10))
///     .open()
///     .await?;
///
/// let same = SqliteOptions::from_url("sqlite:steps.db?synchronous=normal&busy_timeout=10s")?;
/// assert_eq!(same.path().to_str(), Some("steps.db"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is opened until `open` is awaited"]
pub struct SqliteOptions {
    pub(crate) path: PathBuf,
    pub(crate) synchronous: Synchronous,
    pub(crate) busy_timeout: Duration,
    pub(crate) checkpoint: u32,
    pub(crate) readers: usize,
    pub(crate) max_pages: Option<u32>,
    pub(crate) clock: Clock,
    /// How the room on the disk is found out.
    pub(crate) room: fn(&Path) -> Option<Room>,
}

impl SqliteOptions {
    /// A file with the default settings. Opening creates the file if there is none, but not its
    /// folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
            checkpoint: 4000,
            readers: 2,
            max_pages: None,
            clock: Clock::default(),
            room: room::of,
        }
    }

    /// Whether acknowledged writes survive a crash of the machine. By default they do:
    /// [`Synchronous::Full`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// How long a call waits for another process that has the file locked, before it fails with
    /// [`ErrorKind::Busy`](steps_core::store::ErrorKind::Busy). By default 5 seconds; at most 24
    /// days.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// After how many pages of 4 KiB the write-ahead log is copied into the database. By default
    /// 4,000, so the log has about 16 MiB. A larger number means fewer but longer pauses. At least
    /// 1. On Linux it is copied earlier where less than twice its size is free on the disk.
    pub fn checkpoint(mut self, pages: u32) -> Self {
        self.checkpoint = pages.max(1);
        self
    }

    /// How many connections read lists and counts at most, each on a thread of its own, and as many
    /// again what is asked of one execution, which so never waits for a list. They are opened when
    /// they are needed. By default 2; at least 1.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How large the database may become, in pages of 4 KiB. A write that would make it larger
    /// fails with [`ErrorKind::Full`](steps_core::store::ErrorKind::Full). By default only the disk
    /// bounds it.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// For tests: the clock to use.
    pub fn clock(mut self, clock: Arc<dyn TestClock>) -> Self {
        self.clock = Clock::test(clock);
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("synchronous", &self.synchronous)
            .field("busy_timeout", &self.busy_timeout)
            .field("checkpoint", &self.checkpoint)
            .field("readers", &self.readers)
            .field("max_pages", &self.max_pages)
            .finish_non_exhaustive()
    }
}
