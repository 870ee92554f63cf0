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

const PUT: &str = "WITH asked AS ( \
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::bigint[], $5::boolean[], $6::bigint[], \
        $7::text[], $8::text[], $9::boolean[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], \
        $15::text[], $16::text[], $17::text[]) \
    AS a (key, fence, gives_back, seen, at_once, due_at, refused, refused_why, has_root, name, status, attempts, \
        started_at, done_at, error, output, more) \
), held AS ( \
    SELECT e.key, e.newest, e.holder FROM %.executions e JOIN asked a ON a.key = e.key \
    WHERE e.fence = a.fence AND e.worker IS NOT NULL \
    AND ($18 OR NOT EXISTS (SELECT 1 FROM %.subscriptions WHERE ended IS NULL)) \
    ORDER BY e.key FOR NO KEY UPDATE OF e \
), clock AS MATERIALIZED (SELECT %.nanoseconds() AS now \
), executions AS ( \
    UPDATE %.executions e SET updated_at = c.now, \
        status = CASE WHEN a.has_root THEN a.status ELSE e.status END, \
        name = CASE WHEN a.has_root THEN a.name ELSE e.name END, \
        attempts = CASE WHEN a.has_root THEN a.attempts ELSE e.attempts END, \
        started_at = CASE WHEN a.has_root THEN a.started_at ELSE e.started_at END, \
        done_at = CASE WHEN a.has_root THEN a.done_at ELSE e.done_at END, \
        error = CASE WHEN a.has_root THEN a.error ELSE e.error END, \
        output = CASE WHEN a.has_root THEN a.output ELSE e.output END, \
        more = CASE WHEN a.has_root THEN a.more ELSE e.more END, \
        worker = CASE WHEN a.gives_back THEN NULL ELSE e.worker END, \
        holder = CASE WHEN a.gives_back THEN NULL ELSE e.holder END, \
        due_at = CASE WHEN NOT a.gives_back THEN e.due_at \
            WHEN a.at_once OR h.newest > a.seen THEN c.now ELSE a.due_at END, \
        refused = coalesce(a.refused, e.refused), \
        refused_why = CASE WHEN a.refused IS NULL THEN e.refused_why ELSE a.refused_why END \
    FROM held h JOIN asked a ON a.key = h.key CROSS JOIN clock c \
    WHERE e.key = h.key AND (a.has_root OR a.gives_back) \
), recalled AS ( \
    INSERT INTO %.recalls (holder, execution) \
    SELECT h.holder, h.key FROM held h JOIN asked a ON a.key = h.key WHERE a.gives_back AND h.holder IS NOT NULL \
), nodes AS ( \
    INSERT INTO %.nodes (execution, node, parent, name, kind, status, attempts, started_at, done_at, decision, error, \
        input, output, more) \
    SELECT n.* FROM unnest($19::bigint[], $20::bigint[], $21::bigint[], $22::text[], $23::text[], $24::text[], \
        $25::bigint[], $26::bigint[], $27::bigint[], $28::boolean[], $29::text[], $30::text[], $31::text[], \
        $32::text[]) AS n (execution, node, parent, name, kind, status, attempts, started_at, done_at, decision, \
        error, input, output, more) JOIN held h ON h.key = n.execution \
    ON CONFLICT (execution, node) DO UPDATE SET parent = excluded.parent, name = excluded.name, kind = excluded.kind, \
        status = excluded.status, attempts = excluded.attempts, started_at = excluded.started_at, \
        done_at = excluded.done_at, decision = excluded.decision, error = excluded.error, input = excluded.input, \
        output = excluded.output, more = excluded.more \
) \
SELECT h.key, a.gives_back AND h.newest > a.seen FROM held h JOIN asked a ON a.key = h.key";

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
    let mut nodes = NodeLists::default();
    let mut roots = DataLists::default();
    let (mut has_root, mut gives_back, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at_once, mut due_at) = (Vec::new(), Vec::new());
    let (mut refused, mut why) = (Vec::new(), Vec::new());
    for (lease, write) in writes {
        nodes.push(lease.key, &write.nodes)?;
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
    let keys: Vec<i64> = writes.iter().map(|(lease, _)| lease.key).collect();
    let fences: Vec<i64> = writes.iter().map(|(lease, _)| lease.fence).collect();
    let statement = database.query(PUT).bind(keys).bind(fences);
    let statement = statement.bind(gives_back).bind(seen).bind(at_once);
    let statement = statement.bind(due_at).bind(refused).bind(why);
    let statement = statement.bind(has_root).bind(roots.name).bind(roots.status);
    let statement = statement.bind(roots.attempts).bind(roots.started_at);
    let statement = statement.bind(roots.done_at).bind(roots.error);
    let statement = statement.bind(roots.output).bind(roots.more);
    let statement = statement.bind(leave_out == LeaveOut::Nobody);
    Ok(bind_nodes(statement.bind(nodes.of.clone()), nodes))
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
