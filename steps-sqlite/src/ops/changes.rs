//! Changes that are kept for subscriptions: which ones a write makes, and those that are not settled. The
//! subscriptions are in `subscriptions`.

use std::sync::Arc;

use rusqlite::{Row, params};
use steps_core::{
    Status,
    store::{
        Before, Change, ChangeQuery, Changed, ChangedStep, NodeReader, NodeRow, Rewrite, RowRanges,
        Settled, Share, Subscription, WhichChanges, Write,
    },
};

use super::{steps, subscriptions, txn::Txn};
use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::{
        columns::{Columns, row_number},
        nanos::{clamped, time},
    },
};

const ID: &str = "SELECT id FROM executions WHERE key = ?1";
const STATUS: &str = "SELECT status FROM executions WHERE key = ?1";
const STEP: &str = "SELECT status, parent, name FROM nodes WHERE id = ?1";
/// The step that has only begun, of which there is only its name in the row before it.
const BEGUN: &str = "SELECT 1 FROM nodes WHERE id = ?1 AND next IS NOT NULL";

const KEEP: &str = "INSERT INTO changes (subscription, execution, flow, from_status, to_status, at, \
    error, step, path, step_attempts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

macro_rules! select_changes {
    ($rest:literal) => {
        concat!(
            "SELECT number, execution, flow, from_status, to_status, at, error, step, path, ",
            "step_attempts, attempts, due_at, failure FROM changes c ",
            $rest
        )
    };
}

pub(crate) const NEW: &str = select_changes!(
    "WHERE subscription = ?1 AND attempts = 0 AND number > ?2 AND NOT EXISTS (SELECT 1 FROM changes f \
    WHERE f.subscription = ?1 AND f.execution = c.execution AND f.attempts > 0) \
    ORDER BY number LIMIT ?3"
);

pub(crate) const FAILED: &str =
    select_changes!("WHERE subscription = ?1 AND attempts > 0 ORDER BY due_at, number LIMIT ?2");

const DONE: &str = "DELETE FROM changes WHERE number = ?1 AND subscription = ?2";
const IN_VAIN: &str = "UPDATE changes SET attempts = ?3, due_at = ?4, failure = ?5 \
    WHERE number = ?1 AND subscription = ?2";

/// The nodes of an execution.
struct Nodes<'a, 'c> {
    txn: &'a Txn<'c>,
    key: i64,
}

impl NodeReader for Nodes<'_, '_> {
    type Error = Fail;

    fn execution_status(&self) -> Result<Status> {
        let mut statement = self.txn.prepare_cached(STATUS)?;
        let mut rows = statement.query([self.key])?;
        let row = rows.next()?;
        row.map_or(Ok(Status::Pending), |row| Columns::from(row, 0).status())
    }

    fn status(&self, node: u32) -> Result<Option<Status>> {
        let mut statement = self.txn.prepare_cached(STEP)?;
        let mut rows = statement.query([row_number(self.key, node)?])?;
        if let Some(row) = rows.next()? {
            return Ok(Some(Columns::from(row, 0).status()?));
        }
        let before = row_number(self.key, node)? - 1;
        let has_begun = self.txn.prepare_cached(BEGUN)?.exists([before])?;
        Ok(has_begun.then_some(Status::Running))
    }

    fn place(&self, node: u32) -> Result<Option<(u32, String)>> {
        let mut statement = self.txn.prepare_cached(STEP)?;
        let mut rows = statement.query([row_number(self.key, node)?])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut columns = Columns::from(row, 1);
        let parent = columns.count()?;
        let parent = columns.some(parent)?;
        Ok(Some((
            parent,
            columns.text()?.unwrap_or_default().to_owned(),
        )))
    }

    fn all(&self) -> Result<Vec<NodeRow>> {
        let (mut nodes, mut share) = (Vec::new(), Share::UNBOUNDED);
        steps::read(
            self.txn,
            self.key,
            &RowRanges::default(),
            &mut nodes,
            &mut share,
        )?;
        Ok(nodes)
    }
}

/// What was there before a write for which somebody has subscribed.
pub(super) struct BeforeWrite {
    before: Before,
    subscriptions: Arc<[Subscription]>,
    how: Rewrite,
}

/// Looks at what is there before a write to an execution of this flow.
pub(super) fn before(
    txn: &Txn<'_>,
    key: i64,
    flow: &str,
    write: &Write,
    now: Now,
) -> Result<Option<BeforeWrite>> {
    let how = if write.replace {
        Rewrite::All
    } else {
        Rewrite::Some
    };
    before_as(txn, key, flow, write, how, now)
}

/// The same of an execution that the write has just made, before its nodes are written.
pub(super) fn before_new(
    txn: &Txn<'_>,
    key: i64,
    flow: &str,
    write: &Write,
    now: Now,
) -> Result<Option<BeforeWrite>> {
    before_as(txn, key, flow, write, Rewrite::New, now)
}

