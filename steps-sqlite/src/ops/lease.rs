//! Leases: taking one on a given execution, and renewing it. Which executions are due is left to
//! `claim`, and giving a lease back to `write`.

use std::time::Duration;

use rusqlite::{Connection, ToSql, params};
use steps_core::store::{
    Acquire, Acquired, FlowClaim, HeldExecution, Lease, Refuser, Renew, Renewal, Share, TakeOver,
};

use super::{
    claim::lanes::{Index, all_gates, has_refused, refusals, refused_by},
    execution::{self, Execution},
    inbox,
    known::HeldLease,
    limits,
    steps::Numbers,
    txn::Txn,
};
use crate::{
    error::Result,
    file::clock::{Now, Turn},
    row::{nanos::time, refusers, size},
};

const TAKE: &str = "UPDATE executions SET fence = fence + 1, worker = ?2, due_at = ?3, free_at = ?4, \
    refused = NULL, refused_why = NULL WHERE key = ?1";

const RENEW: &str = "UPDATE executions SET due_at = ?3, free_at = ?4 \
    WHERE key = ?1 AND fence = ?2 AND worker IS NOT NULL";

/// By the indexes `executions_free` and `executions_due`, and the same behind a gate.
pub(crate) const READMIT: [&str; 4] = [
    "UPDATE executions SET refused = ?3, refused_why = iif(?3 IS NULL, NULL, refused_why) \
    WHERE flow = ?1 AND (gate IS NULL OR status <> 'pending') AND refused = ?2 \
    AND free_at IS NOT NULL",
    "UPDATE executions SET refused = ?3, refused_why = iif(?3 IS NULL, NULL, refused_why) \
    WHERE flow = ?1 AND (gate IS NULL OR status <> 'pending') AND refused = ?2 \
    AND due_at IS NOT NULL",
    "UPDATE executions SET refused = ?3, refused_why = iif(?3 IS NULL, NULL, refused_why) \
    WHERE flow = ?1 AND status = 'pending' AND gate = ?4 AND refused = ?2 AND free_at IS NOT NULL",
    "UPDATE executions SET refused = ?3, refused_why = iif(?3 IS NULL, NULL, refused_why) \
    WHERE flow = ?1 AND status = 'pending' AND gate = ?4 AND refused = ?2 AND due_at IS NOT NULL",
];

/// Leases an execution to a worker, unless another one holds it.
pub(crate) fn acquire(conn: &Txn<'_>, acquire: &Acquire, now: Now) -> Result<Acquired> {
    let Some(mut execution) = execution::by_id(conn, &acquire.id, now)? else {
        return Ok(Acquired::Unknown);
    };
    execution.past = None;
    if let (Some(worker), Some(until)) = (&execution.info.worker, execution.info.due)
        && !execution.turn.has_come(now)
        && acquire.over == TakeOver::Ended
    {
        return Ok(Acquired::Busy {
            worker: worker.clone(),
            until,
        });
    }
    if execution.info.status.is_final() {
        limits::put_again(conn, execution.key, &execution.info.flow)?;
    }
    let mut all = Share::UNBOUNDED;
    let readable = readable(conn, execution, &mut all)?;
    let taken = readable.lease(conn, &acquire.worker, acquire.lease, now)?;
    Ok(Acquired::Held(Box::new(taken)))
}

/// An execution that has been read, and is not leased yet.
pub(crate) struct Readable {
    taken: HeldExecution,
    /// Whether its nodes have been read.
    pub(crate) is_whole: bool,
}

