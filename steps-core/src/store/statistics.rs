//! Statistics of a store that has no way of its own to make them.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    Collector, ExecutionInfo, ExecutionQuery, NodeRow, Seen, Statistics, StatisticsQuery, Store,
    StoreError,
};
use crate::model::{state::NodeData, statistics::nanos_of};

/// How many executions are listed at once.
const PAGE: usize = 1000;

pub(super) async fn by_listing<S: Store + ?Sized>(
    store: &S,
    query: StatisticsQuery,
) -> Result<Statistics, StoreError> {
    let mut list = ExecutionQuery {
        flows: query.flows.clone(),
        created: Some(query.both()),
        limit: Some(PAGE),
        brief: true,
        ..ExecutionQuery::default()
    };
    let mut collector = Collector::new(query);
    let mut ids = HashMap::new();
    loop {
        let page = store.list(list.clone()).await?;
        let Some(place) = page.last().map(ExecutionInfo::cursor) else {
            break;
        };
        list.after = Some(place);
        for info in page {
            collector.see(seen(&info));
            ids.insert(info.key, info.id);
        }
    }
    for key in collector.sample() {
        let Some(id) = ids.get(&key) else { continue };
        // It may be gone.
        if let Some(found) = store.load(id.clone()).await? {
            collector.nodes(key, &nodes(found.nodes));
        }
    }
    for key in collector.slowest() {
        if let Some(id) = ids.remove(&key) {
            collector.id(key, id);
        }
    }
    Ok(collector.finish())
}

/// What a collector is told of an execution.
fn seen(info: &ExecutionInfo) -> Seen {
    Seen {
        key: info.key,
        status: info.status,
        created_at: nanos_of(info.created_at),
        started_at: info.started_at.and_then(exact),
        done_at: info.done_at.and_then(exact),
    }
}

/// A time that 64 bits can hold.
fn exact(time: Timestamp) -> Option<i64> {
    i64::try_from(time.as_nanosecond()).ok()
}

/// What a collector is told of an execution's nodes.
fn nodes(rows: impl IntoIterator<Item = NodeRow>) -> Vec<(u32, u32, NodeData)> {
    let rows = rows.into_iter();
    rows.map(|row| (row.id, row.parent, row.node)).collect()
}
