//! Writes under leases, any number of them as one statement: nodes, the root, and what becomes of the lease. What
//! else a write may bring is left to `write`.
//!
//! The statement locks the executions whose lease is good, and changes only those. A statement that waited for the
//! lock of a row sees the new version of that row, and the old one of everything else: so whether a message has come
//! since is asked of the row, which has the number of the newest.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use steps_core::{
    Status,
    store::{Due, Lease, LeaseAfter, NodeRow, Target, Write},
};

use crate::{
    error::Result,
    row::{
        columns::Columns,
        nanos::clamped,
        node::{DataLists, NodeLists},
        refusers,
    },
    server::txn::{Database, Statement},
};

/// Writes the nodes of a table `n`.
macro_rules! insert {
    ($nodes:literal) => {
        concat!(
            "INSERT INTO %.nodes (execution, node, parent, name, kind, status, attempts, started_at, done_at, decision, \
    error, input, output, more) \
    SELECT n.execution, n.node, n.parent, n.name, n.kind, n.status, n.attempts, n.started_at, n.done_at, n.decision, \
        n.error, n.input, n.output, n.more \
    FROM (SELECT unnest($1::bigint[]) AS execution, unnest($2::bigint[]) AS node, unnest($3::bigint[]) AS parent, \
        unnest($4::text[]) AS name, unnest($5::text[]) AS kind, unnest($6::text[]) AS status, \
        unnest($7::bigint[]) AS attempts, unnest($8::bigint[]) AS started_at, unnest($9::bigint[]) AS done_at, \
        unnest($10::boolean[]) AS decision, unnest($11::text[]) AS error, unnest($12::text[]) AS input, \
        unnest($13::text[]) AS output, unnest($14::text[]) AS more",
            $nodes,
            " ON CONFLICT (execution, node) DO UPDATE SET parent = excluded.parent, name = excluded.name, \
        kind = excluded.kind, status = excluded.status, attempts = excluded.attempts, \
        started_at = excluded.started_at, done_at = excluded.done_at, decision = excluded.decision, \
        error = excluded.error, input = excluded.input, output = excluded.output, more = excluded.more"
        )
    };
}

/// Writes of nodes and of nothing else, which most are: what a statement could do besides costs the server time even if
/// it does not.
const PUT_NODES: &str = concat!(
    insert!(
        ", unnest($16::bigint[]) AS fence) n CROSS JOIN LATERAL ( \
        SELECT 1 FROM %.executions e \
        WHERE e.key = n.execution AND e.fence = n.fence AND e.worker IS NOT NULL FOR NO KEY UPDATE) held \
    WHERE $15 OR NOT EXISTS (SELECT 1 FROM %.subscriptions WHERE ended IS NULL)"
    ),
    " RETURNING execution, false"
);

