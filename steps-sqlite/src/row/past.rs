//! What is past of an execution, as a column.

use steps_core::store::Past;

use super::refusers;

/// Returns the column; nothing if no rows are past.
pub(crate) fn column(past: &Past) -> Option<String> {
    let Past { by, rows } = past;
    (!rows.is_empty()).then(|| format!("{} {rows}", refusers::one(*by)))
}

/// Reads a column. Where it can't be read, nothing is past.
pub(crate) fn read(column: &str) -> Option<Past> {
    let (by, rows) = column.split_once(' ')?;
    Some(Past {
        by: refusers::read(by).pop()?,
        rows: rows.parse().ok()?,
    })
}
