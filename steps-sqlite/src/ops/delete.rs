//! Deleting executions that have ended: their keys are found once, and then deleted in parts.

use rusqlite::{Connection, params_from_iter, types::Value};
use steps_core::{Status, store::ExecutionQuery};

use super::{
    find::{Filter, most},
    inbox, steps,
};
use crate::{error::Result, file::clock::Now};

const EXECUTION: &str = "DELETE FROM executions WHERE key = ?1";
const LABELS: &str = "DELETE FROM labels WHERE execution = ?1";

fn filter(query: &ExecutionQuery, now: Now) -> Filter {
    let mut filter = Filter::of_page(query);
    let ended = Status::ALL.into_iter().filter(|status| status.is_final());
    let ended: Vec<Value> = ended
        .map(|status| status.as_str().to_owned().into())
        .collect();
    filter.any("e.status", ended.into_iter());
    filter.and(
        "(e.worker IS NULL OR e.due_at <= ? OR e.free_at <= ?)",
        [now.wall.into(), now.boot.into()],
    );
    filter
}

/// Returns the keys of the executions that the query finds and that may be deleted, up to its
/// limit, the oldest first.
pub(crate) fn keys(conn: &Connection, query: &ExecutionQuery, now: Now) -> Result<Vec<i64>> {
    let filter = filter(query, now);
    let sql = format!(
        "SELECT e.key FROM executions e {} ORDER BY e.created_at, e.key LIMIT {}",
        filter.sql(),
        most(query.limit)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let keys = statement.query_map(params_from_iter(filter.values), |row| row.get(0))?;
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
    let mut filter = filter(query, now);
    filter.and("e.key = ?", []);
    let sql = format!("SELECT 1 FROM executions e {}", filter.sql());
    let mut still = conn.prepare_cached(&sql)?;
    let mut count = 0;
    for key in keys {
        let key_value = Value::from(*key);
        let values = filter.values.iter().chain([&key_value]);
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