/// All others. The keys of the executions that change are said to the server a second time: what it takes to be the
/// better plan for few of them reads them all, once there are many.
const PUT: &str = concat!(
    "WITH held AS ( \
    SELECT a.*, e.newest, e.holder FROM (SELECT unnest($16::bigint[]) AS fence, unnest($17::bigint[]) AS key, \
        unnest($18::boolean[]) AS gives_back, unnest($19::bigint[]) AS seen, unnest($20::boolean[]) AS at_once, \
        unnest($21::bigint[]) AS due_at, unnest($22::text[]) AS refused, unnest($23::text[]) AS refused_why, \
        unnest($24::boolean[]) AS has_root, unnest($25::text[]) AS name, unnest($26::text[]) AS status, \
        unnest($27::bigint[]) AS attempts, unnest($28::bigint[]) AS started_at, unnest($29::bigint[]) AS done_at, \
        unnest($30::text[]) AS error, unnest($31::text[]) AS output, unnest($32::text[]) AS more) a \
    CROSS JOIN LATERAL (SELECT e.newest, e.holder FROM %.executions e \
        WHERE e.key = a.key AND e.fence = a.fence AND e.worker IS NOT NULL FOR NO KEY UPDATE) e \
    WHERE $15 OR NOT EXISTS (SELECT 1 FROM %.subscriptions WHERE ended IS NULL) \
), clock AS MATERIALIZED (SELECT %.nanoseconds() AS now \
), executions AS ( \
    UPDATE %.executions e SET updated_at = c.now, \
        status = CASE WHEN h.has_root THEN h.status ELSE e.status END, \
        name = CASE WHEN h.has_root THEN h.name ELSE e.name END, \
        attempts = CASE WHEN h.has_root THEN h.attempts ELSE e.attempts END, \
        started_at = CASE WHEN h.has_root THEN h.started_at ELSE e.started_at END, \
        done_at = CASE WHEN h.has_root THEN h.done_at ELSE e.done_at END, \
        error = CASE WHEN h.has_root THEN h.error ELSE e.error END, \
        output = CASE WHEN h.has_root THEN h.output ELSE e.output END, \
        more = CASE WHEN h.has_root THEN h.more ELSE e.more END, \
        worker = CASE WHEN h.gives_back THEN NULL ELSE e.worker END, \
        holder = CASE WHEN h.gives_back THEN NULL ELSE e.holder END, \
        due_at = CASE WHEN NOT h.gives_back THEN e.due_at \
            WHEN h.at_once OR h.newest > h.seen THEN c.now ELSE h.due_at END, \
        refused = coalesce(h.refused, e.refused), \
        refused_why = CASE WHEN h.refused IS NULL THEN e.refused_why ELSE h.refused_why END \
    FROM held h CROSS JOIN clock c WHERE e.key = h.key AND (h.has_root OR h.gives_back) \
    AND e.key = ANY(ARRAY(SELECT key FROM held WHERE has_root OR gives_back)) \
), recalled AS ( \
    INSERT INTO %.recalls (holder, execution) \
    SELECT holder, key FROM held WHERE gives_back AND holder IS NOT NULL \
), nodes AS (",
    insert!(") n JOIN held ON held.key = n.execution"),
    ") SELECT key, gives_back AND newest > seen FROM held"
);

/// Whom a statement leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaveOut {
    /// Nobody: what the write is to be compared with was read before.
    Nobody,
    /// All, if somebody has subscribed to changes.
    Watched,
}

/// Returns whether a write has nothing but what one statement takes with those of others.
pub(crate) fn is_plain(write: &Write) -> bool {
    !write.replace
        && write.removed.is_empty()
        && write.taken.is_empty()
        && write.signals.is_empty()
        && write.transactions.is_empty()
        && write.form.is_none()
        && write.past.is_none()
        && write.notes.is_empty()
        && write.children.is_empty()
        && write.tells.is_empty()
}

/// Returns how many rows a write changes, of nodes, labels and executions.
pub(crate) fn rows_of(write: &Write) -> usize {
    let others = write.nodes.iter().filter(|row| row.id != 0).count();
    let own = match &write.target {
        Target::New(new) => 1 + new.labels.len(),
        Target::Held(_) => {
            let is_changed = root_of(&write.nodes).is_some() || write.then != LeaseAfter::Keep;
            usize::from(is_changed)
        }
    };
    others + own
}

pub(crate) fn root_of(nodes: &[NodeRow]) -> Option<&NodeRow> {
    nodes.iter().find(|row| row.id == 0)
}

