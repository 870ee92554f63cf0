//! Claims: which executions are due, and when the next one will be.
//!
//! Executions that may be claimed are sorted into lanes by two indexes, one for each clock: those
//! that wait for a time, and those that are free from a moment on. Each index has one lane for each
//! flow, priority, and set of those who have refused them (or none). A claim asks the indexes for the
//! lanes, which are few, and then for the beginning of each. So its cost does not depend on how many
//! executions wait.

use std::{cmp::Reverse, collections::BTreeSet};

use rusqlite::{CachedStatement, Connection, OptionalExtension, params, types::Value};
use steps_core::store::{Claim, Claimed, FlowClaim, Refuser, Share, Wait};

use super::{execution, execution::select_execution, lease, txn::Txn, unreadable};
use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::{
        nanos::{clamped, time},
        refusers,
    },
};

/// The queries about those that go by one clock.
pub(crate) struct Queries {
    /// The next of those sets of flows that have refused an execution of the flow.
    pub(crate) refused: &'static str,
    /// The next lower priority of the flow.
    pub(crate) priority: &'static str,
    /// The executions at the beginning of a lane that are due.
    pub(crate) due: &'static str,
    /// The time of the first execution of a lane that the worker does not hold itself. Those that
    /// it holds are skipped within the index.
    pub(crate) next: &'static str,
}

macro_rules! queries {
    ($column:literal) => {
        Queries {
            refused: concat!(
                "SELECT refused FROM executions WHERE flow = ?1 AND ",
                $column,
                " IS NOT NULL AND refused > ?2 ORDER BY refused LIMIT 1"
            ),
            priority: concat!(
                "SELECT priority FROM executions WHERE flow = ?1 AND refused IS ?2 AND ",
                $column,
                " IS NOT NULL AND priority < ?3 ORDER BY priority DESC LIMIT 1"
            ),
            due: concat!(
                "SELECT key, ",
                $column,
                " FROM executions WHERE flow = ?1 AND refused IS ?2 AND priority = ?3 AND ",
                $column,
                " <= ?4 ORDER BY ",
                $column,
                " LIMIT ?5"
            ),
            next: concat!(
                "SELECT ",
                $column,
                " FROM executions WHERE flow = ?1 AND refused IS ?2 AND priority = ?3 AND ",
                $column,
                " IS NOT NULL AND (worker IS NOT ?4 OR ",
                $column,
                " <= ?5) ORDER BY ",
                $column,
                " LIMIT 1"
            ),
        }
    };
}

/// Those that wait for a time.
pub(crate) const WAITS: Queries = queries!("due_at");
/// Those that are free from a moment on.
pub(crate) const FREE: Queries = queries!("free_at");

/// The first execution of a lane that waits for a time which has not come.
pub(crate) const NEXT_WAIT: &str = "SELECT due_at, key FROM executions \
    WHERE flow = ?1 AND refused IS ?2 AND priority = ?3 AND due_at > ?4 AND worker IS NULL \
    ORDER BY due_at LIMIT 1";

/// One that waits for just this time.
const WAITED: &str = "SELECT flow, refused, priority FROM executions \
    WHERE key = ?1 AND due_at = ?2 AND due_at > ?3 AND worker IS NULL";

/// An index of executions that may be claimed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Index {
    /// Those that wait for a time.
    Waits,
    /// Those that are free from a moment on.
    Free,
}

/// The executions of one flow and one priority that were refused by the same ones, or by none.
#[derive(Clone)]
struct Lane<'a> {
    by: Index,
    /// The index of the flow in the claim.
    flow: usize,
    name: &'a str,
    /// The column; `NULL` if nobody has refused them.
    refused: Value,
    priority: i64,
}

impl Index {
    fn queries(self) -> &'static Queries {
        match self {
            Self::Waits => &WAITS,
            Self::Free => &FREE,
        }
    }

    /// Returns what its clock shows.
    fn now(self, now: Now) -> Option<i64> {
        match self {
            Self::Waits => Some(now.wall),
            Self::Free => now.boot,
        }
    }

    /// Returns the time by the wall clock of what it has.
    fn time(self, indexed: i64, now: Now) -> i64 {
        match self {
            Self::Waits => indexed,
            Self::Free => now.wall_at(indexed),
        }
    }
}

/// An execution that may be claimed. The order of the fields is the order in which a claim takes
/// them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: Reverse<i64>,
    due: i64,
    key: i64,
    flow: usize,
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
    let lanes = lanes(conn, claim)?;
    let (mut taken, mut left, mut unread) = (Vec::new(), false, None);
    let mut share = Share::default();
    let mut of_key = conn.prepare_cached(select_execution!("WHERE e.key = ?1"))?;
    for (key, flow) in due(conn, claim, &lanes, now)? {
        if share.is_used_up() {
            left = true;
            break;
        }
        let mut rows = of_key.query([key])?;
        let Some(row) = rows.next()? else { continue };
        let readable = execution::execution(row, now)
            .and_then(|execution| lease::readable(conn, execution, &mut share));
        drop(rows);
        match readable {
            // The next claim begins with it.
            Ok(readable) if !readable.is_whole && !taken.is_empty() => {
                left = true;
                break;
            }
            Ok(readable) => {
                unread = (!readable.is_whole).then_some(flow.refuser);
                taken.push(readable.lease(conn, &claim.worker, claim.lease, now)?);
            }
            // An execution that can't be read must not keep the others from being claimed.
            Err(Fail::Row(why)) => unreadable::set_aside(conn, key, flow.refuser, &why)?,
            Err(other) => return Err(other),
        }
    }
    let claimed = Claimed {
        taken,
        left,
        next_due: next(conn, claim, &lanes, now)?.map(time),
        next_wait: next_wait(conn, &lanes, now)?,
        now: time(now.wall),
    };
    Ok(Answer { claimed, unread })
}

