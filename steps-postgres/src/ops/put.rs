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
        node::{DataLists, NodeLists, usual},
        refusers,
    },
    server::{
        lists::{Rows, values},
        txn::{Database, Statement},
    },
};

/// Writes the nodes of a table `n`, made of lists or of one value each, whose steps without rows are in `$next`.
macro_rules! insert {
    ($open:literal, $close:literal, $next:literal, $nodes:expr) => {
        concat!(
            "INSERT INTO %.node_rows (execution, node, parent, name, kind, status, attempts, started_at, done_at, \
    decision, error, input, output, more, next) SELECT n.execution, n.node, ",
            usual!(),
            ", n.next FROM (SELECT ",
            values!(
                $open, $close,
                "$1::bigint" "execution", "$2::bigint" "node", "$3::bigint" "parent", "$4::text" "name",
                "$5::text" "kind", "$6::text" "status", "$7::bigint" "attempts", "$8::bigint" "started_at",
                "$9::bigint" "done_at", "$10::boolean" "decision", "$11::text" "error", "$12::text" "input",
                "$13::text" "output", "$14::text" "more", $next "next"
            ),
            $nodes,
            " ON CONFLICT (execution, node) DO UPDATE SET parent = excluded.parent, name = excluded.name, \
        kind = excluded.kind, status = excluded.status, attempts = excluded.attempts, \
        started_at = excluded.started_at, done_at = excluded.done_at, decision = excluded.decision, \
        error = excluded.error, input = excluded.input, output = excluded.output, more = excluded.more, \
        next = excluded.next"
        )
    };
}

/// Writes of nodes and of nothing else, which most are: what a statement could do besides costs the server time even if
/// it does not.
macro_rules! put_nodes {
    ($open:literal, $close:literal) => {
        concat!(
            insert!(
                $open, $close, "$17::text",
                concat!(
                    ", ",
                    values!($open, $close, "$16::bigint" "fence"),
                    ") n CROSS JOIN LATERAL ( \
        SELECT 1 FROM %.executions e \
        WHERE e.key = n.execution AND e.fence = n.fence AND e.worker IS NOT NULL FOR NO KEY UPDATE) held \
    WHERE $15 OR NOT EXISTS (SELECT 1 FROM %.subscriptions WHERE ended IS NULL)"
                )
            ),
            " RETURNING execution, false"
        )
    };
}

const PUT_NODES: &str = put_nodes!("unnest(", "[])");
const PUT_NODE: &str = put_nodes!("", "");