/// Reads an execution with its messages, and with its nodes if they fit the share.
pub(crate) fn readable(
    conn: &Connection,
    mut execution: Execution,
    share: &mut Share,
) -> Result<Readable> {
    let has_room = share.take(0, execution.input.get().len());
    let nodes = if has_room {
        execution.nodes(conn, share)?
    } else {
        None
    };
    let messages = inbox::since(conn, execution.key, 0)
        .map_err(|fail| execution::of_execution(fail, &execution.info.id))?;
    let values = messages
        .iter()
        .map(|(_, message)| size::of_message(message));
    share.take(0, values.sum());
    let is_whole = nodes.is_some();
    let taken = HeldExecution {
        lease: Lease {
            key: execution.key,
            fence: execution.fence + 1,
        },
        previous_worker: execution.info.worker.take(),
        refused_by: execution
            .info
            .refused
            .take()
            .map(|it| it.by)
            .unwrap_or_default(),
        was_due: execution.info.due,
        info: execution.info,
        input: execution.input,
        nodes: nodes.unwrap_or_default(),
        past: execution.past,
        messages,
    };
    Ok(Readable { taken, is_whole })
}

impl Readable {
    /// Leases it to a worker.
    pub(crate) fn lease(
        self,
        conn: &Txn<'_>,
        worker: &str,
        lease: Duration,
        now: Now,
    ) -> Result<HeldExecution> {
        let Self {
            mut taken,
            is_whole,
        } = self;
        conn.forget_lease(taken.lease.key);
        let until = now.after(lease);
        conn.prepare_cached(TAKE)?.execute(params![
            taken.lease.key,
            worker,
            until.due_at,
            until.free_at
        ])?;
        if is_whole {
            let past = taken.past.as_ref().and_then(|past| past.rows.last());
            let last = taken.nodes.iter().map(|row| row.id).chain(past).max();
            let held = HeldLease {
                flow: taken.info.flow.as_str().into(),
                numbers: Numbers {
                    last: last.unwrap_or(0),
                    last_has_no_row: false,
                },
            };
            conn.know_lease(taken.lease, held);
        }
        taken.info.worker = Some(worker.to_owned());
        taken.info.due = until.time(now).map(time);
        Ok(taken)
    }
}

/// Extends leases, and returns for each the messages that the worker has not seen.
pub(crate) fn renew(conn: &Connection, renew: &Renew, now: Now) -> Result<Vec<Renewal>> {
    let Turn { due_at, free_at } = now.after(renew.lease);
    let mut statement = conn.prepare_cached(RENEW)?;
    let mut renewals = Vec::with_capacity(renew.held.len());
    for (lease, seen) in &renew.held {
        let renewed = statement.execute(params![lease.key, lease.fence, due_at, free_at])?;
        renewals.push(match renewed {
            0 => Renewal::Lost,
            _ => Renewal::Held(inbox::since(conn, lease.key, *seen)?),
        });
    }
    Ok(renewals)
}

/// Forgets that these flows have refused executions, so that they are claimed for them again.
pub(crate) fn forget_refusals(conn: &Connection, flows: &[FlowClaim]) -> Result<()> {
    for (at, by) in [Index::Free, Index::Waits].into_iter().enumerate() {
        for flow in flows {
            for name in &flow.names {
                readmit(conn, by, READMIT[at], flow.refuser, name, None)?;
                for gate in all_gates(conn, by, name)? {
                    readmit(conn, by, READMIT[at + 2], flow.refuser, name, Some(&gate))?;
                }
            }
        }
    }
    Ok(())
}

fn readmit(
    conn: &Connection,
    by: Index,
    readmit: &str,
    refuser: Refuser,
    flow: &str,
    gate: Option<&String>,
) -> Result<()> {
    let mut statement = conn.prepare_cached(readmit)?;
    for refused in refusals(conn, by, flow, gate)? {
        if !has_refused(&refused, refuser) {
            continue;
        }
        let mut others = refusers::read(refused_by(&refused));
        others.retain(|other| *other != refuser);
        let others = refusers::column(&others);
        let mut values: Vec<&dyn ToSql> = vec![&flow, &refused, &others];
        values.extend(gate.map(|gate| gate as &dyn ToSql));
        statement.execute(&values[..])?;
    }
    Ok(())
}
