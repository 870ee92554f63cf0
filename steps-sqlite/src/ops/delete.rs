//! Deleting executions that have ended: their keys are found once, and then deleted in parts.

use rusqlite::{Connection, params_from_iter, types::Value};
use steps_core::{Status, store::ExecutionQuery};

use super::{
    inbox, steps,
    walk::{Order, Sql, Walk},
};
use crate::{error::Result, file::clock::Now};

const EXECUTION: &str = "DELETE FROM executions WHERE key = ?1";
const LABELS: &str = "DELETE FROM labels WHERE execution = ?1";

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

/// Deletes the executions with these keys, except those that the query no longer finds or that may
/// no longer be deleted. Returns how many were deleted.
pub(crate) fn delete(
    conn: &Connection,
    query: &ExecutionQuery,
    keys: &[i64],
    now: Now,
) -> Result<u64> {
    let Some(query) = ended(query) else {
        return Ok(0);
    };
    let is_found = Walk::Key.keys_where(&query, Order::OldestFirst, &is_free(now));
    let mut still = conn.prepare_cached(&is_found.sql)?;
    let mut count = 0;
    for key in keys {
        let key_value = Value::from(*key);
        let values = [&key_value].into_iter().chain(&is_found.values[1..]);
        if !still.exists(params_from_iter(values))? {
            continue;
        }
        conn.prepare_cached(EXECUTION)?.execute([key])?;
        conn.prepare_cached(LABELS)?.execute([key])?;
        inbox::remove(conn, *key)?;
        steps::remove(conn, *key)?;
        count += 1;
    }
    Ok(count)
}
