//! Flows that are paused or limited: reading and changing what is kept of them, and what a claim has to
//! know. What is read is known until somebody else writes to the file, so that it costs a write nothing.

use std::{sync::Arc, time::Duration};

use rusqlite::{Connection, Row, params};
use steps_core::store::{
    Claim, FlowLimited, FlowLimits, Gates, LimitFlow, LimitedFlow, NewExecution, NewLimits, Rate,
};

use super::{claim::lanes, known::Kept, txn::Txn};
use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::{columns::Columns, nanos::nanos},
};

const ALL: &str = "SELECT revision, flow, paused, at_once, label, of_label, starts, period, burst, \
    next_at, value FROM flow_limits WHERE flow >= '' ORDER BY flow";

// The row goes with its revision, and the new one has one that no row had.
const REMOVE: &str = "DELETE FROM flow_limits WHERE flow = ?1";
const PUT: &str = "INSERT INTO flow_limits (flow, paused, at_once, label, of_label, starts, period, \
    burst, next_at, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

const USED: &str = "UPDATE flow_limits SET next_at = ?2 WHERE flow = ?1";

const BEGUN: &str = "SELECT gate, count(*) FROM executions WHERE flow = ?1 AND gate IS NOT NULL \
    AND status IN ('running', 'waiting', 'undoing') GROUP BY gate";

/// Behind the gate of its label, or of none.
const GATE: &str = "UPDATE executions SET gate = ?2 WHERE key = ?1";
/// The gate of an execution by a label, if its flow has limits. What has not begun and is to stop needs no
/// room to begin, and waits behind none.
macro_rules! regate {
    ($of:literal) => {
        concat!(
            "UPDATE executions SET gate = iif(?2 AND NOT (status = 'pending' AND EXISTS (SELECT 1 FROM \
             messages WHERE execution = key AND kind IN ('stop', 'undo'))), coalesce('=' || (SELECT value \
             FROM labels WHERE execution = key AND name = ?3), '-'), NULL) WHERE ",
            $of
        )
    };
}
const GATES: &str = regate!("flow = ?1 AND status IN ('pending', 'running', 'waiting', 'undoing')");
const GATE_OF: &str = regate!("key = ?1");

fn kept(row: &Row<'_>) -> Result<Kept> {
    let mut columns = Columns::from(row, 0);
    let revision = columns.number()?;
    let revision = columns.some(revision)?;
    let flow = columns.text()?.unwrap_or_default().to_owned();
    let is_paused = columns.number()?.is_some_and(|paused| paused != 0);
    let at_once = columns.count()?;
    let label = columns.text()?.map(str::to_owned);
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

fn read(conn: &Connection) -> Result<Vec<Kept>> {
    let mut statement = conn.prepare_cached(ALL)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(kept(row)?);
    }
    Ok(all)
}

/// Returns all that is kept.
pub(crate) fn list(conn: &Connection) -> Result<Vec<LimitedFlow>> {
    Ok(read(conn)?.into_iter().map(|kept| kept.flow).collect())
}

/// Returns the same, read only if it is not known.
fn known(txn: &Txn<'_>) -> Result<Arc<[Kept]>> {
    if let Some(known) = txn.known().and_then(|known| known.limits()) {
        return Ok(known);
    }
    let all: Arc<[Kept]> = read(txn)?.into();
    if let Some(mut known) = txn.known() {
        known.know_limits(Arc::clone(&all));
    }
    Ok(all)
}

/// Returns the limits of a flow, if it is paused or limited now.
pub(crate) fn of_flow(txn: &Txn<'_>, flow: &str) -> Result<Option<FlowLimits>> {
    let known = known(txn)?;
    let of_flow = known.iter().map(|kept| &kept.flow);
    let mut of_flow = of_flow.filter(|kept| kept.flow == flow && kept.is_in_force());
    Ok(of_flow.next().map(|kept| kept.limits.clone()))
}

