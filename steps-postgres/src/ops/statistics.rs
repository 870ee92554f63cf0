//! Statistics of a flow: all its executions of the time asked for, and the nodes of those in the sample.

use steps_core::{
    Status,
    state::NodeData,
    store::{Collector, Seen, Statistics, StatisticsQuery},
};

use super::execution::Ranges;
use crate::{
    error::Result,
    row::{columns::Columns, nanos::clamped},
    server::txn::Txn,
};

const EXECUTIONS: &str = "SELECT key, status, created_at, started_at, done_at FROM %.executions \
    WHERE flow = ANY($1) AND created_at >= $2 AND created_at < $3";
const IDS: &str = "SELECT key, id FROM %.executions WHERE key = ANY($1)";

/// The nodes of how many executions are read at once.
const AT_ONCE: usize = 50;

/// Makes the statistics.
pub(crate) async fn statistics(txn: &mut Txn<'_>, query: &StatisticsQuery) -> Result<Statistics> {
    let both = query.both();
    let [from, until] = [both.start, both.end].map(clamped);
    let mut collector = Collector::new(query.clone());
    let statement = txn.query(EXECUTIONS).bind(&query.flows);
    for row in &txn.rows(statement.bind(from).bind(until)).await? {
        let mut columns = Columns::of(row);
        let key = columns.key()?;
        // What can't be read is left to `check`.
        let Some(status) = Status::from_name(columns.text()?.unwrap_or_default()) else {
            continue;
        };
        collector.see(Seen {
            key,
            status,
            created_at: columns.key()?,
            started_at: columns.number()?,
            done_at: columns.number()?,
        });
    }
    let sample: Vec<i64> = collector.sample().into_iter().collect();
    for keys in sample.chunks(AT_ONCE) {
        let mut ranges = Ranges::default();
        for key in keys {
            ranges.push(*key, None);
        }
        for (key, nodes) in ranges.nodes(txn).await? {
            let nodes = nodes.unwrap_or_default().into_iter();
            let nodes = nodes.map(|row| (row.id, row.parent, row.node));
            let nodes: Vec<(u32, u32, NodeData)> = nodes.collect();
            collector.nodes(key, &nodes);
        }
    }
    let slowest: Vec<i64> = collector.slowest().into_iter().collect();
    let statement = txn.query(IDS).bind(slowest);
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let key = columns.key()?;
        collector.id(key, columns.owned()?.unwrap_or_default());
    }
    Ok(collector.finish())
}
