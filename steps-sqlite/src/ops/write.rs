//! A worker's write: it creates an execution, or changes the nodes and the lease of one. What is in the
//! execution's own row is left to `root`.

use rusqlite::{Connection, params};
use steps_core::store::{
    Child, ErrorKind, Existing, Lease, LeaseAfter, NewExecution, NodeRow, Target, Write, Written,
};

use super::{
    changes, execution, inbox,
    known::HeldLease,
    limits, notes,
    root::{RootColumns, at_once, due_at, root_and_lease, root_of},
    singleton,
    steps::{self, Numbers},
    transactions,
    txn::{Kept, Txn},
};
use crate::{
    error::{Fail, Result, fenced},
    file::clock::Now,
    row::{
        columns::{Columns, node_number, rows_of},
        nanos::clamped,
        past, refusers,
    },
};

/// Of an execution: its fencing number, whether a worker holds it, its flow, and the row of its last
/// node.
const HELD: &str = "SELECT fence, worker IS NOT NULL, flow, \
    (SELECT max(id) FROM nodes WHERE id BETWEEN ?2 AND ?3), \
    (SELECT next IS NOT NULL FROM nodes WHERE id BETWEEN ?2 AND ?3 ORDER BY id DESC LIMIT 1) \
    FROM executions WHERE key = ?1";
const ID: &str = "SELECT id FROM executions WHERE key = ?1";

const MAKE: &str = "INSERT INTO executions (id, flow, priority, created_at, due_at, free_at, \
    worker, fence, refused, refused_why, input, form, parent, trace, \
    status, attempts, started_at, done_at, until, error, output, more) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, \
    ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) ON CONFLICT (id) DO NOTHING";

const FORM: &str = "UPDATE executions SET form = ?2 WHERE key = ?1 AND (form IS NULL OR form < ?2)";

const PAST: &str = "UPDATE executions SET past = ?2 WHERE key = ?1";

const LABEL: &str =
    "INSERT INTO labels (execution, name, value, created_at) VALUES (?1, ?2, ?3, ?4)";

const NO_ROOT: &str =
    "UPDATE executions SET attempts = NULL, until = NULL, more = NULL WHERE key = ?1";

/// Makes one write, after checking its lease.
pub(crate) fn write(txn: &Txn<'_>, write: &Write, now: Now) -> Result<Written> {
    match &write.target {
        Target::New(new) => {
            let made = make(txn, new, write, now)?;
            if matches!(made, Written::Created(_)) {
                go_with(txn, write, now)?;
            }
            Ok(made)
        }
        Target::Held(lease) => {
            let known = txn.known().and_then(|mut known| known.take(*lease));
            let mut held = match known {
                Some(held) => held,
                None => look_up(txn, *lease)?,
            };
            let before = changes::before(txn, lease.key, &held.flow, write, now)?;
            put(txn, lease.key, &mut held, write)?;
            if let Some(form) = write.form {
                txn.prepare_cached(FORM)?.execute([lease.key, form])?;
            }
            if let Some(past) = &write.past {
                let column = past::column(past);
                txn.prepare_cached(PAST)?
                    .execute(params![lease.key, column])?;
            }
            if !write.transactions.is_empty() {
                transactions::end(txn, lease.key, &write.transactions)?;
            }
            if !write.notes.is_empty() {
                notes::change(txn, lease.key, &write.notes, now)?;
            }
            inbox::taken(txn, lease.key, write)?;
            changes::keep(txn, lease.key, &held.flow, before, write, now)?;
            go_with(txn, write, now)?;
            let recalled = root_and_lease(txn, lease.key, &held.flow, write, now)?;
            if write.then == LeaseAfter::Keep {
                txn.know_lease(*lease, held);
            }
            Ok(if recalled {
                Written::Recalled
            } else {
                Written::Kept
            })
        }
    }
}

/// Makes what a write makes besides its own execution: its children, and messages to others.
fn go_with(txn: &Txn<'_>, write: &Write, now: Now) -> Result<()> {
    start(txn, &write.children, now)?;
    for message in &write.tells {
        inbox::send(txn, message, now)?;
    }
    Ok(())
}

/// Creates executions that nobody holds.
pub(super) fn start(txn: &Txn<'_>, children: &[Child], now: Now) -> Result<()> {
    for Child { new, nodes, due } in children {
        let then = LeaseAfter::Release {
            due: *due,
            last_message: 0,
        };
        let held_by_nobody = NewExecution {
            held: None,
            ..new.clone()
        };
        let child = Write {
            nodes: nodes.clone(),
            ..Write::new(Target::New(Box::new(held_by_nobody)), then)
        };
        if let Written::Exists(_) = write(txn, &child, now)? {
            return Err(Fail::new(
                ErrorKind::Exists,
                format!("the id of the child {:?} is in use", new.id),
            ));
        }
    }
    Ok(())
}

/// Checks that a lease is the newest one, and was not given back.
pub(super) fn need_lease(txn: &Txn<'_>, lease: Lease) -> Result<()> {
    look_up(txn, lease).map(drop)
}

