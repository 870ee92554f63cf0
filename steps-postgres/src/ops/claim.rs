//! Claims: which executions are due, and when the next one will be.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use sqlx::postgres::PgRow;
use steps_core::store::{Claim, Claimed, Gates, HeldExecution, Lease, NodeRow, Share};

use super::{
    execution::{self, Execution, Ranges},
    holders, inbox, lanes,
    lanes::Lane,
    lease, limits,
};
use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{clamped, nanos, time},
        refusers,
    },
    server::txn::Txn,
};

/// Those that wait for just these times.
const WAITED: &str = "SELECT e.key, e.flow, e.refused, e.priority, CASE WHEN e.status = 'pending' THEN e.gate END \
    FROM %.executions e JOIN unnest($1::bigint[], $2::bigint[]) AS w (key, until) ON w.key = e.key \
    WHERE e.due_at = w.until AND e.due_at > $3 AND e.worker IS NULL FOR NO KEY UPDATE OF e SKIP LOCKED";

const TAKE: &str = "UPDATE %.executions SET fence = fence + 1, worker = $2, due_at = $3, holder = NULL, \
    refused = NULL, refused_why = NULL WHERE key = ANY($1)";

const UNREADABLE: &str = "UPDATE %.executions SET worker = NULL, refused_why = $3, \
    refused = coalesce(refused || ' ', '') || $2 WHERE key = $1";

/// An execution that may be claimed. The order of the fields is the order in which a claim takes them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: Reverse<i64>,
    due: i64,
    key: i64,
    flow: usize,
    name: String,
    /// The gate that it waits behind.
    gate: Option<String>,
}

/// Leases executions that are due to a worker, as many as a share holds.
pub(crate) async fn claim(txn: &mut Txn<'_>, claim: &Claim) -> Result<Claimed> {
    let (mut gates, ends) = limits::gates(txn, claim).await?;
    let now = ends.now;
    let next_end = holders::free(txn, &ends).await?;
    let lanes = lanes::lanes(txn, claim, &gates).await?;
    let chosen = due(txn, claim, &lanes, &mut gates, now).await?;
    let until = now.saturating_add(nanos(claim.lease));
    let (taken, left) = match &chosen[..] {
        [] => (Vec::new(), false),
        chosen => take(txn, claim, chosen, &mut gates, until).await?,
    };
    let (next_due, next_wait) = lanes::next(txn, claim, &lanes, &gates, now).await?;
    limits::begun(txn, &gates).await?;
    Ok(Claimed {
        taken,
        left,
        next_due: next_due.into_iter().chain(next_end).min().map(time),
        next_wait,
        limited: gates.names(),
        now: time(now),
    })
}