fn lanes<'a>(conn: &Connection, claim: &'a Claim) -> Result<Vec<Lane<'a>>> {
    let mut lanes = Vec::new();
    for by in [Index::Waits, Index::Free] {
        let mut priorities = conn.prepare_cached(by.queries().priority)?;
        for (flow, of) in claim.flows.iter().enumerate() {
            for name in &of.names {
                let mut lane = Lane {
                    by,
                    flow,
                    name,
                    refused: Value::Null,
                    priority: 0,
                };
                add_lanes(&mut priorities, &lane, &mut lanes)?;
                for refused in refusals(conn, by.queries(), name)? {
                    if !has_refused(&refused, of.refuser) {
                        lane.refused = refused;
                        add_lanes(&mut priorities, &lane, &mut lanes)?;
                    }
                }
            }
        }
    }
    Ok(lanes)
}

/// Returns who have refused executions of a flow, each set of them once, as it is in the column.
pub(crate) fn refusals(conn: &Connection, queries: &Queries, flow: &str) -> Result<Vec<Value>> {
    let mut statement = conn.prepare_cached(queries.refused)?;
    // Older versions of this library wrote numbers, which come before texts.
    let mut last = Value::Integer(i64::MIN);
    let mut all = Vec::new();
    loop {
        let next = statement.query_row(params![flow, last], |row| row.get::<_, Value>(0));
        let Some(next) = next.optional()? else {
            return Ok(all);
        };
        all.push(next.clone());
        last = next;
    }
}

/// Returns the text of the column.
pub(crate) fn refused_by(refused: &Value) -> &str {
    match refused {
        Value::Text(all) => all,
        _ => "",
    }
}

/// Returns whether this flow is one of those who have refused an execution.
pub(crate) fn has_refused(refused: &Value, flow: Refuser) -> bool {
    refused_by(refused).contains(&refusers::one(flow))
}

/// Adds the lanes of all priorities.
fn add_lanes<'a>(
    priorities: &mut CachedStatement<'_>,
    like: &Lane<'a>,
    lanes: &mut Vec<Lane<'a>>,
) -> Result<()> {
    let mut last = i64::MAX;
    while let Some(priority) = number(priorities, params![like.name, like.refused, last])? {
        last = priority;
        lanes.push(Lane {
            priority,
            ..like.clone()
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
    now: Now,
) -> Result<Vec<(i64, &'a FlowClaim)>> {
    let mut candidates = waited(conn, claim, now)?;
    for lane in lanes {
        let limit = claim.flows[lane.flow].limit.min(claim.limit);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = params![
            lane.name,
            lane.refused,
            lane.priority,
            lane.by.now(now),
            limit
        ];
        let mut statement = conn.prepare_cached(lane.by.queries().due)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let due = lane.by.time(row.get(1)?, now);
            candidates.insert(Candidate {
                rank: Reverse(rank(claim, lane.priority, due, now)),
                key: row.get(0)?,
                due,
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

/// Returns those that the worker has waited for.
fn waited(conn: &Connection, claim: &Claim, now: Now) -> Result<BTreeSet<Candidate>> {
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
        let rank = Reverse(row.get(2)?);
        candidates.extend(flow.map(|flow| Candidate {
            rank,
            due: now.wall,
            key: wait.key,
            flow,
        }));
    }
    Ok(candidates)
}

/// Returns what counts as the priority of one that has been due since then.
fn rank(claim: &Claim, priority: i64, due: i64, now: Now) -> i64 {
    let priority = i32::try_from(priority).unwrap_or_default();
    claim.rank(priority, time(due), time(now.wall))
}

fn next(conn: &Connection, claim: &Claim, lanes: &[Lane<'_>], now: Now) -> Result<Option<i64>> {
    let mut first = None;
    for lane in lanes {
        let mut statement = conn.prepare_cached(lane.by.queries().next)?;
        let (refused, priority) = (&lane.refused, lane.priority);
        let params = params![lane.name, refused, priority, claim.worker, lane.by.now(now)];
        let next = number(&mut statement, params)?.map(|next| lane.by.time(next, now));
        first = [first, next].into_iter().flatten().min();
    }
    Ok(first)
}

fn next_wait(conn: &Connection, lanes: &[Lane<'_>], now: Now) -> Result<Option<Wait>> {
    let mut statement = conn.prepare_cached(NEXT_WAIT)?;
    let mut first: Option<(i64, i64)> = None;
    for lane in lanes.iter().filter(|lane| lane.by == Index::Waits) {
        let params = params![lane.name, lane.refused, lane.priority, now.wall];
        let next = statement.query_row(params, |row| Ok((row.get(0)?, row.get(1)?)));
        first = [first, next.optional()?].into_iter().flatten().min();
    }
    Ok(first.map(|(until, key)| Wait {
        key,
        until: time(until),
    }))
}

#[cfg(test)]
mod tests;
