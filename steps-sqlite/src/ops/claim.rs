//! Claims: which executions are due, and when the next one will be.
//!
//! Executions that may be claimed are sorted into lanes by two indexes, one for each clock: those
//! that wait for a time, and those that are free from a moment on. Each index has one lane for each
//! flow, priority, and set of those who have refused them (or none), and of a flow with limits for each gate
//! that those wait behind which have not begun. A claim asks the indexes for the
//! lanes, which are few, and then for the beginning of each. So its cost does not depend on how many
//! executions wait.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeSet};

use rusqlite::{Connection, OptionalExtension, types::Value};
use steps_core::store::{Claim, Claimed, Gates, Refuser, Share, Wait};

use super::{execution, execution::select_execution, lease, limits, txn::Txn, unreadable};
use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::nanos::{clamped, time},
};

pub(crate) mod lanes;

use lanes::{Index, Lane, has_refused, number};

/// The first execution of a lane that waits for a time which has not come.
pub(crate) const NEXT_WAIT: &str = "SELECT due_at, key FROM executions \
    WHERE flow = ?1 AND (gate IS NULL OR status <> 'pending') AND refused IS ?2 AND priority = ?3 \
    AND due_at > ?4 AND worker IS NULL ORDER BY due_at LIMIT 1";

/// The same of a gated lane.
pub(crate) const GATED_NEXT_WAIT: &str = "SELECT due_at, key FROM executions \
    WHERE flow = ?1 AND status = 'pending' AND gate = ?5 AND refused IS ?2 AND priority = ?3 \
    AND due_at > ?4 AND worker IS NULL ORDER BY due_at LIMIT 1";

/// One that waits for just this time.
const WAITED: &str = "SELECT flow, refused, priority, iif(status = 'pending', gate, NULL) \
    FROM executions WHERE key = ?1 AND due_at = ?2 AND due_at > ?3 AND worker IS NULL";

/// An execution that may be claimed. The order of the fields is the order in which a claim takes
/// them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    rank: Reverse<i64>,
    due: i64,
    key: i64,
    flow: usize,
    name: Cow<'a, str>,
    /// The gate that it waits behind.
    gate: Option<String>,
}

/// The answer to a claim, and what is still to be read of it.
pub(crate) struct Answer {
    pub(crate) claimed: Claimed,
    /// By whom the execution is unreadable, if it is: the only one in the answer, whose nodes are too
    /// many to be read in the transaction.
    pub(crate) unread: Option<Refuser>,
}

/// Leases executions that are due to a worker, as many as a share holds.
pub(crate) fn claim(conn: &Txn<'_>, claim: &Claim, now: Now) -> Result<Answer> {
    let mut gates = limits::gates(conn, claim, now)?;
    let lanes = lanes::lanes(conn, claim, &gates)?;
    let (mut taken, mut left, mut unread) = (Vec::new(), false, None);
    let mut share = Share::default();
    let mut of_key = conn.prepare_cached(select_execution!("WHERE e.key = ?1"))?;
    for one in due(conn, claim, &lanes, &mut gates, now)? {
        left |= share.is_used_up();
        if left {
            gates.give_back(&one.name, one.gate.as_deref());
            continue;
        }
        let flow = &claim.flows[one.flow];
        let mut rows = of_key.query([one.key])?;
        let Some(row) = rows.next()? else { continue };
        let readable = execution::execution(row, now)
            .and_then(|execution| lease::readable(conn, execution, &mut share));
        drop(rows);
        match readable {
            // The next claim begins with it.
            Ok(readable) if !readable.is_whole && !taken.is_empty() => {
                left = true;
                gates.give_back(&one.name, one.gate.as_deref());
            }
            Ok(readable) => {
                unread = (!readable.is_whole).then_some(flow.refuser);
                taken.push(readable.lease(conn, &claim.worker, claim.lease, now)?);
            }
            // An execution that can't be read must not keep the others from being claimed.
            Err(Fail::Row(why)) => {
                gates.give_back(&one.name, one.gate.as_deref());
                unreadable::set_aside(conn, one.key, flow.refuser, &why)?;
            }
            Err(other) => return Err(other),
        }
    }
    let claimed = Claimed {
        taken,
        left,
        next_due: next(conn, claim, &lanes, &gates, now)?.map(time),
        next_wait: next_wait(conn, &lanes, now)?,
        limited: gates.names(),
        now: time(now.wall),
    };
    limits::begun(conn, &gates)?;
    Ok(Answer { claimed, unread })
}

