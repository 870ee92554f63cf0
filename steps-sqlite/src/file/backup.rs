//! A copy of the file while it is in use, by SQLite's own backup: one moment of all tables, with what
//! is still in the log.

use std::{fs, io, path::Path};

use rusqlite::{Connection, OpenFlags, backup::Backup};
use steps_core::store::{ErrorKind, StoreError};

use super::{connect, identity::FileIdentity, options::SqliteOptions};
use crate::error::{Fail, Result};

/// Copies the database to a new file. Until the copy is whole and synced, it has another name:
/// `.part` is added to it.
pub(crate) fn backup(
    file: &FileIdentity,
    options: &SqliteOptions,
    to: &Path,
) -> Result<(), StoreError> {
    file.check()?;
    let to = std::path::absolute(to).map_err(|error| io_error(to, error))?;
    let mut part = to.clone().into_os_string();
    part.push(".part");
    let part = Path::new(&part);
    let exists = to.try_exists().map_err(|error| io_error(&to, error))?;
    if exists {
        return Err(StoreError::new(
            ErrorKind::Rejected,
            format!(
                "{}: there is a file already: name one that does not exist",
                to.display()
            ),
        ));
    }
    match fs::remove_file(part) {
        // What an earlier backup left, as its process ended.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(io_error(part, error)),
    }
    let source = connect::reader(file.path(), options)?;
    let copied = copy(&source, part).map_err(|fail| fail.of(part));
    let named = copied.and_then(|()| rename(part, &to).map_err(|error| io_error(&to, error)));
    if named.is_err() {
        // The first error is the one to return.
        drop(fs::remove_file(part));
    }
    named
}

fn copy(source: &Connection, part: &Path) -> Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(part, flags)?;
    // All pages in one step, which sees one moment: in several, each write of this process or of
    // another one in between would make it begin again. It holds up nobody, as the file has a log.
    let progress = Backup::new(source, &mut target)?.step(-1)?;
    if !matches!(progress, rusqlite::backup::StepResult::Done) {
        return Err(Fail::new(
            ErrorKind::Busy,
            format!("{}: locked by another process, try again", part.display()),
        ));
    }
    // The copy is one file, without a log of its own.
    target.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Gives the copy its name, and syncs the folder, so that it keeps it.
fn rename(part: &Path, to: &Path) -> io::Result<()> {
    fs::File::open(part)?.sync_all()?;
    fs::rename(part, to)?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn io_error(path: &Path, error: io::Error) -> StoreError {
    let message = format!("{}: it can't be written: {error}", path.display());
    StoreError::new(ErrorKind::Io, message).with_source(error)
}
