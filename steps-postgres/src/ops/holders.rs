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

/// What the clock shows, when the first lease of another worker ends, and whether any has ended.
const ENDS: &str = "WITH clock AS MATERIALIZED (SELECT %.nanoseconds() AS now) \
    SELECT c.now, min(w.alive_until) FILTER (WHERE w.alive_until > c.now AND w.name <> $1), \
    coalesce(bool_or(w.alive_until <= c.now), false) FROM clock c LEFT JOIN %.workers w ON true GROUP BY c.now";

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

/// Which leases of workers end, for a claim.
pub(super) struct Ends {
    /// What the clock shows.
    pub(super) now: i64,
    /// When the first one of another worker does.
    next: Option<i64>,
    has_any_ended: bool,
}

/// Reads the clock, and which leases end.
pub(super) async fn ends(txn: &mut Txn<'_>, name: &str) -> Result<Ends> {
    let statement = txn.query(ENDS).bind(name.to_owned());
    let row = txn.row(statement).await?;
    let row = row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?;
    let mut columns = Columns::of(&row);
    Ok(Ends {
        now: columns.key()?,
        next: columns.number()?,
        has_any_ended: columns.is()?,
    })
}

/// Makes executions due whose workers are gone. Returns when that is to be asked again: when the first lease of another
/// worker ends.
pub(super) async fn free(txn: &mut Txn<'_>, ends: &Ends) -> Result<Option<i64>> {
    if !ends.has_any_ended {
        return Ok(ends.next);
    }
    let statement = txn.query(FREE).bind(ends.now).bind(FREED_AT_ONCE);
    if txn.execute(statement).await? == FREED_AT_ONCE.cast_unsigned() {
        return Ok(Some(ends.now));
    }
    let statement = txn.query(FORGET).bind(ends.now);
    txn.execute(statement).await?;
    Ok(ends.next)
}
