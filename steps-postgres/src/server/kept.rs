//! Changes that a transaction keeps for those who have subscribed, at its end.

use steps_core::{Status, store::Change};

use super::txn::{Lock, Txn};
use crate::{error::Result, row::nanos::clamped};

/// In the order of the lists, so that the numbers grow with it. A subscription may have ended meanwhile.
const KEEP: &str = "INSERT INTO %.changes (subscription, execution, flow, from_status, to_status, at, error, step, \
    path, step_attempts) \
    SELECT c.subscription, c.execution, c.flow, c.from_status, c.to_status, c.at, c.error, c.step, c.path, c.attempts \
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], \
    $9::text[], $10::bigint[]) WITH ORDINALITY AS c (subscription, execution, flow, from_status, to_status, at, error, \
    step, path, attempts, n) \
    WHERE EXISTS (SELECT 1 FROM %.subscriptions s WHERE s.name = c.subscription AND s.ended IS NULL) \
    ORDER BY c.n";

/// Returns one column of all.
fn column<'a, T>(kept: &'a [(String, Change)], of: impl Fn(&'a Change) -> T) -> Vec<T> {
    kept.iter().map(|(_, change)| of(change)).collect()
}

/// Keeps the changes. Their numbers are given one transaction after the other, so that none appears behind one that
/// could be listed before.
pub(super) async fn insert(txn: &mut Txn<'_>) -> Result<()> {
    txn.alone(Lock::Changes).await?;
    let kept = std::mem::take(&mut txn.changes);
    let subscriptions: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    let step = |change: &Change| change.step.clone();
    let statement = txn
        .query(KEEP)
        .bind(subscriptions)
        .bind(column(&kept, |it| it.execution.as_str()))
        .bind(column(&kept, |it| it.flow.as_str()))
        .bind(column(&kept, |it| it.from.map(Status::as_str)))
        .bind(column(&kept, |it| it.to.as_str()))
        .bind(column(&kept, |it| clamped(it.at)))
        .bind(column(&kept, |it| it.error.as_deref()))
        .bind(column(&kept, |it| step(it).map(|step| step.name)))
        .bind(column(&kept, |it| step(it).map(|step| step.path)))
        .bind(column(&kept, |it| {
            step(it).map(|step| i64::from(step.attempts))
        }));
    txn.execute(statement).await?;
    Ok(())
}
