//! Flows that are paused or limited: reading and changing what is kept of them, and what a claim has to know.

use std::time::Duration;

use steps_core::store::{
    Claim, FlowLimited, FlowLimits, Gates, LimitFlow, LimitedFlow, NewLimits, Rate,
};

use super::holders::{self, Ends};
use crate::{
    error::{Fail, Result},
    row::{columns::Columns, nanos::nanos},
    server::txn::{Lock, Txn},
};

const SELECT: &str = "SELECT flow, revision, paused, at_once, label, of_label, starts, period, burst, next_at, value \
    FROM %.flow_limits";

const PUT: &str = "INSERT INTO %.flow_limits (flow, revision, paused, at_once, label, of_label, starts, period, burst, \
    next_at, value) \
    VALUES ($1, nextval('%.revisions'), $2, $3, $4, $5, $6, $7, $8, $9, $10) \
    ON CONFLICT (flow) DO UPDATE SET revision = excluded.revision, paused = excluded.paused, \
    at_once = excluded.at_once, label = excluded.label, of_label = excluded.of_label, starts = excluded.starts, \
    period = excluded.period, burst = excluded.burst, next_at = excluded.next_at, value = excluded.value \
    RETURNING revision";

const USED: &str = "UPDATE %.flow_limits SET next_at = $2 WHERE flow = $1";

/// Nobody puts an execution behind a gate meanwhile: what is made waits, and what is being made is waited for.
const STOP: &str = "LOCK TABLE %.executions IN SHARE ROW EXCLUSIVE MODE";

/// What has come through each gate and has not ended, and what has a lease to come through.
const BEGUN: &str = concat!(
    "SELECT e.flow, e.gate, count(*) FROM %.executions e WHERE e.flow = ANY($1) AND e.gate IS NOT NULL ",
    "AND (e.status IN ('running', 'waiting', 'undoing') ",
    "OR e.status = 'pending' AND e.worker IS NOT NULL AND ",
    holders::due!(),
    " > $2) GROUP BY e.flow, e.gate"
);

/// Behind the gate of its label, or of none. What has not begun, and is to stop, needs no room to begin.
const GATES: &str = "UPDATE %.executions e SET gate = CASE WHEN $2 AND NOT (e.status = 'pending' AND EXISTS \
    (SELECT 1 FROM %.messages m WHERE m.execution = e.key AND m.kind IN ('stop', 'undo'))) \
    THEN coalesce('=' || (SELECT l.value FROM %.labels l WHERE l.execution = e.key AND l.name = $3), '-') END \
    WHERE e.flow = $1 AND e.status IN ('pending', 'running', 'waiting', 'undoing')";
const GATE_OF: &str = "UPDATE %.executions e SET gate = CASE WHEN $2 THEN coalesce('=' || (SELECT l.value \
    FROM %.labels l WHERE l.execution = e.key AND l.name = $3), '-') END WHERE e.key = $1";

/// What is kept of a flow that is paused or limited, or was.
struct Kept {
    flow: LimitedFlow,
    /// What is kept of its rate.
    next: i64,
}

/// Reads the columns of [`SELECT`].
fn kept(columns: &mut Columns<'_>) -> Result<Kept> {
    let flow = columns.owned()?.unwrap_or_default();
    let revision = columns.key()?;
    let is_paused = columns.is()?;
    let at_once = columns.count()?;
    let label = columns.owned()?;
    let of_label = columns.count()?;
    let (starts, period, burst) = (columns.count()?, columns.number()?, columns.count()?);
    let next = columns.number()?.unwrap_or_default();
    let value = columns.json()?;
    let value =
        value.ok_or_else(|| Fail::Row(format!("flow {flow:?}: its limits have no value")))?;
    let mut limits = FlowLimits::new();
    limits.at_once = at_once;
    if let (Some(label), Some(most)) = (label, of_label) {
        limits = limits.per(label, most);
    }
    if let (Some(starts), Some(period)) = (starts, period) {
        let period = Duration::from_nanos(period.unsigned_abs());
        limits = limits.rate_with_burst(starts, period, burst.unwrap_or(1));
    }
    Ok(Kept {
        flow: LimitedFlow {
            flow,
            revision,
            is_paused,
            limits,
            value,
        },
        next,
    })
}

async fn read(txn: &mut Txn<'_>, flows: &[&str]) -> Result<Vec<Kept>> {
    let statement = txn.query(&format!("{SELECT} WHERE flow = ANY($1)"));
    let rows = txn.rows(statement.bind(flows)).await?;
    rows.iter().map(|row| kept(&mut Columns::of(row))).collect()
}

/// Returns all that is kept.
pub(crate) async fn list(txn: &mut Txn<'_>) -> Result<Vec<LimitedFlow>> {
    let statement = txn.query(&format!("{SELECT} ORDER BY flow"));
    let rows = txn.rows(statement).await?;
    let all = rows.iter().map(|row| Ok(kept(&mut Columns::of(row))?.flow));
    all.collect()
}

