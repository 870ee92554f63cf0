//! Leases: taking one on a given execution, renewing them, and forgetting who has refused executions. Which ones are
//! due is left to `claim`.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use steps_core::store::{
    Acquire, Acquired, FlowClaim, HeldExecution, Lease, Message, NodeRow, Renew, Renewal, TakeOver,
};

use super::{
    claim,
    execution::{self, Execution},
    holders, inbox, limits,
};
use crate::{
    error::{Fail, Result},
    row::{
        columns::Columns,
        nanos::{nanos, time},
        refusers,
    },
    server::txn::Txn,
};

/// The largest number of 64 bits is the end of time.
const RENEW: &str = "WITH held AS ( \
    SELECT e.key FROM %.executions e JOIN unnest($1::bigint[], $2::bigint[]) AS a (key, fence) ON a.key = e.key \
    WHERE e.fence = a.fence AND e.worker IS NOT NULL ORDER BY e.key FOR NO KEY UPDATE OF e \
), clock AS MATERIALIZED (SELECT %.nanoseconds() AS now) \
UPDATE %.executions e SET holder = $4, \
    due_at = CASE WHEN $4 IS NULL THEN c.now + least($3, 9223372036854775807 - c.now) END \
FROM held h CROSS JOIN clock c WHERE e.key = h.key RETURNING e.key, e.fence, e.newest";

const READMIT: &str = "UPDATE %.executions e SET refused = r.others, \
    refused_why = CASE WHEN r.others IS NULL THEN NULL ELSE e.refused_why END \
    FROM unnest($1::text[], $2::text[]) AS a (flow, refuser) CROSS JOIN LATERAL ( \
        SELECT x.key, nullif(btrim(replace(' ' || x.refused || ' ', ' ' || a.refuser || ' ', ' ')), '') AS others \
        FROM %.executions x WHERE x.flow = a.flow AND x.refused IS NOT NULL AND strpos(x.refused, a.refuser) > 0) r \
    WHERE e.key = r.key AND strpos(e.refused, a.refuser) > 0";

/// Bytes of the value of a message.
pub(super) fn bytes_of(message: &Message) -> usize {
    match message {
        Message::Signal { value, .. } => value.get().len(),
        Message::Report { report, .. } => report.get().len(),
        _ => 0,
    }
}

/// Returns an execution that a worker holds from now on.
pub(super) fn held(
    execution: Execution,
    nodes: Vec<NodeRow>,
    messages: Vec<(i64, Message)>,
    worker: &str,
    until: i64,
) -> HeldExecution {
    let Execution {
        key,
        fence,
        mut info,
        input,
        past,
        ..
    } = execution;
    let refused = info.refused.take();
    let was_due = info.due.replace(time(until));
    let previous_worker = info.worker.replace(worker.to_owned());
    HeldExecution {
        lease: Lease {
            key,
            fence: fence + 1,
        },
        was_due,
        info,
        input,
        nodes,
        past,
        messages,
        previous_worker,
        refused_by: refused.map(|refused| refused.by).unwrap_or_default(),
    }
}

/// Leases an execution to a worker, unless another one holds it.
pub(crate) async fn acquire(txn: &mut Txn<'_>, acquire: &Acquire) -> Result<Acquired> {
    let lock = "FOR NO KEY UPDATE OF e";
    let Some(mut execution) = execution::by_id(txn, &acquire.id, lock).await? else {
        return Ok(Acquired::Unknown);
    };
    let now = txn.now().await?;
    if let (Some(worker), Some(until)) = (&execution.info.worker, execution.info.due)
        && until > time(now)
        && acquire.over == TakeOver::Ended
    {
        return Ok(Acquired::Busy {
            worker: worker.clone(),
            until,
        });
    }
    if execution.info.status.is_final() {
        limits::put_again(txn, execution.key, &execution.info.flow).await?;
    }
    holders::recall(txn, &[execution.key]).await?;
    execution.past = None;
    let nodes = execution.nodes(txn).await?;
    let messages = inbox::of(txn, &[execution.key]).await?;
    let messages = messages.into_values().next().unwrap_or(Ok(Vec::new()));
    let messages = messages.map_err(|why| Fail::Row(why).of_execution(&acquire.id))?;
    let until = now.saturating_add(nanos(acquire.lease));
    let held = held(execution, nodes, messages, &acquire.worker, until);
    claim::give(txn, &[held.lease], &acquire.worker, until).await?;
    Ok(Acquired::Held(Box::new(held)))
}

/// Extends leases, each for itself, and returns for each the messages that the worker has not seen.
pub(crate) async fn renew(txn: &mut Txn<'_>, renew: &Renew) -> Result<Vec<Renewal>> {
    look(txn, renew.lease, &renew.held, None).await
}

/// Extends leases, and returns for each the messages that the worker has not seen. They end with the lease of their
/// holder from then on, if there is one, and else each for itself.
pub(super) async fn look(
    txn: &mut Txn<'_>,
    lease: Duration,
    held: &[(Lease, i64)],
    holder: Option<i64>,
) -> Result<Vec<Renewal>> {
    let keys: Vec<i64> = held.iter().map(|(lease, _)| lease.key).collect();
    let fences: Vec<i64> = held.iter().map(|(lease, _)| lease.fence).collect();
    let statement = txn.query(RENEW).bind(keys).bind(fences);
    let rows = txn.rows(statement.bind(nanos(lease)).bind(holder)).await?;
    let mut renewed = HashMap::new();
    for row in &rows {
        let mut columns = Columns::of(row);
        let key = columns.key()?;
        let lease = Lease {
            key,
            fence: columns.key()?,
        };
        renewed.insert(lease, columns.key()?);
    }
    let unseen = held.iter().filter(|(lease, seen)| {
        let newest = renewed.get(lease);
        newest.is_some_and(|newest| newest > seen)
    });
    let unseen: HashSet<i64> = unseen.map(|(lease, _)| lease.key).collect();
    let unseen: Vec<i64> = unseen.into_iter().collect();
    let messages = match &unseen[..] {
        [] => HashMap::new(),
        keys => inbox::of(txn, keys).await?,
    };
    let answers = held.iter().map(|(lease, seen)| {
        if !renewed.contains_key(lease) {
            return Ok(Renewal::Lost);
        }
        let messages = messages.get(&lease.key).cloned().unwrap_or(Ok(Vec::new()));
        let mut messages = messages.map_err(Fail::Row)?;
        messages.retain(|(number, _)| number > seen);
        Ok(Renewal::Held(messages))
    });
    answers.collect()
}

/// Forgets that these flows have refused executions, so that they are claimed for them again.
pub(crate) async fn forget_refusals(txn: &mut Txn<'_>, flows: &[FlowClaim]) -> Result<()> {
    let pairs = flows.iter().flat_map(|flow| {
        let refuser = refusers::one(flow.refuser);
        flow.names
            .iter()
            .map(move |name| (&**name, refuser.clone()))
    });
    let (names, refusers): (Vec<&str>, Vec<String>) = pairs.unzip();
    // One statement changes a row once, and several of the flows may have refused the same execution.
    loop {
        let statement = txn.query(READMIT).bind(&names).bind(&refusers);
        if txn.execute(statement).await? == 0 {
            return Ok(());
        }
    }
}
