//! Claims: which executions are due, and when the next one will be.
//!
//! Executions with a due time are sorted into lanes by the index: one lane for each flow, priority,
//! and fingerprint that has refused them (or none). A claim asks the index for the lanes, which are
//! few, and then for the beginning of each. So its cost does not depend on how many executions
//! wait.

use std::{cmp::Reverse, collections::BTreeSet};

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use steps_core::store::{Claim, Claimed, FlowClaim};

use super::{execution, execution::select_execution, lease};
use crate::{
    error::{Fail, Result},
    row::nanos::{after, time},
};

/// The next larger fingerprint that has refused an execution of the flow.
pub(crate) const REFUSED: &str = "SELECT refused FROM executions \
    WHERE flow = ?1 AND due_at IS NOT NULL AND refused > ?2 ORDER BY refused LIMIT 1";

/// The next lower priority of the flow.
pub(crate) const PRIORITY: &str = "SELECT priority FROM executions \
    WHERE flow = ?1 AND refused IS ?2 AND due_at IS NOT NULL AND priority < ?3 \
    ORDER BY priority DESC LIMIT 1";

/// The executions at the beginning of a lane that are due.
pub(crate) const DUE: &str = "SELECT key, due_at FROM executions \
    WHERE flow = ?1 AND refused IS ?2 AND priority = ?3 AND due_at <= ?4 \
    ORDER BY due_at LIMIT ?5";

/// The due time of the first execution of a lane that the worker does not hold itself. Those that
/// it holds are skipped within the index.
pub(crate) const NEXT: &str = "SELECT due_at FROM executions \
    WHERE flow = ?1 AND refused IS ?2 AND priority = ?3 AND due_at IS NOT NULL \
    AND (worker IS NOT ?4 OR due_at <= ?5) ORDER BY due_at LIMIT 1";

const UNREADABLE: &str = "UPDATE executions SET worker = NULL, refused = ?2, refused_why = ?3 \
    WHERE key = ?1";

/// The executions of one flow and one priority that were refused by the same fingerprint, or by
/// none.
struct Lane<'a> {
    /// The index of the flow in the claim.
    flow: usize,
    name: &'a str,
    refused: Option<i64>,
    priority: i64,
}

/// An execution that may be claimed. The order of the fields is the order in which a claim takes
/// them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    priority: Reverse<i64>,
    due: i64,
    key: i64,
    flow: usize,
}

/// Leases executions that are due to a worker.
pub(crate) fn claim(conn: &Connection, claim: &Claim, now: i64) -> Result<Claimed> {
    let lanes = lanes(conn, claim)?;
    let until = after(now, claim.lease);
    let mut taken = Vec::new();
    let mut of_key = conn.prepare_cached(select_execution!("WHERE e.key = ?1"))?;
    for (key, flow) in due(conn, claim, &lanes, now)? {
        let mut rows = of_key.query([key])?;
        let Some(row) = rows.next()? else { continue };
        let readable =
            execution::execution(row).and_then(|execution| lease::readable(conn, execution));
        drop(rows);
        match readable {
            Ok(readable) => taken.push(readable.lease(conn, &claim.worker, until)?),
            // An execution that can't be read must not keep the others from being claimed.
            Err(Fail::Row(why)) => {
                let why = format!("it can't be read: {why}");
                let fingerprint = flow.fingerprint.cast_signed();
                conn.prepare_cached(UNREADABLE)?
                    .execute(params![key, fingerprint, why])?;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Claimed {
        taken,
        next_due: next(conn, claim, &lanes, now)?.map(time),
        now: time(now),
    })
}

fn lanes<'a>(conn: &Connection, claim: &'a Claim) -> Result<Vec<Lane<'a>>> {
    let mut lanes = Vec::new();
    let mut refused = conn.prepare_cached(REFUSED)?;
    let mut priorities = conn.prepare_cached(PRIORITY)?;
    for (flow, of) in claim.flows.iter().enumerate() {
        for name in &of.names {
            add_lanes(&mut priorities, flow, name, None, &mut lanes)?;
            let mut last = i64::MIN;
            while let Some(next) = number(&mut refused, params![name, last])? {
                last = next;
                if next != of.fingerprint.cast_signed() {
                    add_lanes(&mut priorities, flow, name, Some(next), &mut lanes)?;
                }
            }
        }
    }
    Ok(lanes)
}

fn add_lanes<'a>(
    priorities: &mut CachedStatement<'_>,
    flow: usize,
    name: &'a str,
    refused: Option<i64>,
    lanes: &mut Vec<Lane<'a>>,
) -> Result<()> {
    let mut last = i64::MAX;
    while let Some(priority) = number(priorities, params![name, refused, last])? {
        last = priority;
        lanes.push(Lane {
            flow,
            name,
            refused,
            priority,
        });
    }
    Ok(())
}

fn number(
    statement: &mut CachedStatement<'_>,
    params: impl rusqlite::Params,
) -> Result<Option<i64>> {
    Ok(statement.query_row(params, |row| row.get(0)).optional()?)
}

/// Returns the keys of the executions to claim, in their order, each with its flow.
fn due<'a>(
    conn: &Connection,
    claim: &'a Claim,
    lanes: &[Lane<'_>],
    now: i64,
) -> Result<Vec<(i64, &'a FlowClaim)>> {
    let mut candidates = BTreeSet::new();
    let mut statement = conn.prepare_cached(DUE)?;
    for lane in lanes {
        let limit = claim.flows[lane.flow].limit.min(claim.limit);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = params![lane.name, lane.refused, lane.priority, now, limit];
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            candidates.insert(Candidate {
                priority: Reverse(lane.priority),
                key: row.get(0)?,
                due: row.get(1)?,
                flow: lane.flow,
            });
        }
    }
    let mut left: Vec<usize> = claim.flows.iter().map(|flow| flow.limit).collect();
    let mut chosen = Vec::new();
    // Two flows of the claim may have a name in common.
    let mut seen = BTreeSet::new();
    for candidate in candidates {
        if chosen.len() == claim.limit {
            break;
        }
        let left = &mut left[candidate.flow];
        if *left > 0 && seen.insert(candidate.key) {
            *left -= 1;
            chosen.push((candidate.key, &claim.flows[candidate.flow]));
        }
    }
    Ok(chosen)
}

fn next(conn: &Connection, claim: &Claim, lanes: &[Lane<'_>], now: i64) -> Result<Option<i64>> {
    let mut statement = conn.prepare_cached(NEXT)?;
    let mut first = None;
    for lane in lanes {
        let params = params![lane.name, lane.refused, lane.priority, claim.worker, now];
        let next = number(&mut statement, params)?;
        first = [first, next].into_iter().flatten().min();
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