/// Returns the statement for these writes. No execution may be among them twice.
pub(crate) fn statement(
    database: &Database,
    writes: &[(Lease, &Write)],
    leave_out: LeaveOut,
) -> Result<Statement> {
    // All statements lock the executions in one order, so that none waits for one that waits for it.
    let mut writes = writes.to_vec();
    writes.sort_unstable_by_key(|(lease, _)| lease.key);
    let (mut nodes, mut fences) = (NodeLists::default(), Vec::new());
    for (lease, write) in &writes {
        nodes.push(lease.key, &write.nodes)?;
        fences.resize(nodes.of.len(), lease.fence);
    }
    let of_nodes = |write: &Write| {
        let mut ids = write.nodes.iter().map(|row| row.id);
        write.then == LeaseAfter::Keep && !write.nodes.is_empty() && ids.all(|id| id != 0)
    };
    let is_small = writes.iter().all(|(_, write)| of_nodes(write));
    let statement = database.query(if is_small { PUT_NODES } else { PUT });
    let statement = bind_nodes(statement.bind(nodes.of.clone()), nodes);
    let statement = statement.bind(leave_out == LeaveOut::Nobody);
    Ok(if is_small {
        statement.bind(fences)
    } else {
        bind_more(statement, &writes)
    })
}

/// Adds the leases and what becomes of them, and the roots.
fn bind_more(statement: Statement, writes: &[(Lease, &Write)]) -> Statement {
    let fences: Vec<i64> = writes.iter().map(|(lease, _)| lease.fence).collect();
    let keys: Vec<i64> = writes.iter().map(|(lease, _)| lease.key).collect();
    let mut roots = DataLists::default();
    let (mut has_root, mut gives_back, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at_once, mut due_at) = (Vec::new(), Vec::new());
    let (mut refused, mut why) = (Vec::new(), Vec::new());
    for (_, write) in writes {
        let root = root_of(&write.nodes);
        has_root.push(root.is_some());
        match root {
            Some(root) => roots.push_root(&root.node),
            None => roots.push_none(Status::Pending.as_str()),
        }
        gives_back.push(write.then != LeaseAfter::Keep);
        let (due, message, by) = match &write.then {
            LeaseAfter::Keep => (Due::Never, i64::MAX, None),
            LeaseAfter::Release { due, last_message } => (*due, *last_message, None),
            LeaseAfter::Refuse(by) => (Due::Now, i64::MAX, Some(by)),
        };
        seen.push(message);
        at_once.push(due == Due::Now);
        due_at.push(time_of(due));
        refused.push(by.and_then(|by| refusers::column(&by.by)));
        why.push(by.map(|by| by.why.as_str()));
    }
    let statement = statement.bind(fences).bind(keys);
    let statement = statement.bind(gives_back).bind(seen).bind(at_once);
    let statement = statement.bind(due_at).bind(refused).bind(why);
    let statement = statement.bind(has_root).bind(roots.name).bind(roots.status);
    let statement = statement.bind(roots.attempts).bind(roots.started_at);
    let statement = statement.bind(roots.done_at).bind(roots.error);
    statement.bind(roots.output).bind(roots.more)
}

/// Adds all lists of nodes but whose they are.
pub(super) fn bind_nodes(statement: Statement, nodes: NodeLists<'_>) -> Statement {
    let columns = nodes.columns;
    let statement = statement.bind(nodes.node).bind(nodes.parent);
    let statement = statement.bind(columns.name).bind(nodes.kind);
    let statement = statement.bind(columns.status).bind(columns.attempts);
    let statement = statement.bind(columns.started_at).bind(columns.done_at);
    let statement = statement.bind(nodes.decision).bind(columns.error);
    let statement = statement.bind(nodes.input).bind(columns.output);
    statement.bind(columns.more)
}

/// The column of a time, which for [`Due::Now`] is the server's.
pub(super) fn time_of(due: Due) -> Option<i64> {
    match due {
        Due::At(time) => Some(clamped(time)),
        Due::Now | Due::Never => None,
    }
}

/// Reads the answer: the keys of the executions that were written to, each with whether it was recalled.
pub(crate) fn answer(rows: &[PgRow]) -> Result<HashMap<i64, bool>> {
    let read = |row| {
        let mut columns = Columns::of(row);
        Ok((columns.key()?, columns.is()?))
    };
    rows.iter().map(read).collect()
}
