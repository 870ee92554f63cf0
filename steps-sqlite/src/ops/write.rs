//! A worker's write: it creates an execution, or changes the nodes and the lease of one.

use std::time::Duration;

use rusqlite::{Connection, params};
use steps_core::{
    state::NodeData,
    store::{Due, ErrorKind, Existing, Lease, LeaseAfter, NewExecution, Target, Write, Written},
};

use super::{
    execution, inbox, steps,
    txn::{Kept, Txn},
};
use crate::{
    error::{Fail, Result, fenced},
    file::clock::{Now, Turn},
    row::{
        columns::{Columns, UntilColumn, overflow_of_root, text},
        nanos::{clamped, exact},
        refusers,
    },
};

/// The fencing number of an execution, and whether a worker holds it.
const HELD: &str = "SELECT fence, worker IS NOT NULL FROM executions WHERE key = ?1";
const ID: &str = "SELECT id FROM executions WHERE key = ?1";
const FLOW: &str = "SELECT flow FROM executions WHERE key = ?1";

const MAKE: &str = "INSERT INTO executions (id, flow, status, priority, created_at, due_at, \
    free_at, worker, fence, refused, refused_why, input, form) \
    VALUES (?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11)";

const FORM: &str = "UPDATE executions SET form = ?2 WHERE key = ?1 AND (form IS NULL OR form < ?2)";

const LABEL: &str = "INSERT INTO labels (execution, name, value) VALUES (?1, ?2, ?3)";

const ROOT: &str = "UPDATE executions SET status = ?2, attempts = ?3, started_at = ?4, \
    done_at = ?5, until = ?6, error = ?7, output = ?8, more = ?9 WHERE key = ?1";

const NO_ROOT: &str =
    "UPDATE executions SET attempts = NULL, until = NULL, more = NULL WHERE key = ?1";

const REST: &str = "UPDATE executions SET worker = NULL, due_at = ?2, free_at = ?3 \
    WHERE key = ?1";

const REFUSE: &str = "UPDATE executions SET worker = NULL, due_at = ?2, free_at = ?3, \
    refused = ?4, refused_why = ?5 WHERE key = ?1";

/// Makes one write, after checking its lease.
pub(crate) fn write(txn: &Txn<'_>, write: &Write, now: Now) -> Result<Written> {
    match &write.target {
        Target::New(new) => make(txn, new, write, now),
        Target::Held(lease) => {
            check(txn, *lease)?;
            put(txn, lease.key, None, write)?;
            if let Some(form) = write.form {
                txn.prepare_cached(FORM)?.execute([lease.key, form])?;
            }
            inbox::taken(txn, lease.key, write)?;
            Ok(if then(txn, lease.key, &write.then, now)? {
                Written::Recalled
            } else {
                Written::Kept
            })
        }
    }
}

/// Returns an error unless the lease is the newest one and was not given back.
fn check(txn: &Txn<'_>, lease: Lease) -> Result<()> {
    let mut statement = txn.statement(Kept::Held, HELD)?;
    let mut rows = statement.query([lease.key])?;
    if let Some(row) = rows.next()?
        && row.get::<_, i64>(0)? == lease.fence
        && row.get(1)?
    {
        return Ok(());
    }
    drop(rows);
    Err(match text_of(txn, ID, lease.key)? {
        None => fenced("an execution"),
        Some(id) => fenced(&format!("execution {id:?}")),
    })
}

/// Returns one text column of an execution's row.
fn text_of(conn: &Connection, sql: &str, key: i64) -> Result<Option<String>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([key])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Columns::from(row, 0).text()?.map(str::to_owned))
}

fn make(txn: &Txn<'_>, new: &NewExecution, write: &Write, now: Now) -> Result<Written> {
    if let Some(found) = execution::by_id(txn, &new.id, now)? {
        return Ok(Written::Exists(Box::new(Existing {
            info: found.info,
            input: found.input,
        })));
    }
    let (worker, turn, refused) = match (&write.then, &new.held) {
        (LeaseAfter::Keep, None) => {
            return Err(Fail::new(
                ErrorKind::Rejected,
                format!(
                    "execution {:?}: nobody has a lease that could be kept; say when it is due",
                    new.id
                ),
            ));
        }
        (LeaseAfter::Keep, Some((worker, lease))) => (Some(worker), now.after(*lease), None),
        (LeaseAfter::Release { due, .. }, _) => (None, due_at(*due, now), None),
        (LeaseAfter::Refuse(refused), _) => (None, at_once(now), Some(refused)),
    };
    let key = txn.prepare_cached(MAKE)?.insert(params![
        new.id,
        new.flow,
        new.priority,
        now.wall,
        turn.due_at,
        turn.free_at,
        worker,
        refused.and_then(|refused| refusers::column(&refused.by)),
        refused.map(|refused| &refused.why),
        new.input.get(),
        new.form,
    ])?;
    for (name, value) in &new.labels {
        txn.prepare_cached(LABEL)?
            .execute(params![key, name, value])?;
    }
    put(txn, key, Some(&new.flow), write)?;
    Ok(Written::Created(Lease { key, fence: 1 }))
}

fn put(txn: &Txn<'_>, key: i64, flow: Option<&str>, write: &Write) -> Result<()> {
    let root = write.nodes.iter().find(|change| change.id == 0);
    if write.replace {
        steps::remove(txn, key)?;
        if root.is_none() {
            txn.prepare_cached(NO_ROOT)?.execute([key])?;
        }
    }
    if let Some(root) = root {
        match flow {
            Some(flow) => put_root(txn, key, flow, &root.node)?,
            None => {
                let flow = text_of(txn, FLOW, key)?.unwrap_or_default();
                put_root(txn, key, &flow, &root.node)?;
            }
        }
    }
    let others = write.nodes.iter().filter(|change| change.id != 0);
    steps::put(txn, key, others)
}

fn put_root(conn: &Connection, key: i64, flow: &str, root: &NodeData) -> Result<()> {
    conn.prepare_cached(ROOT)?.execute(params![
        key,
        root.status.as_str(),
        root.attempts,
        root.started_at.and_then(exact),
        root.done_at.and_then(exact),
        UntilColumn(root.until),
        root.errors.last(),
        text(root.output.as_ref()),
        overflow_of_root(root, flow)?,
    ])?;
    Ok(())
}

/// Keeps the lease, or gives it back. Returns whether a newer message has made the execution due at
/// once.
fn then(conn: &Connection, key: i64, then: &LeaseAfter, now: Now) -> Result<bool> {
    match then {
        LeaseAfter::Keep => {}
        LeaseAfter::Release {
            due,
            last_message: seen,
        } => {
            let recalled = inbox::newer(conn, key, *seen)?;
            let turn = if recalled {
                at_once(now)
            } else {
                due_at(*due, now)
            };
            conn.prepare_cached(REST)?
                .execute(params![key, turn.due_at, turn.free_at])?;
            return Ok(recalled);
        }
        LeaseAfter::Refuse(refused) => {
            let turn = at_once(now);
            conn.prepare_cached(REFUSE)?.execute(params![
                key,
                turn.due_at,
                turn.free_at,
                refusers::column(&refused.by),
                refused.why
            ])?;
        }
    }
    Ok(false)
}

fn due_at(due: Due, now: Now) -> Turn {
    match due {
        Due::Now => at_once(now),
        Due::At(time) => Turn::at(clamped(time)),
        Due::Never => Turn::default(),
    }
}

fn at_once(now: Now) -> Turn {
    now.after(Duration::ZERO)
}