/// Returns the executions to claim, in their order.
fn due<'a>(
    conn: &Connection,
    claim: &Claim,
    lanes: &[Lane<'a>],
    gates: &mut Gates,
    now: Now,
) -> Result<Vec<Candidate<'a>>> {
    let mut candidates = waited(conn, claim, now)?;
    for lane in lanes {
        if !gates.has_room(lane.name, lane.gate.as_deref()) {
            continue;
        }
        let limit = claim.flows[lane.flow].limit.min(claim.limit);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = conn.prepare_cached(lane.queries().due)?;
        let shown = lane.by.now(now);
        let mut rows = statement.query(&lane.params(&[&shown, &limit])[..])?;
        while let Some(row) = rows.next()? {
            let due = lane.by.time(row.get(1)?, now);
            candidates.insert(Candidate {
                rank: Reverse(rank(claim, lane.priority, due, now)),
                key: row.get(0)?,
                due,
                flow: lane.flow,
                name: Cow::Borrowed(lane.name),
                gate: lane.gate.clone(),
            });
        }
    }
    let mut left: Vec<usize> = claim.flows.iter().map(|flow| flow.limit).collect();
    let mut chosen = Vec::new();
    // Two flows of the claim may have a name in common.
    let mut seen = BTreeSet::new();
    for one in candidates {
        if chosen.len() == claim.limit {
            break;
        }
        let left = &mut left[one.flow];
        if *left > 0 && seen.insert(one.key) && gates.take(&one.name, one.gate.as_deref()) {
            *left -= 1;
            chosen.push(one);
        }
    }
    Ok(chosen)
}

/// Returns those that the worker has waited for.
fn waited<'a>(conn: &Connection, claim: &Claim, now: Now) -> Result<BTreeSet<Candidate<'a>>> {
    let mut candidates = BTreeSet::new();
    let mut statement = conn.prepare_cached(WAITED)?;
    for wait in &claim.waited {
        let until = clamped(wait.until);
        let mut rows = statement.query([wait.key, until, now.wall])?;
        let Some(row) = rows.next()? else { continue };
        let name = row.get_ref(0)?.as_str().unwrap_or_default();
        let refused: Value = row.get(1)?;
        let flow = claim.flows.iter().position(|flow| {
            let named = flow.names.iter().any(|known| *known == *name);
            named && !has_refused(&refused, flow.refuser)
        });
        let Some(flow) = flow else { continue };
        candidates.insert(Candidate {
            rank: Reverse(row.get(2)?),
            due: now.wall,
            key: wait.key,
            flow,
            name: Cow::Owned(name.to_owned()),
            gate: row.get(3)?,
        });
    }
    Ok(candidates)
}

/// Returns what counts as the priority of one that has been due since then.
fn rank(claim: &Claim, priority: i64, due: i64, now: Now) -> i64 {
    let priority = i32::try_from(priority).unwrap_or_default();
    claim.rank(priority, time(due), time(now.wall))
}

fn next(
    conn: &Connection,
    claim: &Claim,
    lanes: &[Lane<'_>],
    gates: &Gates,
    now: Now,
) -> Result<Option<i64>> {
    let mut first = None;
    for lane in lanes {
        let gate = lane.gate.as_deref();
        let next = if gates.has_room(lane.name, gate) {
            let mut statement = conn.prepare_cached(lane.queries().next)?;
            let shown = lane.by.now(now);
            let next = number(&mut statement, &lane.params(&[&claim.worker, &shown]))?;
            next.map(|next| lane.by.time(next, now))
        } else {
            let opens = gates.opens(lane.name, gate);
            let ends = lane.end(conn, &claim.worker, now)?;
            [opens, ends].into_iter().flatten().min()
        };
        first = [first, next].into_iter().flatten().min();
    }
    Ok(first)
}

fn next_wait(conn: &Connection, lanes: &[Lane<'_>], now: Now) -> Result<Option<Wait>> {
    let mut first: Option<(i64, i64)> = None;
    for lane in lanes.iter().filter(|lane| lane.by == Index::Waits) {
        let sql = lane.gate.as_ref().map_or(NEXT_WAIT, |_| GATED_NEXT_WAIT);
        let mut statement = conn.prepare_cached(sql)?;
        let params = lane.params(&[&now.wall]);
        let next = statement.query_row(&params[..], |row| Ok((row.get(0)?, row.get(1)?)));
        first = [first, next.optional()?].into_iter().flatten().min();
    }
    Ok(first.map(|(until, key)| Wait {
        key,
        until: time(until),
    }))
}

#[cfg(test)]
mod tests;
