//! Queries: lists and counts of executions.
//!
//! A query is answered by walking one of the indexes, in the order of the list wherever the index has
//! it, and looking the other conditions up in the rows that are met; `walk` chooses the index.

use rusqlite::{Connection, params_from_iter};
use steps_core::store::{ExecutionInfo, ExecutionQuery};

use super::{
    conditions, counts, execution,
    execution::select_info,
    walk::{Order, Walk},
};
use crate::{error::Result, file::clock::Now};

/// Returns the executions that a query finds, in the order of the list.
pub(crate) fn list(
    conn: &Connection,
    query: &ExecutionQuery,
    now: Now,
) -> Result<Vec<ExecutionInfo>> {
    let found = Walk::choose(conn, query, query.limit.is_some())?.keys(query, Order::NewestFirst);
    // Full rows are read only for the executions in the list.
    let sql = format!(
        "{}({}) {}",
        select_info!("WHERE e.key IN "),
        found.sql,
        conditions::list_order(query),
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(found.values))?;
    let mut infos = Vec::new();
    while let Some(row) = rows.next()? {
        infos.push(execution::info(row, now)?);
    }
    if !query.brief {
        counts::count(conn, &mut infos)?;
    }
    Ok(infos)
}

/// Returns how many executions a query finds.
pub(crate) fn count(conn: &Connection, query: &ExecutionQuery) -> Result<u64> {
    let mut query = query.clone();
    query.after = None;
    let found = Walk::choose(conn, &query, false)?.count(&query);
    let count: i64 = conn
        .prepare_cached(&found.sql)?
        .query_row(params_from_iter(found.values), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}