/// All others: of the executions in `held`, those in `changed` are changed themselves. The keys of these are said to the
/// server a second time: what it takes to be the better plan for few of them reads them all, once there are many.
const PUT: &str = concat!(
    "WITH held AS ( \
    SELECT a.key, e.newest, e.holder FROM (SELECT ",
    values!("unnest(", "[])", "$16::bigint" "fence", "$17::bigint" "key"),
    ") a CROSS JOIN LATERAL (SELECT e.newest, e.holder FROM %.executions e \
        WHERE e.key = a.key AND e.fence = a.fence AND e.worker IS NOT NULL FOR NO KEY UPDATE) e \
    WHERE $15 OR NOT EXISTS (SELECT 1 FROM %.subscriptions WHERE ended IS NULL) \
), changed AS ( \
    SELECT a.*, held.newest, held.holder FROM (SELECT ",
    values!(
        "unnest(", "[])",
        "$18::bigint" "key", "$19::boolean" "gives_back", "$20::bigint" "seen", "$21::boolean" "at_once",
        "$22::bigint" "due_at", "$23::text" "refused", "$24::text" "refused_why", "$25::boolean" "has_root",
        "$26::text" "name", "$27::text" "status", "$28::bigint" "attempts", "$29::bigint" "started_at",
        "$30::bigint" "done_at", "$31::text" "error", "$32::text" "output", "$33::text" "more"
    ),
    ") a JOIN held ON held.key = a.key \
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
    FROM changed h CROSS JOIN clock c WHERE e.key = h.key AND e.key = ANY(ARRAY(SELECT key FROM changed)) \
), recalled AS ( \
    INSERT INTO %.recalls (holder, execution) \
    SELECT holder, key FROM changed WHERE gives_back AND holder IS NOT NULL \
), nodes AS (",
    insert!(
        "unnest(",
        "[])",
        "$34::text",
        ") n JOIN held ON held.key = n.execution"
    ),
    ") SELECT key, key = ANY(ARRAY(SELECT key FROM changed WHERE gives_back AND newest > seen)) FROM held"
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

/// Returns how many rows a write changes, of nodes, labels and executions. A step that has none yet counts.
pub(crate) fn rows_of(write: &Write) -> usize {
    let others = write.nodes.iter().filter(|row| row.id != 0).count();
    let own = match &write.target {
        Target::New(new) => 1 + new.labels.len(),
        Target::Held(_) => usize::from(changes_execution(write)),
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
        nodes.push(lease.key, &write.nodes, write.new_from)?;
        fences.resize(nodes.of.len(), Some(lease.fence));
    }
    let mut all = writes.iter().map(|(_, write)| *write);
    let is_small = all.all(|write| !changes_execution(write) && !write.nodes.is_empty());
    let (sql, rows) = match nodes.of.len() {
        _ if !is_small => (PUT, Rows::Many),
        1 => (PUT_NODE, Rows::One),
        _ => (PUT_NODES, Rows::Many),
    };
    let statement = database.query(sql);
    let next = std::mem::take(&mut nodes.next);
    let statement = bind_nodes(rows, statement, nodes);
    let statement = statement.bind(leave_out == LeaveOut::Nobody);
    let statement = if is_small {
        rows.bind(statement, fences)
    } else {
        bind_more(statement, &writes)
    };
    Ok(rows.bind(statement, next))
}

/// Returns whether a write changes the execution itself.
fn changes_execution(write: &Write) -> bool {
    write.then != LeaseAfter::Keep || root_of(&write.nodes).is_some()
}

/// Adds the leases, and of those executions that change themselves what becomes of the lease, and the root.
fn bind_more(statement: Statement, writes: &[(Lease, &Write)]) -> Statement {
    let leases = writes.iter().map(|(lease, _)| lease);
    let (fences, keys) = leases
        .map(|lease| (Some(lease.fence), Some(lease.key)))
        .unzip();
    let (mut changed, mut roots) = (Vec::new(), DataLists::default());
    let (mut has_root, mut gives_back, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let (mut at_once, mut due_at) = (Vec::new(), Vec::new());
    let (mut refused, mut why) = (Vec::new(), Vec::new());
    for (lease, write) in writes.iter().filter(|(_, write)| changes_execution(write)) {
        changed.push(Some(lease.key));
        let root = root_of(&write.nodes);
        has_root.push(Some(root.is_some()));
        match root {
            Some(root) => roots.push_root(&root.node),
            None => roots.push_none(Status::Pending),
        }
        gives_back.push(Some(write.then != LeaseAfter::Keep));
        let (due, message, by) = match &write.then {
            LeaseAfter::Keep => (Due::Never, i64::MAX, None),
            LeaseAfter::Release { due, last_message } => (*due, *last_message, None),
            LeaseAfter::Refuse(by) => (Due::Now, i64::MAX, Some(by)),
        };
        seen.push(Some(message));
        at_once.push(Some(due == Due::Now));
        due_at.push(time_of(due));
        refused.push(by.and_then(|by| refusers::column(&by.by)));
        why.push(by.map(|by| by.why.as_str()));
    }
    let rows = Rows::Many;
    let statement = rows.bind::<i64>(statement, fences);
    let statement = rows.bind::<i64>(statement, keys);
    let statement = rows.bind(statement, changed);
    let statement = rows.bind(statement, gives_back);
    let statement = rows.bind(statement, seen);
    let statement = rows.bind(statement, at_once);
    let statement = rows.bind(statement, due_at);
    let statement = rows.bind(statement, refused);
    let statement = rows.bind(statement, why);
    let statement = rows.bind(statement, has_root);
    bind_data(rows, statement, roots)
}

/// Adds all columns of roots.
pub(super) fn bind_data(rows: Rows, statement: Statement, roots: DataLists<'_>) -> Statement {
    let statement = rows.bind(statement, roots.name);
    let statement = rows.bind(statement, roots.status);
    let statement = rows.bind(statement, roots.attempts);
    let statement = rows.bind(statement, roots.started_at);
    let statement = rows.bind(statement, roots.done_at);
    let statement = rows.bind(statement, roots.error);
    let statement = rows.bind(statement, roots.output);
    rows.bind(statement, roots.more)
}

/// Adds all columns of nodes, but for what begins next.
pub(super) fn bind_nodes(rows: Rows, statement: Statement, nodes: NodeLists<'_>) -> Statement {
    let columns = nodes.columns;
    let statement = rows.bind(statement, nodes.of);
    let statement = rows.bind(statement, nodes.node);
    let statement = rows.bind(statement, nodes.parent);
    let statement = rows.bind(statement, columns.name);
    let statement = rows.bind(statement, nodes.kind);
    let statement = rows.bind(statement, columns.status);
    let statement = rows.bind(statement, columns.attempts);
    let statement = rows.bind(statement, columns.started_at);
    let statement = rows.bind(statement, columns.done_at);
    let statement = rows.bind(statement, nodes.decision);
    let statement = rows.bind(statement, columns.error);
    let statement = rows.bind(statement, nodes.input);
    let statement = rows.bind(statement, columns.output);
    rows.bind(statement, columns.more)
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
