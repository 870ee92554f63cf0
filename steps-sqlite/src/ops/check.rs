//! A check of the whole file: SQLite's own, and whether each row can be read and each tree is whole.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use steps_core::store::{CheckReport, ErrorKind, StoredExecution};

use super::execution::{self, select_execution};
use crate::{
    error::{Fail, Result},
    file::clock::Now,
};

/// How many executions are read in one transaction, so that the log is not held up for long.
const PAGE: usize = 100;

/// Rows that belong to no execution, by table.
const ORPHANS: [(&str, &str, &str); 4] = [
    // A deletion that was cut off has left some, and the next one deletes them.
    (
        "nodes",
        "id >> 24",
        "AND id >> 24 NOT IN (SELECT execution FROM deleted)",
    ),
    ("labels", "execution", ""),
    ("messages", "execution", ""),
    (
        "logs",
        "execution",
        "AND execution NOT IN (SELECT execution FROM deleted)",
    ),
];

/// Adds what SQLite finds in its pages, tables and indexes, and what belongs to nothing.
pub(crate) fn file(conn: &Connection, report: &mut CheckReport) -> Result<()> {
    if let Err(fail) = integrity(conn, report) {
        report.damaged(None, why(conn, fail)?);
    }
    for (table, key, also) in ORPHANS {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE {key} NOT IN (SELECT key FROM executions) {also}"
        );
        match conn.query_row(&sql, [], |row| row.get::<_, i64>(0)) {
            Ok(0) => {}
            Ok(count) => report.damaged(
                None,
                format!("{count} rows of `{table}` belong to no execution"),
            ),
            Err(error) => report.damaged(None, why(conn, error.into())?),
        }
    }
    Ok(())
}

fn integrity(conn: &Connection, report: &mut CheckReport) -> Result<()> {
    let sql = format!("PRAGMA integrity_check({})", CheckReport::MOST);
    let mut statement = conn.prepare(&sql)?;
    let mut lines = statement.query([])?;
    while let Some(line) = lines.next()? {
        let line: String = line.get(0)?;
        if line != "ok" {
            report.damaged(None, line);
        }
    }
    Ok(())
}

/// Checks the executions after this key, a page of them. Returns the last one's key, or `None` if
/// there were none.
pub(crate) fn page(
    conn: &Connection,
    after: i64,
    report: &mut CheckReport,
    now: Now,
) -> Result<Option<i64>> {
    let mut last = None;
    for _ in 0..PAGE {
        let (key, id) = match next(conn, last.unwrap_or(after)) {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(fail) => {
                // What comes after it can't be found.
                report.damaged(None, why(conn, fail)?);
                return Ok(None);
            }
        };
        last = Some(key);
        match read(conn, key, now) {
            Ok(saved) => report.read(saved),
            Err(fail) => {
                report.executions += 1;
                report.damaged(Some(id), why(conn, fail)?);
            }
        }
    }
    Ok(last)
}

/// Returns the next execution's key and id.
fn next(conn: &Connection, after: i64) -> Result<Option<(i64, String)>> {
    let sql = "SELECT key, id FROM executions WHERE key > ?1 ORDER BY key LIMIT 1";
    let mut next = conn.prepare_cached(sql)?;
    let found = next.query_row([after], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

fn read(conn: &Connection, key: i64, now: Now) -> Result<StoredExecution> {
    let mut statement = conn.prepare_cached(select_execution!("WHERE e.key = ?1"))?;
    let execution = statement.query_row([key], |row| Ok(execution::execution(row, now)))??;
    execution.whole(conn)
}

/// Returns what is damaged, or the error if it is another one.
fn why(conn: &Connection, fail: Fail) -> Result<String> {
    let fail = match fail {
        Fail::Row(why) => return Ok(why),
        fail => fail,
    };
    let error = fail.of(Path::new(conn.path().unwrap_or_default()));
    match error.kind() {
        ErrorKind::Corrupt => Ok(error.to_string()),
        _ => Err(error.into()),
    }
}