/// Looks a lease up. Returns an error unless it is the newest one and was not given back.
fn look_up(txn: &Txn<'_>, lease: Lease) -> Result<HeldLease> {
    let (first, last) = rows_of(lease.key);
    let mut statement = txn.statement(Kept::Held, HELD)?;
    let mut rows = statement.query([lease.key, first, last])?;
    if let Some(row) = rows.next()?
        && row.get::<_, i64>(0)? == lease.fence
        && row.get(1)?
    {
        let row_number: Option<i64> = row.get(3)?;
        let last_has_no_row = row.get::<_, Option<bool>>(4)?.unwrap_or(false);
        return Ok(HeldLease {
            flow: Columns::from(row, 2).text()?.unwrap_or_default().into(),
            numbers: Numbers {
                last: row_number.map_or(0, node_number) + u32::from(last_has_no_row),
                last_has_no_row,
            },
        });
    }
    drop(rows);
    let mut statement = txn.prepare_cached(ID)?;
    let mut rows = statement.query([lease.key])?;
    Err(match rows.next()? {
        None => fenced("an execution"),
        Some(row) => {
            let id = Columns::from(row, 0).text()?.unwrap_or_default();
            fenced(&format!("execution {id:?}"))
        }
    })
}

fn make(txn: &Txn<'_>, new: &NewExecution, write: &Write, now: Now) -> Result<Written> {
    let (worker, turn, refused) = match (&write.then, &new.held) {
        (LeaseAfter::Keep, None) => {
            if let Some(existing) = existing(txn, new, now)? {
                return Ok(existing);
            }
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
    if let Some(singleton) = &new.singleton
        && root_of(write).is_none_or(|root| !root.status.is_final())
        && let Some(by) = singleton::holder(txn, &new.flow, singleton)?
    {
        let new = Box::new(new.clone());
        return Ok(existing(txn, &new, now)?.unwrap_or(Written::Taken { by, new }));
    }
    let limits = limits::of_flow(txn, &new.flow)?;
    if limits.is_some() && new.held.is_some() {
        return Ok(Written::Limited(Box::new(new.clone())));
    }
    let root = RootColumns::of(root_of(write), &new.flow)?;
    let created = new.created_at.map_or(now.wall, clamped);
    let made = txn.statement(Kept::Make, MAKE)?.execute(params![
        new.id,
        new.flow,
        new.priority,
        created,
        turn.due_at,
        turn.free_at,
        worker,
        refused.and_then(|refused| refusers::column(&refused.by)),
        refused.map(|refused| &refused.why),
        new.input.get(),
        new.form,
        new.parent,
        new.trace.as_ref().map(ToString::to_string),
        root.status,
        root.attempts,
        root.started_at,
        root.done_at,
        root.until,
        root.error,
        root.output,
        root.more,
    ])?;
    if made == 0 {
        return existing(txn, new, now)?
            .ok_or_else(|| Fail::new(ErrorKind::Other, "an execution is there and is not found"));
    }
    let key = txn.last_insert_rowid();
    for (name, value) in &new.labels {
        txn.prepare_cached(LABEL)?
            .execute(params![key, name, value, created])?;
    }
    if let Some(singleton) = &new.singleton {
        singleton::put(txn, key, singleton)?;
    }
    if let Some(limits) = &limits {
        limits::put_behind_gate(txn, key, new, limits)?;
    }
    notes::of_new(txn, key, &new.notes)?;
    if !write.notes.is_empty() {
        notes::change(txn, key, &write.notes, now)?;
    }
    let mut held = HeldLease {
        flow: new.flow.as_str().into(),
        numbers: Numbers::default(),
    };
    // One with a time of its own was changed elsewhere.
    let before = match new.created_at {
        None => changes::before_new(txn, key, &new.flow, write, now)?,
        Some(_) => None,
    };
    steps::put(txn, key, &mut held.numbers, others_of(write))?;
    changes::keep(txn, key, &new.flow, before, write, now)?;
    if let Some(past) = write.past.as_ref().and_then(past::column) {
        txn.prepare_cached(PAST)?.execute(params![key, past])?;
    }
    let lease = Lease { key, fence: 1 };
    if write.then == LeaseAfter::Keep {
        txn.know_lease(lease, held);
    }
    Ok(Written::Created(lease))
}

/// Returns the execution that has the new one's id, if there is one.
fn existing(conn: &Connection, new: &NewExecution, now: Now) -> Result<Option<Written>> {
    let found = execution::by_id(conn, &new.id, now)?;
    Ok(found.map(|found| {
        Written::Exists(Box::new(Existing {
            info: found.info,
            input: found.input,
        }))
    }))
}

fn others_of(write: &Write) -> impl Iterator<Item = &NodeRow> {
    write.nodes.iter().filter(|change| change.id != 0)
}

/// Writes all nodes but the root.
fn put(txn: &Txn<'_>, key: i64, held: &mut HeldLease, write: &Write) -> Result<()> {
    if write.replace {
        steps::remove(txn, key)?;
        txn.prepare_cached(PAST)?
            .execute(params![key, None::<String>])?;
        held.numbers = Numbers::default();
        if root_of(write).is_none() {
            txn.prepare_cached(NO_ROOT)?.execute([key])?;
        }
    }
    steps::remove_some(txn, key, &mut held.numbers, &write.removed)?;
    steps::put(txn, key, &mut held.numbers, others_of(write))
}
