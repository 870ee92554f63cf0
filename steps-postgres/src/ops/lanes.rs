//! The lanes that executions wait in, one for each flow, gate, set of those who have refused them, and priority. A
//! claim finds the lanes by an index, from each one to the next, and looks at the beginning of each. So its cost does
//! not depend on how many executions wait.

use steps_core::store::{Claim, Gates, Wait};

use crate::{
    error::Result,
    row::{columns::Columns, nanos::time, refusers},
    server::txn::{Statement, Txn},
};

/// All lanes of these flows, each with its gate and those who have refused. Without an order, the server may take a lane
/// that has a tenth of all executions to be quickly met with in the table itself, and read all that is in front of it.
const LANES: &str = "WITH RECURSIVE asked AS ( \
    SELECT * FROM unnest($1::bigint[], $2::text[]) AS a (n, flow) \
), lane AS ( \
    SELECT a.n, a.flow, f.gated, f.refusers, f.rank FROM asked a CROSS JOIN LATERAL ( \
        SELECT e.gated, e.refusers, e.rank FROM %.executions e WHERE e.due_at IS NOT NULL AND e.flow = a.flow \
        ORDER BY e.gated, e.refusers, e.rank LIMIT 1) f \
    UNION ALL \
    SELECT l.n, l.flow, f.gated, f.refusers, f.rank FROM lane l CROSS JOIN LATERAL ( \
        SELECT e.gated, e.refusers, e.rank FROM %.executions e WHERE e.due_at IS NOT NULL AND e.flow = l.flow \
        AND (e.gated, e.refusers, e.rank) > (l.gated, l.refusers, l.rank) \
        ORDER BY e.gated, e.refusers, e.rank LIMIT 1) f \
) \
SELECT l.n, l.gated, l.refusers, l.rank, f.gate, f.refused FROM lane l CROSS JOIN LATERAL ( \
    SELECT CASE WHEN e.gated <> '' THEN e.gate END AS gate, e.refused FROM %.executions e \
    WHERE e.due_at IS NOT NULL AND e.flow = l.flow AND e.gated = l.gated AND e.refusers = l.refusers \
    AND e.rank = l.rank ORDER BY e.due_at LIMIT 1) f";

macro_rules! of_lane {
    () => {
        "e.due_at IS NOT NULL AND e.flow = l.flow AND e.gated = l.gated AND e.refusers = l.refusers AND e.rank = l.rank"
    };
}

/// What is due at the beginning of each lane. What somebody else is about to take is passed over.
const DUE: &str = concat!(
    "SELECT l.n, d.key, d.due_at FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], ",
    "$6::bigint[]) AS l (n, flow, gated, refusers, rank, most) CROSS JOIN LATERAL ( ",
    "SELECT e.key, e.due_at FROM %.executions e WHERE ",
    of_lane!(),
    " AND e.due_at <= $7 ORDER BY e.due_at, e.key LIMIT l.most FOR NO KEY UPDATE SKIP LOCKED) d"
);

/// Of each lane: when the first is due that the worker does not hold itself, when the first lease of another worker
/// ends, and the first that waits.
const NEXT: &str = concat!(
    "SELECT l.n, (SELECT e.due_at FROM %.executions e WHERE ",
    of_lane!(),
    " AND (e.worker IS DISTINCT FROM $6 OR e.due_at <= $7) ORDER BY e.due_at LIMIT 1), ",
    "(SELECT e.due_at FROM %.executions e WHERE ",
    of_lane!(),
    " AND e.worker IS NOT NULL AND e.worker <> $6 AND e.due_at > $7 ORDER BY e.due_at LIMIT 1), w.due_at, w.key ",
    "FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[]) ",
    "AS l (n, flow, gated, refusers, rank) LEFT JOIN LATERAL ( ",
    "SELECT e.due_at, e.key FROM %.executions e WHERE ",
    of_lane!(),
    " AND e.worker IS NULL AND e.due_at > $7 ORDER BY e.due_at, e.key LIMIT 1) w ON true"
);

/// A lane from which a worker may take executions.
pub(super) struct Lane<'a> {
    /// The index of the flow in the claim.
    pub(super) flow: usize,
    pub(super) name: &'a str,
    pub(super) gate: Option<String>,
    pub(super) priority: i32,
    gated: String,
    refusers: String,
    rank: i64,
}

/// An execution at the beginning of a lane.
pub(super) struct First {
    /// The index of the lane.
    pub(super) lane: usize,
    pub(super) key: i64,
    pub(super) due: i64,
}

