//! Whether the file at the path is still the one that was opened.
//!
//! SQLite goes on writing to a file that was deleted or replaced, and says that all is well. Rows
//! written then are lost, so the store looks before and after each commit.

use std::path::{Path, PathBuf};

use steps_core::store::StoreError;

use crate::error::gone;

/// The database and its write-ahead log, as they were when they were opened.
#[derive(Clone, Debug)]
pub(crate) struct File {
    path: PathBuf,
    log: PathBuf,
    database: Option<Identity>,
    written: Option<Identity>,
}

impl File {
    /// Looks at a database that is open, and whose log therefore exists.
    pub(crate) fn open(path: PathBuf) -> Self {
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        Self {
            database: identity(&path),
            written: identity(&log),
            path,
            log,
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// An error where it is not what was opened.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path) != self.database {
            return Err(gone(
                &self.path,
                "the file was deleted, moved or replaced by another",
            ));
        }
        if identity(&self.log) != self.written {
            return Err(gone(
                &self.path,
                "its write-ahead log (`-wal`) was deleted, moved or replaced",
            ));
        }
        Ok(())
    }
}

/// Device and inode.
#[cfg(unix)]
type Identity = (u64, u64);

/// Asks for nothing but the inode. A Linux from 6.13 on keeps a file's times finer once they were
/// asked for, so that each sync would have to write them, too: half as long again, as measured.
#[cfg(target_os = "linux")]
fn identity(path: &Path) -> Option<Identity> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Some((
            makedev(found.stx_dev_major, found.stx_dev_minor),
            found.stx_ino,
        )),
        // Some sandboxes have no such call.
        Err(rustix::io::Errno::NOSYS) => by_metadata(path),
        Err(_) => None,
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn identity(path: &Path) -> Option<Identity> {
    by_metadata(path)
}

#[cfg(unix)]
fn by_metadata(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Elsewhere an open file can't be deleted.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    path.exists().then_some(())
}