/// Returns the executions to claim, in their order. They are locked.
async fn due(
    txn: &mut Txn<'_>,
    claim: &Claim,
    lanes: &[Lane<'_>],
    gates: &mut Gates,
    now: i64,
) -> Result<Vec<Candidate>> {
    let mut candidates = waited(txn, claim, gates, now).await?;
    for first in lanes::due(txn, claim, lanes, gates, now).await? {
        let Some(lane) = lanes.get(first.lane) else {
            continue;
        };
        candidates.insert(Candidate {
            rank: Reverse(claim.rank(lane.priority, time(first.due), time(now))),
            due: first.due,
            key: first.key,
            flow: lane.flow,
            name: lane.name.to_owned(),
            gate: lane.gate.clone(),
        });
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

/// Locks those that the worker has waited for.
async fn waited(
    txn: &mut Txn<'_>,
    claim: &Claim,
    gates: &Gates,
    now: i64,
) -> Result<BTreeSet<Candidate>> {
    let mut candidates = BTreeSet::new();
    if claim.waited.is_empty() || claim.limit == 0 {
        return Ok(candidates);
    }
    let keys: Vec<i64> = claim.waited.iter().map(|wait| wait.key).collect();
    let untils = claim.waited.iter().map(|wait| clamped(wait.until));
    let untils: Vec<i64> = untils.collect();
    let statement = txn.query(WAITED).bind(keys).bind(untils).bind(now);
    for row in &txn.rows(statement).await? {
        let mut columns = Columns::of(row);
        let key = columns.key()?;
        let name = columns.owned()?.unwrap_or_default();
        let refused = columns.text()?.unwrap_or_default();
        let flow = claim.flows.iter().position(|flow| {
            let named = flow.names.iter().any(|known| **known == *name);
            named && !refused.contains(&refusers::one(flow.refuser))
        });
        let Some(flow) = flow.filter(|_| !gates.is_paused(&name)) else {
            continue;
        };
        candidates.insert(Candidate {
            rank: Reverse(columns.key()?),
            due: now,
            key,
            flow,
            name,
            gate: columns.owned()?,
        });
    }
    Ok(candidates)
}

/// What is read of executions that are to be taken.
struct Found {
    rows: HashMap<i64, PgRow>,
    sizes: HashMap<i64, (usize, usize)>,
    messages: HashMap<i64, inbox::Messages>,
}

/// Takes those that fit a share, each whole; one that alone is larger comes alone. Returns whether some were left.
async fn take(
    txn: &mut Txn<'_>,
    claim: &Claim,
    chosen: &[Candidate],
    gates: &mut Gates,
    until: i64,
) -> Result<(Vec<HeldExecution>, bool)> {
    let keys: Vec<i64> = chosen.iter().map(|one| one.key).collect();
    let mut found = read(txn, &keys).await?;
    let (mut share, mut left) = (Share::default(), false);
    let (mut taken, mut ranges) = (Vec::new(), Ranges::default());
    for one in chosen {
        let Some(row) = found.rows.remove(&one.key) else {
            continue;
        };
        let execution = execution::whole(&row);
        let messages = found.messages.remove(&one.key).unwrap_or(Ok(Vec::new()));
        let messages = messages.map_err(Fail::Row);
        let (execution, messages) = match execution.and_then(|it| Ok((it, messages?))) {
            Ok(read) => read,
            Err(fail) => {
                set_aside(txn, claim, one, gates, fail).await?;
                continue;
            }
        };
        let (rows, bytes) = found.sizes.get(&one.key).copied().unwrap_or_default();
        let values = messages.iter().map(|(_, message)| lease::bytes_of(message));
        let bytes = bytes.saturating_add(values.sum());
        let has_room = !left && !share.is_used_up();
        let fits = has_room && share.take(rows, bytes.saturating_add(execution.input.get().len()));
        if !fits && !taken.is_empty() {
            left = true;
            gates.give_back(&one.name, one.gate.as_deref());
            continue;
        }
        ranges.push(one.key, execution.past.as_ref());
        taken.push((one, execution, messages));
    }
    let mut nodes = ranges.nodes(txn).await?;
    let mut held = Vec::new();
    for (one, mut execution, messages) in taken {
        let nodes = nodes.remove(&one.key).unwrap_or(Ok(Vec::new()));
        match nodes {
            Ok(others) => {
                let root = execution.root.take().map(|root| NodeRow::new(0, 0, root));
                let nodes = root.into_iter().chain(others).collect();
                held.push(lease::held(
                    execution,
                    nodes,
                    messages,
                    &claim.worker,
                    until,
                ));
            }
            Err(why) => set_aside(txn, claim, one, gates, Fail::Row(why)).await?,
        }
    }
    let leases: Vec<Lease> = held.iter().map(|held| held.lease).collect();
    give(txn, &leases, &claim.worker, until).await?;
    Ok((held, left))
}

async fn read(txn: &mut Txn<'_>, keys: &[i64]) -> Result<Found> {
    let sql = format!(
        "SELECT {} FROM %.executions e WHERE e.key = ANY($1)",
        execution::columns()
    );
    let statement = txn.query(&sql).bind(keys);
    let mut rows = HashMap::new();
    let mut ranges = Ranges::default();
    for row in txn.rows(statement).await? {
        let mut columns = Columns::of(&row);
        columns.text()?;
        let key = columns.key()?;
        let past = execution::whole(&row)
            .ok()
            .and_then(|it: Execution| it.past);
        ranges.push(key, past.as_ref());
        rows.insert(key, row);
    }
    Ok(Found {
        rows,
        sizes: ranges.sizes(txn).await?,
        messages: inbox::of(txn, keys).await?,
    })
}

/// Gives executions that are locked to a worker.
pub(super) async fn give(
    txn: &mut Txn<'_>,
    leases: &[Lease],
    worker: &str,
    until: i64,
) -> Result<()> {
    let keys: Vec<i64> = leases.iter().map(|lease| lease.key).collect();
    let statement = txn.query(TAKE).bind(keys).bind(worker).bind(until);
    txn.execute(statement).await?;
    Ok(())
}

/// Leaves an execution that can't be read to another program, as if its flow had refused it: it must not keep the
/// others from being claimed.
async fn set_aside(
    txn: &mut Txn<'_>,
    claim: &Claim,
    one: &Candidate,
    gates: &mut Gates,
    fail: Fail,
) -> Result<()> {
    let Fail::Row(why) = fail else {
        return Err(fail);
    };
    gates.give_back(&one.name, one.gate.as_deref());
    let by = refusers::one(claim.flows[one.flow].refuser);
    let statement = txn.query(UNREADABLE).bind(one.key).bind(by);
    txn.execute(statement.bind(format!("it can't be read: {why}")))
        .await?;
    Ok(())
}
