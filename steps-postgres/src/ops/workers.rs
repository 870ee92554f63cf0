//! Heartbeats of workers that say what they hold.
//!
//! A lease begins with an end of its own, so that one whose worker never learns of it ends by itself. The first
//! heartbeat that has it among all that a worker holds lets it end with the worker's row in `workers`; from then on a
//! heartbeat changes that row and no other. Whoever sends such an execution a message, or takes it away, adds it to the
//! worker's `recalls`: the next heartbeat looks at these alone. What it does not name any more gets an end of its own
//! again. What was told is known in the process. If a call fails, nothing is known any more, and the next one looks at
//! all.

use std::collections::{HashMap, HashSet};

use steps_core::store::{Lease, Renew, Renewal};

use super::lease;
use crate::{
    error::{Fail, Result},
    row::{columns::Columns, nanos::nanos},
    server::txn::Txn,
};

const ENTER: &str = "INSERT INTO %.workers (name, alive_until) \
    SELECT $1, c.now + least($2, 9223372036854775807 - c.now) FROM (SELECT %.nanoseconds() AS now) c RETURNING key";

/// No row, if it has ended; else one for each execution to look at, or one that names none.
const BEAT: &str = "WITH clock AS MATERIALIZED (SELECT %.nanoseconds() AS now), alive AS ( \
    UPDATE %.workers w SET alive_until = c.now + least($2, 9223372036854775807 - c.now) FROM clock c \
    WHERE w.key = $1 AND w.alive_until > c.now RETURNING w.key \
), recalled AS (DELETE FROM %.recalls WHERE holder = $1 RETURNING execution) \
SELECT r.execution FROM alive LEFT JOIN recalled r ON true";

/// These end when they would have ended.
const LEAVE: &str = "UPDATE %.executions e SET due_at = w.alive_until, holder = NULL \
    FROM unnest($1::bigint[], $2::bigint[]) AS a (key, fence) CROSS JOIN %.workers w \
    WHERE w.key = $3 AND e.key = a.key AND e.fence = a.fence AND e.holder = w.key";

/// A worker that has told all that it holds.
pub(crate) struct Worker {
    /// Its row.
    key: i64,
    /// What it holds, each with the number of the newest message that it was told of.
    told: HashMap<Lease, i64>,
}

impl Worker {
    /// These have got an end of their own again.
    pub(crate) fn forget(&mut self, held: &[(Lease, i64)]) {
        for (lease, _) in held {
            self.told.remove(lease);
        }
    }
}

/// Extends all leases of a worker, and returns for each the messages that it has not seen.
pub(crate) async fn renew(
    txn: &mut Txn<'_>,
    renew: &Renew,
    name: &str,
    known: Option<&Worker>,
) -> Result<(Vec<Renewal>, Worker)> {
    let mut told = match known {
        Some(worker) => leave_others(txn, worker, renew).await?,
        None => HashMap::new(),
    };
    let recalled = match known {
        Some(worker) => beat(txn, worker, renew).await?,
        None => None,
    };
    let (key, recalled) = match (known, recalled) {
        (Some(worker), Some(recalled)) => (worker.key, recalled),
        _ => {
            told.clear();
            (enter(txn, name, renew).await?, HashSet::new())
        }
    };
    let is_told = |(lease, seen): &(Lease, i64)| {
        let newest = told.get(lease);
        newest.is_some_and(|newest| newest <= seen) && !recalled.contains(&lease.key)
    };
    let is_told: Vec<bool> = renew.held.iter().map(is_told).collect();
    let others = renew.held.iter().zip(&is_told).filter(|(_, told)| !**told);
    let others: Vec<(Lease, i64)> = others.map(|(held, _)| *held).collect();
    let looked = match &others[..] {
        [] => Vec::new(),
        others => lease::look(txn, renew.lease, others, Some(key)).await?,
    };
    for ((lease, seen), renewal) in others.iter().zip(&looked) {
        match renewal {
            Renewal::Lost => {
                told.remove(lease);
            }
            Renewal::Held(messages) => {
                let newest = messages.last().map_or(*seen, |(number, _)| *number);
                told.insert(*lease, newest);
            }
        }
    }
    let mut looked = looked.into_iter();
    let renewals = is_told.into_iter().map(|told| {
        if told {
            Renewal::Held(Vec::new())
        } else {
            looked.next().unwrap_or(Renewal::Lost)
        }
    });
    Ok((renewals.collect(), Worker { key, told }))
}

async fn enter(txn: &mut Txn<'_>, name: &str, renew: &Renew) -> Result<i64> {
    let statement = txn.query(ENTER).bind(name.to_owned());
    let row = txn.row(statement.bind(nanos(renew.lease))).await?;
    Columns::of(&row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?).key()
}

/// Extends the lease of a worker, and returns the keys of the executions to look at, if it has not ended.
async fn beat(txn: &mut Txn<'_>, worker: &Worker, renew: &Renew) -> Result<Option<HashSet<i64>>> {
    let statement = txn.query(BEAT).bind(worker.key).bind(nanos(renew.lease));
    let rows = txn.rows(statement).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut recalled = HashSet::new();
    for row in &rows {
        recalled.extend(Columns::of(row).number()?);
    }
    Ok(Some(recalled))
}

/// Gives the leases that the worker was told of and does not name any more an end of their own. Returns the others.
async fn leave_others(
    txn: &mut Txn<'_>,
    worker: &Worker,
    renew: &Renew,
) -> Result<HashMap<Lease, i64>> {
    let held: HashSet<Lease> = renew.held.iter().map(|(lease, _)| *lease).collect();
    let (left, gone): (HashMap<Lease, i64>, HashMap<Lease, i64>) = worker
        .told
        .iter()
        .partition(|(lease, _)| held.contains(lease));
    if !gone.is_empty() {
        let gone = gone.keys().map(|lease| (lease.key, lease.fence));
        let (keys, fences): (Vec<i64>, Vec<i64>) = gone.unzip();
        let statement = txn.query(LEAVE).bind(keys).bind(fences).bind(worker.key);
        txn.execute(statement).await?;
    }
    Ok(left)
}
