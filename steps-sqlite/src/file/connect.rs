//! Opening connections, and checking that SQLite has taken each setting. The settings themselves,
//! and their defaults, are in `options`.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use steps_core::store::{ErrorKind, StoreError};

use super::{
    functions,
    identity::FileIdentity,
    options::{SqliteOptions, Synchronous},
    schema,
};
use crate::error::{Fail, Result};

/// How many compiled statements each connection keeps.
const STATEMENTS: usize = 64;

/// SQLite's number for `auto_vacuum`: free pages stay in the file until they are asked to go.
pub(crate) const INCREMENTAL: i64 = 2;

/// Opens the connection that writes, and brings the tables up to date.
pub(crate) fn writer(options: &SqliteOptions) -> Result<(Connection, FileIdentity), StoreError> {
    let path = std::path::absolute(&options.path).unwrap_or_else(|_| options.path.clone());
    let opened = open_writer(&path, options).map_err(|fail| fail.of(&path))?;
    // The target of a symbolic link: if the link is changed, this is another file.
    let path = path.canonicalize().unwrap_or(path);
    Ok((opened, FileIdentity::of(path)))
}

fn open_writer(path: &Path, options: &SqliteOptions) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = open(path, flags, options)?;
    // Where it may not write, SQLite opens the file for reading only, without an error.
    if conn.is_readonly("main")? {
        return Err(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY).into());
    }
    // Before anything is changed: the file may be another program's.
    if schema::version(&conn)? == 0 {
        // So that what deletions free can be given back: only before there is anything in the file.
        conn.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    }
    write_ahead(&conn, options.busy_timeout)?;
    set(&conn, "synchronous", options.synchronous.number())?;
    if options.synchronous == Synchronous::Full {
        // Without these, what was synced may still be in the drive's own cache on macOS.
        set(&conn, "fullfsync", 1)?;
        set(&conn, "checkpoint_fullfsync", 1)?;
    }
    set(&conn, "wal_autocheckpoint", i64::from(options.checkpoint))?;
    set(&conn, "journal_size_limit", log_limit(options.checkpoint))?;
    if let Some(pages) = options.max_pages {
        set(&conn, "max_page_count", i64::from(pages))?;
    }
    schema::upgrade(&conn, options.clock.boot())?;
    try_to_write(&conn)?;
    Ok(conn)
}

/// Checks that the write-ahead log can be written: it has permissions of its own.
fn try_to_write(conn: &Connection) -> Result<()> {
    match conn.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
        // Another process is writing, so it can be written.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        tried => Ok(tried?),
    }
}

/// Writes the whole file anew, without free pages, and as a new one would be.
pub(crate) fn compact(file: &FileIdentity, options: &SqliteOptions) -> Result<(), StoreError> {
    file.check()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let compact = || -> Result<()> {
        let conn = open(file.path(), flags, options)?;
        conn.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
        conn.execute_batch("VACUUM")?;
        // While somebody reads, the next checkpoint cuts the file.
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    };
    compact().map_err(|fail| fail.of(file.path()))
}

/// Opens a connection that reads.
pub(crate) fn reader(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, options).map_err(|fail| fail.of(path))
}

fn open(path: &Path, flags: OpenFlags, options: &SqliteOptions) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags)?;
    functions::add(&conn)?;
    let timeout = millis(options.busy_timeout);
    conn.busy_timeout(
        options
            .busy_timeout
            .min(Duration::from_millis(timeout.unsigned_abs())),
    )?;
    check(&conn, "busy_timeout", &timeout.to_string())?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

/// The milliseconds of a timeout, or the most that SQLite can wait.
fn millis(timeout: Duration) -> i64 {
    i64::try_from(timeout.as_millis())
        .unwrap_or(i64::MAX)
        .min(i64::from(i32::MAX))
}

/// To how many bytes the log's file is cut after a checkpoint. Up to this size it is kept and
/// written over, as that syncs faster than a file that grows; what it has grown beyond it, while a
/// long read kept it from being copied, is given back to the file system.
fn log_limit(checkpoint: u32) -> i64 {
    (2 * 4096 * i64::from(checkpoint)).max(64 << 20)
}

/// Turns on write-ahead logging. SQLite ignores the busy timeout here, so this waits itself.
fn write_ahead(conn: &Connection, timeout: Duration) -> Result<()> {
    let begun = Instant::now();
    loop {
        match conn
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))
        {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < timeout =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error.into()),
            Ok(_) => return check(conn, "journal_mode", "wal"),
        }
    }
}

fn set(conn: &Connection, setting: &str, value: i64) -> Result<()> {
    // Some settings return a row, others don't.
    conn.pragma(None, setting, value, |_| Ok(()))?;
    check(conn, setting, &value.to_string())
}

/// Reads a setting back, and returns an error if it is not the wanted one.
fn check(conn: &Connection, setting: &str, wanted: &str) -> Result<()> {
    let found = conn.pragma_query_value(None, setting, |row| {
        row.get_ref(0).map(|value| match value {
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => other.as_str().unwrap_or("?").to_owned(),
        })
    })?;
    if found == wanted {
        return Ok(());
    }
    Err(Fail::new(
        ErrorKind::Other,
        format!(
            "{}: SQLite did not take the setting `{setting}`: it should be {wanted} and is {found}. \
             The file system may not be able to do it (a network share can't share memory): put \
             the file on a local disk",
            conn.path().unwrap_or_default()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(conn: &Connection, setting: &str) -> String {
        let value =
            conn.pragma_query_value(None, setting, |row| row.get::<_, rusqlite::types::Value>(0));
        match value.unwrap() {
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_database_has_what_was_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.db");
        let (conn, _) = writer(&SqliteOptions::new(&path)).unwrap();
        for (setting, wanted) in [
            ("journal_mode", "wal"),
            ("synchronous", "Integer(2)"),
            ("fullfsync", "Integer(1)"),
            ("checkpoint_fullfsync", "Integer(1)"),
            ("busy_timeout", "Integer(5000)"),
            ("wal_autocheckpoint", "Integer(4000)"),
            ("journal_size_limit", "Integer(67108864)"),
            ("page_size", "Integer(4096)"),
            ("auto_vacuum", "Integer(2)"),
            ("application_id", "Integer(1398031696)"),
            ("user_version", "Integer(11)"),
        ] {
            assert_eq!(value(&conn, setting), wanted, "{setting}");
        }
        drop(conn);
        let options = SqliteOptions::new(&path)
            .synchronous(Synchronous::Normal)
            .busy_timeout(Duration::MAX)
            .checkpoint(u32::MAX / 2)
            .max_pages(1000);
        let (conn, file) = writer(&options).unwrap();
        for (setting, wanted) in [
            ("synchronous", "Integer(1)"),
            ("busy_timeout", "Integer(2147483647)"),
            ("wal_autocheckpoint", "Integer(2147483647)"),
            ("max_page_count", "Integer(1000)"),
        ] {
            assert_eq!(value(&conn, setting), wanted, "{setting}");
        }
        let conn = reader(file.path(), &options).unwrap();
        assert!(conn.is_readonly("main").unwrap());
    }

    #[test]
    fn what_sqlite_ignores_is_an_error() {
        let conn = Connection::open_in_memory().unwrap();
        let error = write_ahead(&conn, Duration::ZERO).unwrap_err();
        let error = error.of(Path::new("steps.db")).to_string();
        assert!(
            error.contains("`journal_mode`: it should be wal and is memory"),
            "{error}"
        );
    }
}
