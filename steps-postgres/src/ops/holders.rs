//! Executions whose lease ends with that of their holder, a row in `workers`: when that is, telling the holder at which
//! of them to look, and making them due when it has ended. How a lease comes to end so is left to `workers`.

use crate::{
    error::{Fail, Result},
    row::columns::Columns,
    server::txn::Txn,
};

/// When the lease of an execution ends, or when it is due, of a table named `e`.
macro_rules! due {
    () => {
        "coalesce(e.due_at, (SELECT w.alive_until FROM %.workers w WHERE w.key = e.holder))"
    };
}
pub(super) use due;

const RECALL: &str = "INSERT INTO %.recalls (holder, execution) \
    SELECT e.holder, e.key FROM %.executions e WHERE e.key = ANY($1) AND e.holder IS NOT NULL";

/// When the first lease of another worker ends, and whether any has ended.
const ENDS: &str = "SELECT min(alive_until) FILTER (WHERE alive_until > $1 AND name <> $2), \
    coalesce(bool_or(alive_until <= $1), false) FROM %.workers";

/// Some of what workers hold whose leases have ended. What somebody works on is passed over.
const FREE: &str = "WITH ended AS ( \
    SELECT key, alive_until FROM %.workers WHERE alive_until <= $1 FOR UPDATE SKIP LOCKED \
), freed AS ( \
    SELECT e.key, w.key AS holder, w.alive_until FROM ended w JOIN %.executions e ON e.holder = w.key \
    LIMIT $2 FOR NO KEY UPDATE OF e SKIP LOCKED \
), recalled AS (INSERT INTO %.recalls (holder, execution) SELECT holder, key FROM freed) \
UPDATE %.executions e SET due_at = f.alive_until, holder = NULL FROM freed f WHERE e.key = f.key";

const FORGET: &str = "WITH gone AS (DELETE FROM %.workers WHERE key IN ( \
    SELECT w.key FROM %.workers w WHERE w.alive_until <= $1 \
    AND NOT EXISTS (SELECT 1 FROM %.executions e WHERE e.holder = w.key) FOR UPDATE SKIP LOCKED) RETURNING key) \
DELETE FROM %.recalls r USING gone g WHERE r.holder = g.key";

/// How many executions one claim frees.
const FREED_AT_ONCE: i64 = 1000;

/// Lets those who hold these look at them. They are locked.
pub(super) async fn recall(txn: &mut Txn<'_>, keys: &[i64]) -> Result<()> {
    let statement = txn.query(RECALL).bind(keys);
    txn.execute(statement).await?;
    Ok(())
}

/// Makes executions due whose workers are gone. Returns when that is to be asked again: when the first lease of another
/// worker ends.
pub(super) async fn free(txn: &mut Txn<'_>, name: &str, now: i64) -> Result<Option<i64>> {
    let statement = txn.query(ENDS).bind(now).bind(name.to_owned());
    let row = txn.row(statement).await?;
    let row = row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?;
    let mut columns = Columns::of(&row);
    let next = columns.number()?;
    if !columns.is()? {
        return Ok(next);
    }
    let statement = txn.query(FREE).bind(now).bind(FREED_AT_ONCE);
    if txn.execute(statement).await? == FREED_AT_ONCE.cast_unsigned() {
        return Ok(Some(now));
    }
    let statement = txn.query(FORGET).bind(now);
    txn.execute(statement).await?;
    Ok(next)
}
