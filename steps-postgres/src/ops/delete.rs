//! Deleting executions that have ended: their keys are found once, and then deleted in parts, each a transaction of
//! its own. What is deleted is gone at once; its nodes and its log go with the following parts, be it those of another deletion.

use steps_core::store::{ExecutionQuery, Share};

use super::{
    conditions::{self, Also, Sql},
    find, holders,
};
use crate::{
    error::Result,
    row::columns::Columns,
    server::txn::{Lock, Txn},
};

/// How many executions go with one transaction.
const PART: usize = 1000;

const LABELS: &str = "DELETE FROM %.labels WHERE execution = ANY($1)";
const MESSAGES: &str = "DELETE FROM %.messages WHERE execution = ANY($1)";
const TRANSACTIONS: &str = "DELETE FROM %.transactions WHERE execution = ANY($1)";
const EXECUTIONS: &str = "DELETE FROM %.executions WHERE key = ANY($1)";
const DELETED: &str = "INSERT INTO %.deleted SELECT * FROM unnest($1::bigint[])";

/// Some of those whose nodes or logs are left, each for one deletion at a time.
const REST: &str =
    "SELECT execution FROM %.deleted ORDER BY execution LIMIT 100 FOR UPDATE SKIP LOCKED";
const NODES: &str = "DELETE FROM %.node_rows WHERE (execution, node) IN \
    (SELECT execution, node FROM %.node_rows WHERE execution = ANY($1) LIMIT $2)";
const LOGS: &str = "DELETE FROM %.logs WHERE (execution, number) IN \
    (SELECT execution, number FROM %.logs WHERE execution = ANY($1) LIMIT $2)";
const ARE_GONE: &str = "DELETE FROM %.deleted d WHERE d.execution = ANY($1) \
    AND NOT EXISTS (SELECT 1 FROM %.node_rows n WHERE n.execution = d.execution) \
    AND NOT EXISTS (SELECT 1 FROM %.logs l WHERE l.execution = d.execution)";

/// Returns the keys of the executions that the query finds and that may be deleted, up to its limit.
pub(crate) async fn keys(txn: &mut Txn<'_>, query: &ExecutionQuery) -> Result<Vec<i64>> {
    find::keys(txn, query, Also::IsOver).await
}

/// Returns the first keys, for one transaction.
pub(crate) fn part(keys: &[i64]) -> (&[i64], &[i64]) {
    keys.split_at(keys.len().min(PART))
}

/// Deletes the executions with these keys, except those that the query no longer finds or that may no longer be
/// deleted. Returns how many were deleted.
pub(crate) async fn delete(txn: &mut Txn<'_>, query: &ExecutionQuery, keys: &[i64]) -> Result<u64> {
    txn.alone(Lock::Logs).await?;
    let mut sql = Sql::default();
    sql.push("SELECT e.key, e.attrs FROM %.executions e");
    conditions::add(&mut sql, query, Also::IsOver);
    conditions::add_keys(&mut sql, keys);
    sql.push(" ORDER BY e.key FOR UPDATE OF e SKIP LOCKED");
    let statement = sql.statement(&txn.database);
    let mut found = Vec::new();
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let key = columns.key()?;
        let attrs = columns.text()?.unwrap_or("{}");
        if conditions::attrs(query).all(|it| it.holds_of_attrs(attrs)) {
            found.push(key);
        }
    }
    holders::recall(txn, &found).await?;
    for sql in [EXECUTIONS, LABELS, MESSAGES, TRANSACTIONS, DELETED] {
        let statement = txn.query(sql).bind(&found);
        txn.execute(statement).await?;
    }
    Ok(found.iter().fold(0, |count, _| count + 1))
}

/// Deletes nodes and lines of the logs of executions that are deleted. Returns whether there may be more.
pub(crate) async fn rest(txn: &mut Txn<'_>) -> Result<bool> {
    let statement = txn.query(REST);
    let rows = txn.rows(statement).await?;
    let keys = rows.iter().map(|row| Columns::of(row).key());
    let keys: Vec<i64> = keys.collect::<Result<_>>()?;
    if keys.is_empty() {
        return Ok(false);
    }
    let most = i64::try_from(Share::ROWS).unwrap_or(i64::MAX);
    for sql in [NODES, LOGS] {
        let statement = txn.query(sql).bind(&keys).bind(most);
        txn.execute(statement).await?;
    }
    let statement = txn.query(ARE_GONE).bind(&keys);
    txn.execute(statement).await?;
    Ok(true)
}
