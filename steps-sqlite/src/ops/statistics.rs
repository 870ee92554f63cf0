//! Statistics of a flow: one walk of its executions of the time asked for, by the index of flows, and of
//! the nodes of those in the sample what a [`Collector`] looks at, without their values.

use rusqlite::{Connection, OptionalExtension, Row, params};
use steps_core::{
    Status,
    state::NodeData,
    store::{Collector, Seen, Statistics, StatisticsQuery},
};

use crate::{
    error::Result,
    row::{
        begun,
        columns::{Columns, node_number, rows_of},
        nanos::{clamped, time},
    },
};

const EXECUTIONS: &str = "SELECT key, created_at, started_at, done_at \
    FROM executions INDEXED BY executions_flow \
    WHERE flow = ?1 AND status = ?2 AND created_at >= ?3 AND created_at < ?4";

/// Large working data of a step is not read: there is nothing in it that counts, but for the undo and the
/// pauses of such a step.
const NODES: &str = "SELECT id, parent, name, kind, status, attempts, started_at, done_at, \
    error IS NOT NULL, CASE WHEN octet_length(more) < 65536 THEN more END, next \
    FROM nodes WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

const ID: &str = "SELECT id FROM executions WHERE key = ?1";

/// Makes the statistics.
pub(crate) fn statistics(conn: &Connection, query: &StatisticsQuery) -> Result<Statistics> {
    let both = query.both();
    let [from, until] = [both.start, both.end].map(clamped);
    let mut collector = Collector::new(query.clone());
    let mut executions = conn.prepare_cached(EXECUTIONS)?;
    for flow in &query.flows {
        for status in Status::ALL {
            let mut rows = executions.query(params![flow, status.as_str(), from, until])?;
            while let Some(row) = rows.next()? {
                collector.see(Seen {
                    key: row.get(0)?,
                    status,
                    created_at: row.get(1)?,
                    started_at: row.get(2)?,
                    done_at: row.get(3)?,
                });
            }
        }
    }
    for key in collector.sample() {
        collector.nodes(key, &nodes(conn, key)?);
    }
    for key in collector.slowest() {
        let mut id = conn.prepare_cached(ID)?;
        let id: Option<String> = id.query_row([key], |row| row.get(0)).optional()?;
        collector.id(key, id.unwrap_or_default());
    }
    Ok(collector.finish())
}

fn nodes(conn: &Connection, key: i64) -> Result<Vec<(u32, u32, NodeData)>> {
    let (first, last) = rows_of(key);
    let mut statement = conn.prepare_cached(NODES)?;
    let mut rows = statement.query([first, last])?;
    let mut nodes: Vec<(u32, u32, NodeData)> = Vec::new();
    let mut next: Option<(u32, u32, NodeData)> = None;
    while let Some(row) = rows.next()? {
        // What can't be read is left to `check`.
        let Ok((number, parent, node, name)) = node(row) else {
            continue;
        };
        nodes.extend(next.take().filter(|(of, ..)| *of != number));
        next = name.map(|name| (number + 1, parent, begun::node(node.done_at, name.into())));
        nodes.push((number, parent, node));
    }
    nodes.extend(next);
    Ok(nodes)
}

fn node(row: &Row<'_>) -> Result<(u32, u32, NodeData, Option<String>)> {
    let mut columns = Columns::from(row, 0);
    let id = columns.number()?;
    let id = node_number(columns.some(id)?);
    let parent = columns.count()?.unwrap_or_default();
    let mut node = NodeData::default();
    node.name = columns.text()?.unwrap_or_default().to_owned().into();
    node.kind = columns.kind()?;
    node.status = columns.status()?;
    node.attempts = columns.count()?.unwrap_or_default();
    node.started_at = columns.number()?.map(time);
    node.done_at = columns.number()?.map(time);
    let has_failed = columns.number()? == Some(1);
    columns.overflow(&mut node)?;
    if has_failed && node.errors.is_empty() {
        node.errors.push(String::new());
    }
    Ok((id, parent, node, columns.text()?.map(str::to_owned)))
}
