//! Deleting executions that have ended: their keys are found once, and then deleted in parts, each of
//! one share of rows and bytes. What is deleted is gone at once; the nodes and the log of one that has more
//! than a share go with the following parts, be it those of another deletion.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};
use steps_core::{
    Status,
    store::{ExecutionQuery, Share},
};

use super::{
    inbox, log, steps, transactions,
    walk::{Order, Sql, Walk},
};
use crate::{
    error::Result,
    file::{clock::Now, connect::INCREMENTAL},
};

const EXECUTION: &str = "DELETE FROM executions WHERE key = ?1";
const LABELS: &str = "DELETE FROM labels WHERE execution = ?1";
const SIZE: &str = "SELECT octet_length(input) + ifnull(octet_length(output), 0) \
    FROM executions WHERE key = ?1";

// Executions that are deleted, and whose nodes or logs are not.
const DELETED: &str = "INSERT INTO deleted (execution) VALUES (?1)";
const REST: &str = "SELECT execution FROM deleted ORDER BY execution LIMIT 1";
const IS_GONE: &str = "DELETE FROM deleted WHERE execution = ?1";

/// Returns the query for those of the executions that have ended; `None` if there can be none.
fn ended(query: &ExecutionQuery) -> Option<ExecutionQuery> {
    let asked = |status: &Status| query.status.is_empty() || query.status.contains(status);
    let status = Status::ALL.into_iter().filter(|it| it.is_final());
    let status: Vec<Status> = status.filter(asked).collect();
    let mut ended = query.clone();
    ended.status = status;
    (!ended.status.is_empty()).then_some(ended)
}

/// The condition that nobody holds an execution.
fn is_free(now: Now) -> Sql {
    Sql {
        sql: " AND (e.worker IS NULL OR e.due_at <= ? OR e.free_at <= ?)".to_owned(),
        values: vec![now.wall.into(), now.boot.into()],
    }
}

/// Returns the keys of the executions that the query finds and that may be deleted, up to its
/// limit, the oldest first.
pub(crate) fn keys(conn: &Connection, query: &ExecutionQuery, now: Now) -> Result<Vec<i64>> {
    let Some(query) = ended(query) else {
        return Ok(Vec::new());
    };
    let walk = Walk::choose(conn, &query, query.limit.is_some())?;
    let found = walk.keys_where(&query, Order::OldestFirst, &is_free(now));
    let mut statement = conn.prepare_cached(&found.sql)?;
    let keys = statement.query_map(params_from_iter(found.values), |row| row.get(0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// What one transaction of a deletion has done.
pub(crate) struct Part {
    /// How many executions were deleted.
    pub(crate) deleted: u64,
    /// How many of the keys it has looked at.
    pub(crate) seen: usize,
    /// Whether nodes or logs of deleted executions are left.
    pub(crate) has_rest: bool,
}

/// Deletes the executions with these keys, the first ones, as many as a share holds, except those that
/// the query no longer finds or that may no longer be deleted. What earlier deletions have left goes first.
pub(crate) fn part(
    conn: &Connection,
    query: &ExecutionQuery,
    keys: &[i64],
    now: Now,
) -> Result<Part> {
    let mut share = Share::default();
    let mut part = Part {
        deleted: 0,
        seen: 0,
        has_rest: !rest(conn, &mut share)?,
    };
    let Some(query) = ended(query) else {
        part.seen = keys.len();
        return Ok(part);
    };
    let is_found = Walk::Key.keys_where(&query, Order::OldestFirst, &is_free(now));
    let mut still = conn.prepare_cached(&is_found.sql)?;
    for key in keys {
        if part.has_rest || share.is_used_up() {
            break;
        }
        part.seen += 1;
        let key_value = Value::from(*key);
        let values = [&key_value].into_iter().chain(&is_found.values[1..]);
        if !still.exists(params_from_iter(values))? {
            continue;
        }
        let size: i64 = conn
            .prepare_cached(SIZE)?
            .query_row([key], |row| row.get(0))?;
        share.take(1, usize::try_from(size).unwrap_or_default());
        conn.prepare_cached(EXECUTION)?.execute([key])?;
        conn.prepare_cached(LABELS)?.execute([key])?;
        inbox::remove(conn, *key)?;
        transactions::remove(conn, *key)?;
        if !remove_share(conn, *key, &mut share)? {
            conn.prepare_cached(DELETED)?.execute([key])?;
            part.has_rest = true;
        }
        part.deleted += 1;
    }
    Ok(part)
}

/// Deletes nodes of an execution, then what it has logged, as far as the share goes. Returns whether all are
/// deleted.
fn remove_share(conn: &Connection, key: i64, share: &mut Share) -> Result<bool> {
    Ok(steps::remove_share(conn, key, share)? && log::remove_share(conn, key, share)?)
}

/// Deletes nodes and logs of executions that are deleted. Returns whether none are left.
fn rest(conn: &Connection, share: &mut Share) -> Result<bool> {
    let mut next = conn.prepare_cached(REST)?;
    while let Some(key) = next.query_row([], |row| row.get(0)).optional()? {
        if !remove_share(conn, key, share)? {
            return Ok(false);
        }
        conn.prepare_cached(IS_GONE)?.execute([key])?;
    }
    Ok(true)
}

/// The most pages that go with one transaction: 2 MiB.
const PAGES: u32 = 512;

/// Gives free pages at the end of the file back, as many as go with one transaction, and moves others
/// into those before them. Some stay for what comes next. Returns whether more may go.
pub(crate) fn shrink(conn: &Connection) -> Result<bool> {
    let get = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let free = get("PRAGMA freelist_count")?;
    let stays = i64::from(PAGES) + get("PRAGMA page_count")? / 8;
    if free <= stays || get("PRAGMA auto_vacuum")? != INCREMENTAL {
        return Ok(false);
    }
    let mut shrink = conn.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut pages = shrink.query([])?;
    // Each step is one page.
    while pages.next()?.is_some() {}
    Ok(get("PRAGMA freelist_count")? < free)
}

#[cfg(test)]
mod tests;