/// Returns the limits of a flow, if it is paused or limited now.
pub(super) async fn of_flow(txn: &mut Txn<'_>, flow: &str) -> Result<Option<FlowLimits>> {
    let kept = read(txn, &[flow]).await?;
    let mut in_force = kept.into_iter().filter(|kept| kept.flow.is_in_force());
    Ok(in_force.next().map(|kept| kept.flow.limits))
}

/// Puts one that may have ended before its flow had these limits behind its gate.
pub(super) async fn put_again(txn: &mut Txn<'_>, key: i64, flow: &str) -> Result<()> {
    if let Some(limits) = of_flow(txn, flow).await? {
        let label = limits.per.as_ref().map(|per| &per.label);
        let statement = txn.query(GATE_OF).bind(key);
        let statement = statement.bind(!limits.is_none()).bind(label);
        txn.execute(statement).await?;
    }
    Ok(())
}

/// Changes what is kept of a flow, if it has the revision that the caller has read.
pub(crate) async fn set(txn: &mut Txn<'_>, limit: &LimitFlow) -> Result<FlowLimited> {
    txn.alone(Lock::Limits).await?;
    let there = read(txn, &[&limit.flow]).await?.pop();
    if there.as_ref().map(|kept| kept.flow.revision) != limit.revision {
        return Ok(FlowLimited::Changed(there.map(|kept| kept.flow)));
    }
    let NewLimits {
        is_paused,
        limits,
        value,
    } = &limit.to;
    let before = there.map(|kept| (kept.flow.limits, kept.next));
    let (before, next) = before.unwrap_or((FlowLimits::new(), 0));
    // Whoever makes an execution from now on sees what is kept now.
    let statement = txn.query(STOP);
    txn.execute(statement).await?;
    let per = limits.per.as_ref();
    let label = per.map(|per| &per.label);
    let rate = |field: fn(Rate) -> i64| limits.rate.map(field);
    let statement = txn.query(PUT).bind(&limit.flow).bind(is_paused);
    let statement = statement.bind(limits.at_once.map(i64::from)).bind(label);
    let statement = statement
        .bind(per.map(|per| i64::from(per.at_once)))
        .bind(rate(|rate| rate.starts.into()))
        .bind(rate(|rate| nanos(rate.period)))
        .bind(rate(|rate| rate.burst.into()))
        .bind(if before.rate == limits.rate { next } else { 0 })
        .bind(value.get());
    let row = txn.row(statement).await?;
    let row = row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?;
    let revision = Columns::of(&row).key()?;
    // A gate says which label it is of, and whether there is any limit.
    let gates = |limits: &FlowLimits| {
        let label = limits.per.as_ref().map(|per| per.label.clone());
        (limits.is_none(), label)
    };
    if gates(&before) != gates(limits) {
        let statement = txn.query(GATES).bind(&limit.flow);
        let statement = statement.bind(!limits.is_none()).bind(label);
        txn.execute(statement).await?;
    }
    Ok(FlowLimited::Set(revision))
}

/// Returns which of a claim's flows are paused or limited, and what room there is for those that nobody holds yet,
/// with what the clock shows and which leases end. Where there are limits, only one claim at a time goes on.
pub(super) async fn gates(txn: &mut Txn<'_>, claim: &Claim) -> Result<(Gates, Ends)> {
    let names = claim.flows.iter().flat_map(|flow| &flow.names);
    let names: Vec<&str> = names.map(|name| &**name).collect();
    let mut all = read(txn, &names).await?;
    if all.iter().any(|kept| kept.flow.is_in_force()) {
        txn.alone(Lock::Limits).await?;
        all = read(txn, &names).await?;
    }
    let ends = holders::ends(txn, &claim.worker).await?;
    let now = ends.now;
    let mut gates = Gates::default();
    for kept in &all {
        gates.add(&kept.flow, kept.next, now);
    }
    let all = all.iter().map(|kept| kept.flow.flow.as_str());
    let counted: Vec<&str> = all.filter(|name| gates.counts(name)).collect();
    if !counted.is_empty() {
        let statement = txn.query(BEGUN).bind(&counted).bind(now);
        for row in &txn.rows(statement).await? {
            let mut columns = Columns::of(row);
            let flow = columns.text()?.unwrap_or_default();
            let gate = columns.text()?.unwrap_or_default();
            gates.count(flow, gate, columns.count()?.unwrap_or(u32::MAX));
        }
    }
    Ok((gates, ends))
}

/// Keeps what of the rates was used by a claim.
pub(super) async fn begun(txn: &mut Txn<'_>, gates: &Gates) -> Result<()> {
    for (flow, next) in gates.used() {
        let statement = txn.query(USED).bind(flow).bind(next);
        txn.execute(statement).await?;
    }
    Ok(())
}
