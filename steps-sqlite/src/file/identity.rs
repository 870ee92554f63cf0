//! Whether the file at the path is still the one that was opened.
//!
//! SQLite goes on writing to a file that was deleted or replaced, without an error, and rows
//! written from then on are lost. So the store checks after each commit, before it answers.

use std::path::{Path, PathBuf};

use steps_core::store::StoreError;

use crate::error::gone;

/// The paths of the database and its write-ahead log, and which files were there when it was
/// opened.
#[derive(Clone, Debug)]
pub(crate) struct FileIdentity {
    path: PathBuf,
    log_path: PathBuf,
    database: Option<Inode>,
    log: Option<Inode>,
}

impl FileIdentity {
    /// The identity of a database that is open, so that its log exists.
    pub(crate) fn of(path: PathBuf) -> Self {
        let mut log_path = path.clone().into_os_string();
        log_path.push("-wal");
        let log_path = PathBuf::from(log_path);
        Self {
            database: inode(&path),
            log: inode(&log_path),
            path,
            log_path,
        }
    }

    /// The database's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of its write-ahead log.
    pub(crate) fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// Returns an error if another file is at one of the paths now, or none.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if inode(&self.path) != self.database {
            return Err(gone(
                &self.path,
                "the file was deleted, moved or replaced by another",
            ));
        }
        if inode(&self.log_path) != self.log {
            return Err(gone(
                &self.path,
                "its write-ahead log (`-wal`) was deleted, moved or replaced",
            ));
        }
        Ok(())
    }
}

/// Device and inode number, which identify a file.
#[cfg(unix)]
type Inode = (u64, u64);

/// Asks for the inode number only. Since Linux 6.13, asking for a file's times makes the system
/// keep them more precisely, and then each sync has to write them, too: measured, it takes half as
/// long again.
#[cfg(target_os = "linux")]
fn inode(path: &Path) -> Option<Inode> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Some((
            makedev(found.stx_dev_major, found.stx_dev_minor),
            found.stx_ino,
        )),
        // Some sandboxes do not have this system call.
        Err(rustix::io::Errno::NOSYS) => by_metadata(path),
        Err(_) => None,
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn inode(path: &Path) -> Option<Inode> {
    by_metadata(path)
}

#[cfg(unix)]
fn by_metadata(path: &Path) -> Option<Inode> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// On other systems an open file can't be deleted, so it is only checked that it exists.
#[cfg(not(unix))]
type Inode = ();

#[cfg(not(unix))]
fn inode(path: &Path) -> Option<Inode> {
    path.exists().then_some(())
}
