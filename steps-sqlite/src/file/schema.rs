//! The tables: whether a file is the store's own, which version its tables have, and bringing them
//! up to date.

use rusqlite::Connection;
use steps_core::store::ErrorKind;

use super::clock::{enter_boot, is_of_boot};
use crate::error::{Fail, Result};

/// The application id that marks a file as the store's own: `STEP`.
pub(crate) const APPLICATION: i64 = 0x5354_4550;

/// The SQL that leads from each version to the next; version 0 is an empty file.
const VERSIONS: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
    include_str!("schema/v5.sql"),
    include_str!("schema/v6.sql"),
    include_str!("schema/v7.sql"),
    include_str!("schema/v8.sql"),
    include_str!("schema/v9.sql"),
    include_str!("schema/v10.sql"),
    include_str!("schema/v11.sql"),
];

/// The newest version that this library knows.
pub(crate) fn latest() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

/// Returns the version of the tables, or an error if the file is another program's, if a newer
/// version of this library has written it, or if it has lost its marks.
pub(crate) fn version(conn: &Connection) -> Result<i64> {
    // One statement sees one moment: another process may be making the tables.
    let (application, version, tables, own): (i64, i64, i64, i64) = conn.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master),
            (SELECT count(*) FROM sqlite_master WHERE name IN ('execution_times', 'step_times'))
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    let path = conn.path().unwrap_or_default();
    let is_ours = application == APPLICATION;
    if is_ours && (1..=latest()).contains(&version) {
        return Ok(version);
    }
    let why = if is_ours && version > latest() {
        format!(
            "its tables have version {version}, and this library knows those up to {}. A newer \
             version of it has used the file: update this program, or use another file",
            latest()
        )
    } else if is_ours || own == 2 {
        format!(
            "it has the store's tables but not its marks (application id {application}, version \
             {version}), as after a `.dump` that was read in again: the marks are not in it. Use a \
             copy made by `Engine::backup`, or set the marks, with the version of the file that \
             was dumped: sqlite3 FILE \"PRAGMA application_id = {APPLICATION}; PRAGMA \
             user_version = {}\"",
            latest()
        )
    } else {
        format!(
            "it belongs to another program (its application id is {application:#x}, and it has \
             {tables} tables and indexes). The store needs a file of its own: name one that does \
             not exist"
        )
    };
    Err(Fail::new(ErrorKind::Foreign, format!("{path}: {why}")))
}

/// Returns an error if a newer version of this library has changed the tables since this process
/// has opened them. What the process holds already it may finish, as a newer version can still read
/// it; it takes nothing new.
pub(crate) fn unchanged(conn: &Connection) -> Result<()> {
    let version: i64 = conn
        .prepare_cached("PRAGMA user_version")?
        .query_row([], |row| row.get(0))?;
    if version <= latest() {
        return Ok(());
    }
    Err(Fail::new(
        ErrorKind::Foreign,
        format!(
            "{}: a newer version of this library has changed the tables to version {version} \
             while this process had the file open. It takes up no more executions: update it, and \
             start it again",
            conn.path().unwrap_or_default()
        ),
    ))
}

/// Brings the tables up to date, and to this start of the machine, in one transaction, and copies that from the log into the database:
/// so the database by itself is never without tables, as a new store is.
pub(crate) fn upgrade(conn: &Connection, boot: &str) -> Result<()> {
    if version(conn)? == latest() && is_of_boot(conn, boot)? {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let upgraded = steps_since(conn).and_then(|()| enter_boot(conn, boot));
    match upgraded {
        Ok(()) => conn.execute_batch("COMMIT")?,
        // The first error is the one to return.
        Err(_) => drop(conn.execute_batch("ROLLBACK")),
    }
    upgraded?;
    // While another process reads, not all of it may be copied; that process is told so as well.
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(())
}

/// Looks at the version again, inside the transaction: another process may have been faster.
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Messages and their numbers outlast the upgrade: a number is never used again.
    #[test]
    fn a_file_of_version_1_keeps_its_messages_and_their_numbers() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(VERSIONS[0]).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION)
            .unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        let put = "INSERT INTO messages (execution, kind, path, value, sent_at) \
            VALUES (1, 'signal', 'a', '1', 0) RETURNING number";
        let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let kept = number(put);
        conn.execute_batch("UPDATE messages SET path = 'b'")
            .unwrap();
        let taken = number(put);
        conn.execute("DELETE FROM messages WHERE number = ?1", [taken])
            .unwrap();
        upgrade(&conn, "a start").unwrap();
        assert_eq!(version(&conn).unwrap(), latest());
        assert_eq!(number("SELECT number FROM messages WHERE path = 'b'"), kept);
        // Two of one path queue, with new numbers.
        assert_eq!([number(put), number(put)], [taken + 1, taken + 2]);
    }

    /// Two processes that open a new file at once: one was told that it was another program's, as
    /// the other made the tables between its looks at the file.
    #[test]
    fn regression_a_file_whose_tables_are_just_being_made_is_no_other_programs() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..50 {
            let path = folder.path().join(number.to_string());
            let maker = Connection::open(&path).unwrap();
            maker.pragma_update(None, "journal_mode", "wal").unwrap();
            let looker = Connection::open(&path).unwrap();
            assert_eq!(version(&looker).unwrap(), 0);
            let made = thread::spawn(move || upgrade(&maker, "a start"));
            while version(&looker).unwrap() == 0 {}
            made.join().unwrap().unwrap();
            assert_eq!(version(&looker).unwrap(), latest());
        }
    }
}
