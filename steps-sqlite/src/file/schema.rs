//! The tables: whose file it is, which version of them it has, and bringing them up to date.

use rusqlite::Connection;
use steps_core::store::ErrorKind;

use crate::error::{Fail, Result};

/// Marks a file as ours: `STEP`.
pub(crate) const APPLICATION: i64 = 0x5354_4550;

/// What leads from each version to the next; version 0 is an empty file.
const VERSIONS: &[&str] = &[include_str!("schema/v1.sql")];

/// How many versions this library knows.
pub(crate) fn latest() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

/// The version of the tables, or an error where the file is not ours, or from the future.
pub(crate) fn version(conn: &Connection) -> Result<i64> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_master")?;
    let path = conn.path().unwrap_or_default();
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION {
        return Err(Fail::new(
            ErrorKind::Foreign,
            format!(
                "{path}: it belongs to another program (its application id is {application:#x}, \
                 and it has {tables} tables and indexes). The store needs a file of its own: name \
                 one that does not exist"
            ),
        ));
    }
    if version > latest() {
        return Err(Fail::new(
            ErrorKind::Foreign,
            format!(
                "{path}: its tables have version {version}, and this library knows those up to \
                 {}. A newer version of it has used the file: update this program, or use another \
                 file",
                latest()
            ),
        ));
    }
    Ok(version)
}

/// Brings the tables up to date, whole or not at all.
pub(crate) fn upgrade(conn: &Connection) -> Result<()> {
    if version(conn)? == latest() {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let upgraded = steps_since(conn);
    match upgraded {
        Ok(()) => conn.execute_batch("COMMIT")?,
        // The error that counts is the first one.
        Err(_) => drop(conn.execute_batch("ROLLBACK")),
    }
    upgraded
}

/// Inside a transaction, as another process may have been faster.
fn steps_since(conn: &Connection) -> Result<()> {
    let version = version(conn)?;
    let done = usize::try_from(version).unwrap_or_default();
    for step in VERSIONS.iter().skip(done) {
        conn.execute_batch(step)?;
    }
    conn.pragma_update(None, "application_id", APPLICATION)?;
    conn.pragma_update(None, "user_version", latest())?;
    Ok(())
}
