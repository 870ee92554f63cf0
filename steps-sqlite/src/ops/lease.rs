//! Leases on executions that are known: held, renewed, made available again.

use rusqlite::{Connection, params};
use steps_core::store::{FlowClaim, Held, Hold, Lease, Renew, Renewal, Taken};

use super::{
    execution::{self, Execution},
    inbox,
};
use crate::{
    error::Result,
    row::nanos::{after, time},
};

const TAKE: &str = "UPDATE executions SET fence = fence + 1, worker = ?2, due_at = ?3, \
    refused = NULL, refused_why = NULL WHERE key = ?1";

const RENEW: &str = "UPDATE executions SET due_at = ?3 \
    WHERE key = ?1 AND fence = ?2 AND worker IS NOT NULL";

pub(crate) const READMIT: &str = "UPDATE executions SET refused = NULL, refused_why = NULL \
    WHERE flow = ?1 AND refused = ?2 AND due_at IS NOT NULL";

/// Gives one execution to who asks.
pub(crate) fn hold(conn: &Connection, hold: &Hold, now: i64) -> Result<Held> {
    let Some(execution) = execution::by_id(conn, &hold.id)? else {
        return Ok(Held::Unknown);
    };
    if let (Some(worker), Some(until)) = (&execution.info.worker, execution.info.due)
        && until > time(now)
    {
        return Ok(Held::Busy {
            worker: worker.clone(),
            until,
        });
    }
    let taken = readable(conn, execution)?.lease(conn, &hold.worker, after(now, hold.lease))?;
    Ok(Held::Taken(Box::new(taken)))
}

/// An execution that was read whole, and is not taken yet.
pub(crate) struct Readable(Taken);

/// Reads all of an execution.
pub(crate) fn readable(conn: &Connection, mut execution: Execution) -> Result<Readable> {
    let nodes = execution.nodes(conn)?;
    let messages = inbox::since(conn, execution.key, 0)
        .map_err(|fail| execution::of_execution(fail, &execution.info.id))?;
    Ok(Readable(Taken {
        lease: Lease {
            key: execution.key,
            fence: execution.fence + 1,
        },
        from: execution.info.worker.take(),
        info: execution.info,
        input: execution.input,
        nodes,
        messages,
    }))
}

impl Readable {
    /// Gives it to a worker.
    pub(crate) fn lease(self, conn: &Connection, worker: &str, until: i64) -> Result<Taken> {
        let Self(mut taken) = self;
        conn.prepare_cached(TAKE)?
            .execute(params![taken.lease.key, worker, until])?;
        taken.info.worker = Some(worker.to_owned());
        taken.info.due = Some(time(until));
        taken.info.refused = None;
        Ok(taken)
    }
}

/// Puts off the end of leases.
pub(crate) fn renew(conn: &Connection, renew: &Renew, now: i64) -> Result<Vec<Renewal>> {
    let until = after(now, renew.lease);
    let mut statement = conn.prepare_cached(RENEW)?;
    let mut renewals = Vec::with_capacity(renew.held.len());
    for (lease, seen) in &renew.held {
        renewals.push(match statement.execute([lease.key, lease.fence, until])? {
            0 => Renewal::Lost,
            _ => Renewal::Held(inbox::since(conn, lease.key, *seen)?),
        });
    }
    Ok(renewals)
}

/// Forgets what these flows have refused.
pub(crate) fn readmit(conn: &Connection, flows: &[FlowClaim]) -> Result<()> {
    let mut statement = conn.prepare_cached(READMIT)?;
    for flow in flows {
        for name in &flow.names {
            statement.execute(params![name, flow.fingerprint.cast_signed()])?;
        }
    }
    Ok(())
}
