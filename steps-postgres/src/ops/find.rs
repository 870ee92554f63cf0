//! Queries: lists and counts of executions, and the values of labels.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use steps_core::{
    Status,
    store::{Condition, ExecutionInfo, ExecutionQuery, LabelQuery},
};

use super::{
    conditions::{self, Also, Sql},
    execution,
};
use crate::{
    error::Result,
    row::{columns::Columns, nanos::time},
    server::txn::Txn,
};

/// Of each execution and status: how many steps there are, and the newest time of any node.
const COUNTS: &str = "SELECT execution, status, count(*) FILTER (WHERE kind = 'step'), max(started_at), max(done_at) \
    FROM %.nodes WHERE execution = ANY($1) GROUP BY execution, status";

const VALUES: &str = "SELECT value FROM %.labels WHERE name = $1 AND ($2::text IS NULL OR value > $2) \
    GROUP BY value HAVING count(*) >= $3 ORDER BY value LIMIT $4";

/// Returns the keys of the executions that a query finds, in the order of the list or of deletions.
pub(super) async fn keys(
    txn: &mut Txn<'_>,
    query: &ExecutionQuery,
    also: Also,
) -> Result<Vec<i64>> {
    let mut sql = Sql::default();
    sql.push("SELECT e.key, e.attrs FROM %.executions e");
    conditions::add(&mut sql, query, also);
    if also == Also::IsOver && query.sort.is_empty() {
        sql.push(" ORDER BY e.created_at, e.key");
    } else {
        sql.push(&conditions::order(query));
    }
    if !conditions::asks_for_attrs(query) {
        sql.limit(query.limit);
    }
    let most = query.limit.unwrap_or(usize::MAX);
    let conditions: Vec<&Condition> = conditions::attrs(query).collect();
    let statement = sql.statement(&txn.database);
    let mut rows = statement.fetch(txn.connection());
    let mut found = Vec::new();
    while found.len() < most
        && let Some(row) = rows.try_next().await?
    {
        let mut columns = Columns::of(&row);
        let key = columns.key()?;
        let attrs = columns.text()?.unwrap_or("{}");
        if conditions.iter().all(|it| it.holds_of_attrs(attrs)) {
            found.push(key);
        }
    }
    Ok(found)
}

/// Returns the executions that a query finds, in the order of the list.
pub(crate) async fn list(txn: &mut Txn<'_>, query: &ExecutionQuery) -> Result<Vec<ExecutionInfo>> {
    let keys = keys(txn, query, Also::Nothing).await?;
    let sql = format!(
        "SELECT {} FROM %.executions e WHERE e.key = ANY($1)",
        execution::INFO
    );
    let statement = txn.query(&sql).bind(&keys);
    let mut found = HashMap::new();
    for row in &txn.rows(statement).await? {
        let info = execution::info(row)?;
        found.insert(info.key, info);
    }
    let mut infos: Vec<ExecutionInfo> = keys.iter().filter_map(|key| found.remove(key)).collect();
    if !query.brief {
        count_steps(txn, &keys, &mut infos).await?;
    }
    Ok(infos)
}

async fn count_steps(txn: &mut Txn<'_>, keys: &[i64], infos: &mut [ExecutionInfo]) -> Result<()> {
    let places = keys.iter().enumerate().map(|(place, key)| (*key, place));
    let places: HashMap<i64, usize> = places.collect();
    let statement = txn.query(COUNTS).bind(keys);
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let place = places.get(&columns.key()?);
        let Some(info) = place.and_then(|place| infos.get_mut(*place)) else {
            continue;
        };
        let name = columns.text()?.unwrap_or_default();
        let count = columns.key()?.cast_unsigned();
        // What can't be read is left to `check`: it must not keep others from being listed.
        if let Some(status) = Status::from_name(name) {
            info.steps.add(status, count);
        }
        for newest in [columns.number()?, columns.number()?] {
            let newest = newest.map(time);
            info.updated_at = newest.map_or(info.updated_at, |it| it.max(info.updated_at));
        }
    }
    Ok(())
}

/// Returns how many executions a query finds.
pub(crate) async fn count(txn: &mut Txn<'_>, query: &ExecutionQuery) -> Result<u64> {
    let mut query = query.clone();
    query.after = None;
    query.limit = None;
    if conditions::asks_for_attrs(&query) {
        let found = keys(txn, &query, Also::Nothing).await?;
        return Ok(found.iter().fold(0, |count, _| count + 1));
    }
    let mut sql = Sql::default();
    sql.push("SELECT count(*) FROM %.executions e");
    conditions::add(&mut sql, &query, Also::Nothing);
    let statement = sql.statement(&txn.database);
    let row = txn.row(statement).await?;
    let count = row.map_or(Ok(0), |row| Columns::of(&row).key())?;
    Ok(count.cast_unsigned())
}

/// Returns the values of a label that a query finds.
pub(crate) async fn label_values(txn: &mut Txn<'_>, query: &LabelQuery) -> Result<Vec<String>> {
    let at_least = i64::try_from(query.at_least).unwrap_or(i64::MAX);
    let limit = query
        .limit
        .map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let statement = txn.query(VALUES).bind(&query.name).bind(&query.after);
    let statement = statement.bind(at_least).bind(limit);
    let rows = txn.rows(statement).await?;
    let values = rows.iter().map(|row| Columns::of(row).owned());
    values.filter_map(Result::transpose).collect()
}
