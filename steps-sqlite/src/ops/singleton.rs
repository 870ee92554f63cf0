//! The key that an execution has until it has ended, and that no other of its flow has meanwhile: a unique
//! index of those that have one. Whoever has none costs nothing.

use rusqlite::{Connection, OptionalExtension, ffi, params};
use steps_core::{Status, store::ErrorKind};

use crate::error::{Fail, Result};

const HOLDER: &str = "SELECT id FROM executions WHERE flow = ?1 AND singleton = ?2 \
    AND status IN ('pending', 'running', 'waiting', 'undoing')";

const PUT: &str = "UPDATE executions SET singleton = ?2 WHERE key = ?1";

const OF: &str = "SELECT id, flow, singleton FROM executions WHERE key = ?1";

/// Returns the id of the execution that has a key.
pub(super) fn holder(conn: &Connection, flow: &str, key: &str) -> Result<Option<String>> {
    let mut statement = conn.prepare_cached(HOLDER)?;
    let holder = statement.query_row([flow, key], |row| row.get(0));
    Ok(holder.optional()?)
}

/// Gives a key to a new execution, which nobody else has.
pub(super) fn put(conn: &Connection, execution: i64, key: &str) -> Result<()> {
    conn.prepare_cached(PUT)?.execute(params![execution, key])?;
    Ok(())
}

/// Writes the root of an execution, which may have ended before and need its key again. If another one has
/// it by now, a rollback goes on without; anything else is refused.
pub(super) fn keeping(
    conn: &Connection,
    execution: i64,
    status: &str,
    mut write: impl FnMut() -> Result<usize>,
) -> Result<()> {
    let is_taken = |fail: &Fail| match fail {
        Fail::Sql(rusqlite::Error::SqliteFailure(error, _)) => {
            error.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE
        }
        _ => false,
    };
    match write() {
        Err(fail) if is_taken(&fail) => {}
        written => return written.map(drop),
    }
    if status == Status::Undoing.as_str() {
        conn.prepare_cached(PUT)?
            .execute(params![execution, None::<String>])?;
        return write().map(drop);
    }
    let mut statement = conn.prepare_cached(OF)?;
    let of = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let (id, flow, key): (String, String, String) = statement.query_row([execution], of)?;
    let other = holder(conn, &flow, &key)?.unwrap_or_default();
    Err(Fail::new(
        ErrorKind::Taken,
        format!(
            "execution `{id}` can't go on, as its key `{key}` is that of execution `{other}` now, which \
             has not ended: stop that one first, or leave this one as it is"
        ),
    ))
}
