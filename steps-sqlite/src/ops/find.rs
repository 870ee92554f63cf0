//! Queries: lists and counts of executions, and the `WHERE` clause of a query.

use rusqlite::{Connection, params_from_iter, types::Value};
use steps_core::store::{ExecutionInfo, ExecutionQuery};

use super::{execution, execution::select_info};
use crate::{error::Result, file::clock::Now, row::nanos::clamped};

/// A `WHERE` clause with its values.
#[derive(Default)]
pub(crate) struct Filter {
    sql: String,
    pub(crate) values: Vec<Value>,
}

impl Filter {
    /// The conditions of a query, without its `limit` and `after`.
    pub(crate) fn of(query: &ExecutionQuery) -> Self {
        let mut filter = Self::default();
        if let Some(id) = &query.id {
            filter.and("e.id = ?", [id.clone().into()]);
        }
        let flows = query.flows.iter();
        filter.any("e.flow", flows.map(|name| name.clone().into()));
        let status = query.status.iter();
        filter.any(
            "e.status",
            status.map(|status| status.as_str().to_owned().into()),
        );
        for (name, value) in &query.labels {
            filter.and(
                "e.key IN (SELECT execution FROM labels WHERE name = ? AND value = ?)",
                [name.clone().into(), value.clone().into()],
            );
        }
        for (column, range) in [("created_at", &query.created), ("done_at", &query.ended)] {
            if let Some(range) = range {
                filter.and(
                    &format!("e.{column} >= ? AND e.{column} < ?"),
                    [clamped(range.start).into(), clamped(range.end).into()],
                );
            }
        }
        match query.refused {
            Some(true) => filter.and("e.refused IS NOT NULL", []),
            Some(false) => filter.and("e.refused IS NULL", []),
            None => {}
        }
        filter
    }

    /// The same, only after its place in the list.
    pub(crate) fn of_page(query: &ExecutionQuery) -> Self {
        let mut filter = Self::of(query);
        if let Some(after) = query.after {
            let (created_at, key) = (after.created_at, after.key);
            filter.and(
                "(e.created_at, e.key) < (?, ?)",
                [clamped(created_at).into(), key.into()],
            );
        }
        filter
    }

    /// Adds a condition.
    pub(crate) fn and<const N: usize>(&mut self, condition: &str, values: [Value; N]) {
        let word = if self.sql.is_empty() {
            "WHERE "
        } else {
            " AND "
        };
        self.sql.push_str(word);
        self.sql.push_str(condition);
        self.values.extend(values);
    }

    /// Adds the condition that a column has one of the values, unless there are no values.
    pub(crate) fn any(&mut self, column: &str, values: impl ExactSizeIterator<Item = Value>) {
        if values.len() > 0 {
            let places = vec!["?"; values.len()].join(", ");
            self.and(&format!("{column} IN ({places})"), []);
            self.values.extend(values);
        }
    }

    /// The clause.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }
}

/// A query's limit as SQLite's `LIMIT`, where -1 is none.
pub(crate) fn most(limit: Option<usize>) -> i64 {
    limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1))
}

/// Returns the executions that a query finds, the newest first.
pub(crate) fn list(
    conn: &Connection,
    query: &ExecutionQuery,
    now: Now,
) -> Result<Vec<ExecutionInfo>> {
    let filter = Filter::of_page(query);
    // Full rows are read only for the executions in the list.
    let sql = format!(
        "{}(SELECT e.key FROM executions e {} ORDER BY e.created_at DESC, e.key DESC LIMIT {}) \
         ORDER BY e.created_at DESC, e.key DESC",
        select_info!("WHERE e.key IN "),
        filter.sql(),
        most(query.limit)
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(filter.values))?;
    let mut infos = Vec::new();
    while let Some(row) = rows.next()? {
        infos.push(execution::info(row, now)?);
    }
    Ok(infos)
}

/// Returns how many executions a query finds.
pub(crate) fn count(conn: &Connection, query: &ExecutionQuery) -> Result<u64> {
    let filter = Filter::of(query);
    let sql = format!("SELECT count(*) FROM executions e {}", filter.sql());
    let count: i64 = conn
        .prepare_cached(&sql)?
        .query_row(params_from_iter(filter.values), |row| row.get(0))?;
    Ok(count.cast_unsigned())
}