/// Puts a new execution behind its gate.
pub(crate) fn put_behind_gate(
    txn: &Txn<'_>,
    key: i64,
    new: &NewExecution,
    limits: &FlowLimits,
) -> Result<()> {
    if let Some(gate) = limits.gate(&new.labels) {
        txn.prepare_cached(GATE)?.execute(params![key, gate])?;
    }
    Ok(())
}

/// Puts one that may have ended before its flow had these limits behind its gate.
pub(crate) fn put_again(txn: &Txn<'_>, key: i64, flow: &str) -> Result<()> {
    if let Some(limits) = of_flow(txn, flow)? {
        let label = limits.per.as_ref().map(|per| &per.label);
        let values = params![key, !limits.is_none(), label];
        txn.prepare_cached(GATE_OF)?.execute(values)?;
    }
    Ok(())
}

/// Changes what is kept of a flow, if it has the revision that the caller has read.
pub(crate) fn set(txn: &Txn<'_>, limit: &LimitFlow) -> Result<FlowLimited> {
    let all = read(txn)?;
    let there = all.into_iter().find(|kept| kept.flow.flow == limit.flow);
    if there.as_ref().map(|kept| kept.flow.revision) != limit.revision {
        return Ok(FlowLimited::Changed(there.map(|kept| kept.flow)));
    }
    let NewLimits {
        is_paused,
        limits,
        value,
    } = &limit.to;
    let (before, next) = there.map_or((FlowLimits::new(), 0), |kept| (kept.flow.limits, kept.next));
    let next = (before.rate == limits.rate).then_some(next);
    let per = limits.per.as_ref();
    let label = per.map(|per| &per.label);
    let rate = |field: fn(Rate) -> i64| limits.rate.map(field);
    txn.prepare_cached(REMOVE)?.execute([&limit.flow])?;
    let revision = txn.prepare_cached(PUT)?.insert(params![
        limit.flow,
        is_paused,
        limits.at_once,
        label,
        per.map(|per| per.at_once),
        rate(|rate| rate.starts.into()),
        rate(|rate| nanos(rate.period)),
        rate(|rate| rate.burst.into()),
        next,
        value.get(),
    ])?;
    // A gate says which label it is of, and whether there is any limit.
    let gates = |limits: &FlowLimits| {
        let label = limits.per.as_ref().map(|per| per.label.clone());
        (limits.is_none(), label)
    };
    if gates(&before) != gates(limits) {
        txn.prepare_cached(GATES)?
            .execute(params![limit.flow, !limits.is_none(), label])?;
    }
    if let Some(mut known) = txn.known() {
        known.forget_limits();
    }
    Ok(FlowLimited::Set(revision))
}

/// Returns which of a claim's flows are paused or limited, and what room there is for those that nobody
/// holds yet.
pub(super) fn gates(txn: &Txn<'_>, claim: &Claim, now: Now) -> Result<Gates> {
    let mut gates = Gates::default();
    let known = known(txn)?;
    for kept in &*known {
        let mut names = claim.flows.iter().flat_map(|flow| &flow.names);
        if !names.any(|name| *name == *kept.flow.flow) {
            continue;
        }
        let name = &kept.flow.flow;
        gates.add(&kept.flow, kept.next, now.wall);
        if gates.counts(name) {
            let mut statement = txn.prepare_cached(BEGUN)?;
            let mut rows = statement.query([name])?;
            while let Some(row) = rows.next()? {
                let gate: String = row.get(0)?;
                gates.count(name, &gate, row.get(1)?);
            }
            lanes::count_held(txn, name, &mut gates, now)?;
        }
    }
    Ok(gates)
}

/// Keeps what of the rates was used by a claim.
pub(super) fn begun(txn: &Txn<'_>, gates: &Gates) -> Result<()> {
    for (flow, next) in gates.used() {
        txn.prepare_cached(USED)?.execute(params![flow, next])?;
        if let Some(mut known) = txn.known() {
            known.forget_limits();
        }
    }
    Ok(())
}