fn before_as(
    txn: &Txn<'_>,
    key: i64,
    flow: &str,
    write: &Write,
    how: Rewrite,
    now: Now,
) -> Result<Option<BeforeWrite>> {
    let subscriptions = subscriptions::open(txn)?;
    if subscriptions.is_empty() {
        return Ok(None);
    }
    let changed = changed("", flow, write, how, now);
    let before = Before::of(&subscriptions, &changed, &Nodes { txn, key })?;
    Ok(before.map(|before| BeforeWrite {
        before,
        subscriptions,
        how,
    }))
}

fn changed<'a>(
    id: &'a str,
    flow: &'a str,
    write: &'a Write,
    how: Rewrite,
    now: Now,
) -> Changed<'a> {
    Changed {
        id,
        flow,
        at: time(now.wall),
        nodes: &write.nodes,
        how,
    }
}

/// Keeps what a write has changed.
pub(super) fn keep(
    txn: &Txn<'_>,
    key: i64,
    flow: &str,
    before: Option<BeforeWrite>,
    write: &Write,
    now: Now,
) -> Result<()> {
    let Some(BeforeWrite {
        before,
        subscriptions,
        how,
    }) = before
    else {
        return Ok(());
    };
    // Whose they are is read only where there are any.
    let changed = changed("", flow, write, how, now);
    let found = before.changes(&subscriptions, &changed, &Nodes { txn, key })?;
    if found.is_empty() {
        return Ok(());
    }
    let id: String = txn.prepare_cached(ID)?.query_row([key], |row| row.get(0))?;
    let mut statement = txn.prepare_cached(KEEP)?;
    for (subscription, change) in found {
        let step = change.step.as_ref();
        statement.execute(params![
            subscription,
            id,
            change.flow,
            change.from.map(Status::as_str),
            change.to.as_str(),
            clamped(change.at),
            change.error,
            step.map(|step| &step.name),
            step.map(|step| &step.path),
            step.map(|step| step.attempts),
        ])?;
    }
    Ok(())
}

/// Returns changes that are kept for a subscription.
pub(crate) fn list(conn: &Txn<'_>, query: &ChangeQuery) -> Result<Vec<Change>> {
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    match query.which {
        WhichChanges::New { after } => {
            let mut statement = conn.prepare_cached(NEW)?;
            let mut rows = statement.query(params![query.subscription, after, limit])?;
            while let Some(row) = rows.next()? {
                found.push(change(row)?);
            }
        }
        WhichChanges::Failed => {
            let mut statement = conn.prepare_cached(FAILED)?;
            let mut rows = statement.query(params![query.subscription, limit])?;
            while let Some(row) = rows.next()? {
                found.push(change(row)?);
            }
        }
    }
    Ok(found)
}

fn change(row: &Row<'_>) -> Result<Change> {
    let mut columns = Columns::from(row, 0);
    let number = columns.number()?;
    let number = columns.some(number)?;
    let text = |columns: &mut Columns<'_>| -> Result<Option<String>> {
        Ok(columns.text()?.map(str::to_owned))
    };
    let execution = text(&mut columns)?.unwrap_or_default();
    let flow = text(&mut columns)?.unwrap_or_default();
    let from = text(&mut columns)?;
    let from = from.map(|name| {
        let status = Status::from_name(&name);
        status.ok_or_else(|| Fail::Row(format!("change {number}: {name:?} is no status")))
    });
    let to = columns.status()?;
    let at = time(columns.number()?.unwrap_or_default());
    let mut change = Change::new(number, execution, flow, from.transpose()?, to, at);
    change.error = text(&mut columns)?;
    let name = text(&mut columns)?;
    let path = text(&mut columns)?.unwrap_or_default();
    let attempts = columns.count()?.unwrap_or_default();
    change.step = name.map(|name| ChangedStep::new(name, path, attempts));
    change.attempts = columns.count()?.unwrap_or_default();
    change.due = columns.number()?.map(time);
    change.failure = text(&mut columns)?;
    Ok(change)
}

/// Deletes changes that were told, and keeps of others that they were told in vain.
pub(crate) fn settle(conn: &Txn<'_>, settled: &Settled) -> Result<()> {
    let name = &settled.subscription;
    let mut done = conn.prepare_cached(DONE)?;
    for number in &settled.done {
        done.execute(params![number, name])?;
    }
    let mut in_vain = conn.prepare_cached(IN_VAIN)?;
    for failed in &settled.failed {
        let due = clamped(failed.due);
        in_vain.execute(params![
            failed.number,
            name,
            failed.attempts,
            due,
            failed.failure
        ])?;
    }
    Ok(())
}
