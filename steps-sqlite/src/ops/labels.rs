//! The values of a label.

use rusqlite::{Connection, params};
use steps_core::store::LabelQuery;

use crate::error::Result;

const VALUES: &str = "SELECT value FROM labels INDEXED BY labels_value \
    WHERE name = ?1 AND (?2 IS NULL OR value > ?2) \
    GROUP BY value HAVING count(*) >= ?3 ORDER BY value LIMIT ?4";

/// Returns the values that a query finds: by one search of an index, which counts them on the way.
pub(crate) fn values(conn: &Connection, query: &LabelQuery) -> Result<Vec<String>> {
    let at_least = i64::try_from(query.at_least).unwrap_or(i64::MAX);
    let limit = query.limit.and_then(|limit| i64::try_from(limit).ok());
    let mut statement = conn.prepare_cached(VALUES)?;
    let values = params![query.name, query.after, at_least, limit.unwrap_or(-1)];
    let found = statement.query_map(values, |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
