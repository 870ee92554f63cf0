//! The inbox of each execution: messages (signals, stops, undos) that no run has taken yet.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use steps_core::{
    Status,
    store::{ErrorKind, Message, MessageReceipt, Queue, SendMessage, Write},
};

use crate::{
    error::{Fail, Result},
    file::clock::{Now, Turn},
    row::columns::Columns,
};

const TO: &str = "SELECT key, status, taken FROM executions WHERE id = ?1";

// Numbers are never used again, so a message that replaces another one counts as newer.
const PUT: &str = "INSERT INTO messages (execution, kind, path, value, sent_at) \
    VALUES (?1, ?2, ?3, ?4, ?5)";

const ALIKE: &str =
    "SELECT count(*) FROM messages WHERE execution = ?1 AND kind = ?2 AND path = ?3";

const REPLACED: &str = "DELETE FROM messages WHERE execution = ?1 AND kind = ?2 AND path = ?3";

// What is free and held by nobody is due already.
const WAKE: &str = "UPDATE executions SET due_at = ?2, free_at = ?3 \
    WHERE key = ?1 AND worker IS NULL AND free_at IS NULL AND (due_at IS NULL OR due_at > ?4)";

/// What has not begun, and is to stop, needs no room to begin.
const LET_THROUGH: &str =
    "UPDATE executions SET gate = NULL WHERE key = ?1 AND gate IS NOT NULL AND status = 'pending'";

const SINCE: &str = "SELECT number, kind, path, value FROM messages \
    WHERE execution = ?1 AND number > ?2 ORDER BY number";

const TAKEN: &str = "DELETE FROM messages WHERE number = ?2 AND execution = ?1";

const COUNT_TAKEN: &str = "UPDATE executions SET taken = taken + ?2 WHERE key = ?1";

const NEWER: &str = "SELECT 1 FROM messages WHERE execution = ?1 AND number > ?2 LIMIT 1";

const REMOVE: &str = "DELETE FROM messages WHERE execution = ?1";

/// Puts a message into an execution's inbox, if its conditions hold, and makes the execution due if no
/// worker holds it.
pub(crate) fn send(conn: &Connection, message: &SendMessage, now: Now) -> Result<MessageReceipt> {
    let mut statement = conn.prepare_cached(TO)?;
    let mut rows = statement.query([&message.id])?;
    let Some(row) = rows.next()? else {
        return Ok(MessageReceipt::Unknown);
    };
    let mut columns = Columns::from(row, 0);
    let key = columns.number()?;
    let key = columns.some(key)?;
    let status = columns.status()?;
    let taken = columns.number()?.unwrap_or_default().cast_unsigned();
    drop(rows);
    if !message.if_status.is_empty() && !message.if_status.contains(&status) {
        return Ok(MessageReceipt::WrongStatus(status));
    }
    if message.if_taken.is_some_and(|expected| expected != taken) {
        return Ok(MessageReceipt::Changed);
    }
    let (kind, path, value) = match &message.message {
        Message::Signal { path, value } => ("signal", path.as_str(), Some(value.get())),
        Message::Report { task, report } => ("report", task.as_str(), Some(report.get())),
        Message::Stop => ("stop", "", None),
        Message::Undo => ("undo", "", None),
        Message::ChildEnded { child } => ("child", child.as_str(), None),
        other => {
            return Err(Fail::new(
                ErrorKind::Rejected,
                format!("this store has no place for the message {other:?}"),
            ));
        }
    };
    match message.queue {
        Queue::Replace => {
            let mut replaced = conn.prepare_cached(REPLACED)?;
            replaced.execute(params![key, kind, path])?;
        }
        Queue::Behind(most) => {
            let mut alike = conn.prepare_cached(ALIKE)?;
            let count: i64 = alike.query_row(params![key, kind, path], |row| row.get(0))?;
            if usize::try_from(count).unwrap_or(usize::MAX) >= most {
                return Ok(MessageReceipt::Full);
            }
        }
    }
    let number = conn
        .prepare_cached(PUT)?
        .insert(params![key, kind, path, value, now.wall])?;
    if matches!(message.message, Message::Stop | Message::Undo) && status == Status::Pending {
        conn.prepare_cached(LET_THROUGH)?.execute([key])?;
    }
    let Turn { due_at, free_at } = now.after(Duration::ZERO);
    conn.prepare_cached(WAKE)?
        .execute(params![key, due_at, free_at, now.wall])?;
    Ok(MessageReceipt::Stored(number))
}

/// Returns the messages after number `seen`, the oldest first.
pub(crate) fn since(conn: &Connection, key: i64, seen: i64) -> Result<Vec<(i64, Message)>> {
    let mut statement = conn.prepare_cached(SINCE)?;
    let mut rows = statement.query([key, seen])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::from(row, 0);
        let number = columns.number()?;
        let number = columns.some(number)?;
        let message = match columns.text()?.unwrap_or_default() {
            "signal" => {
                let path = columns.text()?.unwrap_or_default().to_owned();
                let value = columns.json()?;
                let value = columns.some(value)?;
                Message::Signal { path, value }
            }
            "report" => {
                let task = columns.text()?.unwrap_or_default().to_owned();
                let report = columns.json()?;
                let report = columns.some(report)?;
                Message::Report { task, report }
            }
            "stop" => Message::Stop,
            "undo" => Message::Undo,
            "child" => Message::ChildEnded {
                child: columns.text()?.unwrap_or_default().to_owned(),
            },
            other => {
                return Err(Fail::Row(format!(
                    "message {number}: its kind {other:?} is not known"
                )));
            }
        };
        messages.push((number, message));
    }
    Ok(messages)
}

/// Whether there is a message after number `seen`.
pub(crate) fn newer(conn: &Connection, key: i64, seen: i64) -> Result<bool> {
    let found = conn
        .prepare_cached(NEWER)?
        .query_row([key, seen], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Deletes the messages that a write has taken, and counts them. Signals have to be there.
pub(crate) fn taken(conn: &Connection, key: i64, write: &Write) -> Result<()> {
    let mut count = 0;
    for number in &write.signals {
        if conn.prepare_cached(TAKEN)?.execute([key, *number])? == 0 {
            let message = format!("the signal {number} was replaced by another one");
            return Err(Fail::new(ErrorKind::Withdrawn, message));
        }
        count += 1;
    }
    for number in &write.taken {
        count += conn.prepare_cached(TAKEN)?.execute([key, *number])?;
    }
    if count > 0 {
        conn.prepare_cached(COUNT_TAKEN)?
            .execute(params![key, i64::try_from(count).unwrap_or(i64::MAX)])?;
    }
    Ok(())
}

/// Deletes all messages of an execution.
pub(crate) fn remove(conn: &Connection, key: i64) -> Result<()> {
    conn.prepare_cached(REMOVE)?.execute([key])?;
    Ok(())
}
