//! Deleting what has ended.

use rusqlite::{Connection, params_from_iter, types::Value};
use steps_core::{Status, store::Query};

use super::{
    Result,
    find::{Filter, most},
    messages, steps,
};

const EXECUTION: &str = "DELETE FROM executions WHERE key = ?1";
const LABELS: &str = "DELETE FROM labels WHERE execution = ?1";

/// Deletes up to `limit` executions that the query finds, the oldest first. Gives their number.
pub(crate) fn delete(conn: &Connection, query: &Query, limit: usize, now: i64) -> Result<usize> {
    let mut filter = Filter::of(query);
    let ended = Status::ALL.into_iter().filter(|status| status.is_final());
    let ended: Vec<Value> = ended
        .map(|status| status.as_str().to_owned().into())
        .collect();
    filter.any("e.status", ended.into_iter());
    filter.and("(e.worker IS NULL OR e.due_at <= ?)", [now.into()]);
    let sql = format!(
        "SELECT e.key FROM executions e {} ORDER BY e.created_at, e.key LIMIT {}",
        filter.sql(),
        most(limit)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let keys: Vec<i64> = statement
        .query_map(params_from_iter(filter.values), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut count = 0;
    for key in keys {
        conn.prepare_cached(EXECUTION)?.execute([key])?;
        conn.prepare_cached(LABELS)?.execute([key])?;
        messages::remove(conn, key)?;
        steps::remove(conn, key)?;
        count += 1;
    }
    Ok(count)
}
