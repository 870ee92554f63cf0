//! What a store that has no way of its own does by listing executions.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{
    Collector, ExecutionInfo, ExecutionQuery, LabelQuery, NodeRow, Seen, Statistics,
    StatisticsQuery, Store, StoreError,
};
use crate::model::{state::NodeData, statistics::nanos_of};

/// How many executions are listed at once.
const PAGE: usize = 1000;

/// Makes statistics of all that it lists, and of the nodes of those in the sample.
pub(super) async fn statistics<S: Store + ?Sized>(
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

/// Counts the values of a label.
pub(super) async fn label_values<S: Store + ?Sized>(
    store: &S,
    query: LabelQuery,
) -> Result<Vec<String>, StoreError> {
    let mut list = ExecutionQuery {
        limit: Some(PAGE),
        brief: true,
        ..ExecutionQuery::default()
    };
    let mut counts = BTreeMap::<String, u64>::new();
    loop {
        let page = store.list(list.clone()).await?;
        let Some(place) = page.last().map(ExecutionInfo::cursor) else {
            break;
        };
        list.after = Some(place);
        for mut info in page {
            if let Some(value) = info.labels.remove(&query.name) {
                *counts.entry(value).or_default() += 1;
            }
        }
    }
    let is_found = |(value, count): &(String, u64)| {
        *count >= query.at_least && query.after.as_ref().is_none_or(|after| value > after)
    };
    let values = counts.into_iter().filter(is_found).map(|(value, _)| value);
    Ok(values.take(query.limit.unwrap_or(usize::MAX)).collect())
}
