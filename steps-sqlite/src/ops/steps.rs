//! The rows of an execution's nodes. The root has none: it is in the execution's row.

use std::borrow::Cow;

use rusqlite::{Connection, params};
use steps_core::{state::NodeData, store::NodeRow};

use super::txn::{Kept, Txn};
use crate::{
    error::Result,
    row::{
        columns::{Columns, UntilColumn, node_number, overflow_of, row_number, rows_of, text},
        nanos::{exact, time},
    },
};

/// Writes a row, replacing the one with its number.
const PUT: &str = "INSERT OR REPLACE INTO steps (id, parent, name, kind, status, attempts, \
    started_at, done_at, until, decision, error, input, output, more) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

const ALL: &str = "SELECT id, parent, name, kind, status, attempts, started_at, done_at, until, \
    decision, error, input, output, more FROM steps WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

const REMOVE: &str = "DELETE FROM steps WHERE id BETWEEN ?1 AND ?2";

/// Writes nodes, each replacing the one with its number. The root must not be among them.
pub(crate) fn put<'a>(
    txn: &Txn<'_>,
    key: i64,
    changes: impl Iterator<Item = &'a NodeRow>,
) -> Result<()> {
    let mut statement = txn.statement(Kept::Put, PUT)?;
    for change in changes {
        let node = &change.node;
        statement.execute(params![
            row_number(key, change.id)?,
            change.parent,
            node.name,
            node.kind.as_str(),
            node.status.as_str(),
            node.attempts,
            node.started_at.and_then(exact),
            node.done_at.and_then(exact),
            UntilColumn(node.until),
            node.decision,
            node.errors.last(),
            text(node.input.as_ref()),
            text(node.output.as_ref()),
            overflow_of(node)?,
        ])?;
    }
    Ok(())
}

/// Deletes all rows of an execution.
pub(crate) fn remove(conn: &Connection, key: i64) -> Result<()> {
    let (first, last) = rows_of(key);
    conn.prepare_cached(REMOVE)?.execute([first, last])?;
    Ok(())
}

/// Adds the rows of an execution to `nodes`.
pub(crate) fn read(conn: &Connection, key: i64, nodes: &mut Vec<NodeRow>) -> Result<()> {
    let (first, last) = rows_of(key);
    let mut statement = conn.prepare_cached(ALL)?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        nodes.push(change(&mut Columns::from(row, 0))?);
    }
    Ok(())
}

fn change(columns: &mut Columns<'_>) -> Result<NodeRow> {
    let id = columns.number()?;
    let id = node_number(columns.some(id)?);
    let parent = columns.count()?;
    let parent = columns.some(parent)?;
    let mut node = NodeData::default();
    node.name = Cow::Owned(columns.text()?.unwrap_or_default().to_owned());
    node.kind = columns.kind()?;
    node.status = columns.status()?;
    node.attempts = columns.count()?.unwrap_or_default();
    node.started_at = columns.number()?.map(time);
    node.done_at = columns.number()?.map(time);
    node.until = columns.until()?;
    node.decision = columns.number()?.map(|number| number != 0);
    node.errors = columns.text()?.map(str::to_owned).into_iter().collect();
    node.input = columns.json()?;
    node.output = columns.json()?;
    columns.overflow(&mut node)?;
    Ok(NodeRow::new(id, parent, node))
}