fn index(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns all lanes that the claim may take executions from, if there is room.
pub(super) async fn lanes<'a>(
    txn: &mut Txn<'_>,
    claim: &'a Claim,
    gates: &Gates,
) -> Result<Vec<Lane<'a>>> {
    let flows = claim.flows.iter().enumerate();
    let names = flows.flat_map(|(flow, of)| of.names.iter().map(move |name| (flow, &**name)));
    let names = names.filter(|(_, name)| !gates.is_paused(name));
    let names: Vec<(usize, &str)> = names.collect();
    let numbers: Vec<i64> = (0_i64..).take(names.len()).collect();
    let texts: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
    let statement = txn.query(LANES).bind(numbers).bind(texts);
    let mut lanes = Vec::new();
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let Some((flow, name)) = names.get(index(columns.key()?)) else {
            continue;
        };
        let digest = columns.owned()?.unwrap_or_default();
        let refusers = columns.owned()?.unwrap_or_default();
        let rank = columns.key()?;
        let gate = columns.owned()?;
        let refused = columns.text()?.unwrap_or_default();
        if refused.contains(&refusers::one(claim.flows[*flow].refuser)) {
            continue;
        }
        lanes.push(Lane {
            flow: *flow,
            name,
            gate,
            priority: i32::try_from(-rank).unwrap_or_default(),
            gated: digest,
            refusers,
            rank,
        });
    }
    Ok(lanes)
}

/// Starts a statement about some of the lanes.
fn about(txn: &Txn<'_>, sql: &str, lanes: &[(usize, &Lane<'_>)]) -> Statement {
    fn column<'l, T>(lanes: &'l [(usize, &Lane<'_>)], of: impl Fn(&'l Lane<'_>) -> T) -> Vec<T> {
        lanes.iter().map(|(_, lane)| of(lane)).collect()
    }
    let numbers = lanes
        .iter()
        .map(|(n, _)| i64::try_from(*n).unwrap_or(i64::MAX));
    let numbers: Vec<i64> = numbers.collect();
    txn.query(sql)
        .bind(numbers)
        .bind(column(lanes, |lane| lane.name))
        .bind(column(lanes, |lane| &*lane.gated))
        .bind(column(lanes, |lane| &*lane.refusers))
        .bind(column(lanes, |lane| lane.rank))
}

/// Locks what is due of the lanes that there is room for.
pub(super) async fn due(
    txn: &mut Txn<'_>,
    claim: &Claim,
    lanes: &[Lane<'_>],
    gates: &Gates,
    now: i64,
) -> Result<Vec<First>> {
    let open = lanes.iter().enumerate();
    let open = open.filter(|(_, lane)| gates.has_room(lane.name, lane.gate.as_deref()));
    let open: Vec<(usize, &Lane<'_>)> = open.collect();
    if open.is_empty() || claim.limit == 0 {
        return Ok(Vec::new());
    }
    let limits = open.iter().map(|(_, lane)| {
        let limit = claim.flows[lane.flow].limit.min(claim.limit);
        i64::try_from(limit).unwrap_or(i64::MAX)
    });
    let limits: Vec<i64> = limits.collect();
    let statement = about(txn, DUE, &open).bind(limits).bind(now);
    let rows = txn.rows(statement).await?;
    let first = rows.iter().map(|row| {
        let mut columns = Columns::of(row);
        Ok(First {
            lane: index(columns.key()?),
            key: columns.key()?,
            due: columns.key()?,
        })
    });
    first.collect()
}

/// Returns when the next execution is due, and which one waits for the earliest time.
pub(super) async fn next(
    txn: &mut Txn<'_>,
    claim: &Claim,
    lanes: &[Lane<'_>],
    gates: &Gates,
    now: i64,
) -> Result<(Option<i64>, Option<Wait>)> {
    if lanes.is_empty() {
        return Ok((None, None));
    }
    let all: Vec<(usize, &Lane<'_>)> = lanes.iter().enumerate().collect();
    let statement = about(txn, NEXT, &all).bind(&claim.worker).bind(now);
    let mut first: Option<i64> = None;
    let mut waits: Option<(i64, i64)> = None;
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let Some(lane) = lanes.get(index(columns.key()?)) else {
            continue;
        };
        let gate = lane.gate.as_deref();
        let (open, ends) = (columns.number()?, columns.number()?);
        let next = if gates.has_room(lane.name, gate) {
            [open, None]
        } else {
            [gates.opens(lane.name, gate), ends]
        };
        first = first.into_iter().chain(next.into_iter().flatten()).min();
        let wait = columns.number()?.zip(columns.number()?);
        waits = waits.into_iter().chain(wait).min();
    }
    let waits = waits.map(|(until, key)| Wait {
        key,
        until: time(until),
    });
    Ok((first, waits))
}
