//! The part of a write that is in the execution's own row: its root, and when it is due.

use std::time::Duration;

use rusqlite::params;
use steps_core::{
    Status,
    state::NodeData,
    store::{Due, LeaseAfter, Write},
};

use super::{
    inbox, singleton,
    txn::{Kept, Txn},
};
use crate::{
    error::Result,
    file::clock::{Now, Turn},
    row::{
        columns::{UntilColumn, overflow_of_root, text},
        nanos::{clamped, exact},
        refusers,
    },
};

const ROOT: &str = "UPDATE executions SET status = ?2, attempts = ?3, started_at = ?4, \
    done_at = ?5, until = ?6, error = ?7, output = ?8, more = ?9, \
    updated_at = ?10 WHERE key = ?1";

/// The root, and the lease is given back.
const END: &str = "UPDATE executions SET status = ?2, attempts = ?3, started_at = ?4, \
    done_at = ?5, until = ?6, error = ?7, output = ?8, more = ?9, \
    worker = NULL, due_at = ?10, free_at = ?11, updated_at = ?12 WHERE key = ?1";

const REST: &str = "UPDATE executions SET worker = NULL, due_at = ?2, free_at = ?3, \
    updated_at = ?4 WHERE key = ?1";

const REFUSE: &str = "UPDATE executions SET worker = NULL, due_at = ?2, free_at = ?3, \
    refused = ?4, refused_why = ?5, updated_at = ?6 WHERE key = ?1";

pub(super) fn root_of(write: &Write) -> Option<&NodeData> {
    let root = write.nodes.iter().find(|change| change.id == 0);
    root.map(|change| &change.node)
}

/// The root's columns of an execution's row.
pub(super) struct RootColumns<'a> {
    pub(super) status: &'static str,
    pub(super) attempts: Option<u32>,
    pub(super) started_at: Option<i64>,
    pub(super) done_at: Option<i64>,
    pub(super) until: UntilColumn,
    pub(super) error: Option<&'a String>,
    pub(super) output: Option<&'a str>,
    pub(super) more: Option<String>,
}

impl<'a> RootColumns<'a> {
    /// Returns those of a root, or of an execution that has not begun.
    pub(super) fn of(root: Option<&'a NodeData>, flow: &str) -> Result<Self> {
        let more = root.map(|root| overflow_of_root(root, flow)).transpose()?;
        Ok(Self {
            status: root.map_or(Status::Pending, |root| root.status).as_str(),
            attempts: root.map(|root| root.attempts),
            started_at: root.and_then(|root| root.started_at).and_then(exact),
            done_at: root.and_then(|root| root.done_at).and_then(exact),
            until: UntilColumn(root.and_then(|root| root.until)),
            error: root.and_then(|root| root.errors.last()),
            output: root.and_then(|root| text(root.output.as_ref())),
            more: more.flatten(),
        })
    }
}

/// Writes the root, and keeps the lease or gives it back. Returns whether a newer message has made
/// the execution due at once.
pub(super) fn root_and_lease(
    txn: &Txn<'_>,
    key: i64,
    flow: &str,
    write: &Write,
    now: Now,
) -> Result<bool> {
    let root = root_of(write);
    let root = root.map(|root| RootColumns::of(Some(root), flow));
    let root = root.transpose()?;
    if let LeaseAfter::Release { due, last_message } = &write.then {
        let recalled = inbox::newer(txn, key, *last_message)?;
        let turn = if recalled {
            at_once(now)
        } else {
            due_at(*due, now)
        };
        match &root {
            Some(root) => {
                let mut end = txn.statement(Kept::End, END)?;
                singleton::keeping(txn, key, root.status, || {
                    Ok(end.execute(params![
                        key,
                        root.status,
                        root.attempts,
                        root.started_at,
                        root.done_at,
                        root.until,
                        root.error,
                        root.output,
                        root.more,
                        turn.due_at,
                        turn.free_at,
                        now.wall,
                    ])?)
                })?;
            }
            None => {
                let mut rest = txn.prepare_cached(REST)?;
                rest.execute(params![key, turn.due_at, turn.free_at, now.wall])?;
            }
        }
        return Ok(recalled);
    }
    if let Some(root) = root {
        let mut statement = txn.prepare_cached(ROOT)?;
        singleton::keeping(txn, key, root.status, || {
            Ok(statement.execute(params![
                key,
                root.status,
                root.attempts,
                root.started_at,
                root.done_at,
                root.until,
                root.error,
                root.output,
                root.more,
                now.wall,
            ])?)
        })?;
    }
    if let LeaseAfter::Refuse(refused) = &write.then {
        let turn = at_once(now);
        txn.prepare_cached(REFUSE)?.execute(params![
            key,
            turn.due_at,
            turn.free_at,
            refusers::column(&refused.by),
            refused.why,
            now.wall,
        ])?;
    }
    Ok(false)
}

pub(super) fn due_at(due: Due, now: Now) -> Turn {
    match due {
        Due::Now => at_once(now),
        Due::At(time) => Turn::at(clamped(time)),
        Due::Never => Turn::default(),
    }
}

pub(super) fn at_once(now: Now) -> Turn {
    now.after(Duration::ZERO)
}
