//! The inbox of each execution: messages that no run has taken yet. Whoever puts one in or takes one out has locked
//! the execution, whose row has the number of the newest.

use std::collections::HashMap;

use steps_core::{
    Status,
    store::{ErrorKind, Message, MessageReceipt, Queue, SendMessage, Write},
};

use crate::{
    error::{Fail, Result},
    row::columns::Columns,
    server::{
        tidings::{self, Tell},
        txn::Txn,
    },
};

const TO: &str = "SELECT key, status, taken FROM %.executions WHERE id = $1 FOR NO KEY UPDATE";
const REPLACED: &str = "DELETE FROM %.messages WHERE execution = $1 AND kind = $2 AND path = $3";
const ALIKE: &str =
    "SELECT count(*) FROM %.messages WHERE execution = $1 AND kind = $2 AND path = $3";
const PUT: &str = "INSERT INTO %.messages (execution, kind, path, value, sent_at) \
    VALUES ($1, $2, $3, $4, %.nanoseconds()) RETURNING number, sent_at";

/// What is free and held by nobody is due already. What has not begun, and is to stop, needs no room to begin. Whose
/// lease ends with others' has to be told what to look at.
macro_rules! wake {
    ($answer:literal) => {
        concat!(
            "WITH woken AS (UPDATE %.executions SET newest = $2, ",
            "due_at = CASE WHEN worker IS NULL AND (due_at IS NULL OR due_at > $3) THEN $3 ELSE due_at END, ",
            "gate = CASE WHEN $4 AND status = 'pending' THEN NULL ELSE gate END WHERE key = $1 ",
            "RETURNING key, holder, worker, flow, id), ",
            "recalled AS (INSERT INTO %.recalls (holder, execution) ",
            "SELECT holder, key FROM woken WHERE holder IS NOT NULL) ",
            $answer,
            " FROM woken"
        )
    };
}

const WAKE: &str = wake!("SELECT key");

/// The same, and tells those who listen, when the transaction is committed.
const WAKE_AND_TELL: &str =
    wake!("SELECT pg_notify($5, CASE WHEN worker IS NULL THEN $6 || flow ELSE $7 || id END)");

const OF: &str = "SELECT execution, number, kind, path, value FROM %.messages WHERE execution = ANY($1) ORDER BY number";

const TAKEN: &str = "DELETE FROM %.messages WHERE execution = $1 AND number = ANY($2)";
const COUNT_TAKEN: &str = "UPDATE %.executions SET taken = taken + $2, \
    newest = coalesce((SELECT max(number) FROM %.messages WHERE execution = $1), 0) WHERE key = $1";

/// Puts a message into an execution's inbox, if its conditions hold, and makes the execution due if no worker holds
/// it.
pub(crate) async fn send(
    txn: &mut Txn<'_>,
    message: &SendMessage,
    tell: Tell,
) -> Result<MessageReceipt> {
    let statement = txn.query(TO).bind(&message.id);
    let Some(row) = txn.row(statement).await? else {
        return Ok(MessageReceipt::Unknown);
    };
    let mut columns = Columns::of(&row);
    let key = columns.key()?;
    let status = columns.status()?;
    let taken = columns.key()?.cast_unsigned();
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
            let statement = txn.query(REPLACED).bind(key).bind(kind).bind(path);
            txn.execute(statement).await?;
        }
        Queue::Behind(most) => {
            let statement = txn.query(ALIKE).bind(key).bind(kind).bind(path);
            let row = txn.row(statement).await?;
            let count = row.map_or(Ok(0), |row| Columns::of(&row).key())?;
            if usize::try_from(count).unwrap_or(usize::MAX) >= most {
                return Ok(MessageReceipt::Full);
            }
        }
    }
    let statement = txn.query(PUT).bind(key).bind(kind).bind(path).bind(value);
    let row = txn.row(statement).await?;
    let row = row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?;
    let mut columns = Columns::of(&row);
    let (number, now) = (columns.key()?, columns.key()?);
    let stops =
        matches!(message.message, Message::Stop | Message::Undo) && status == Status::Pending;
    let wake = match tell {
        Tell::Nobody => WAKE,
        Tell::Listeners => WAKE_AND_TELL,
    };
    let statement = txn.query(wake).bind(key).bind(number).bind(now).bind(stops);
    let statement = match tell {
        Tell::Nobody => statement,
        Tell::Listeners => {
            let channel = txn.database.schema.clone();
            statement
                .bind(channel)
                .bind(tidings::DUE)
                .bind(tidings::MESSAGE)
        }
    };
    txn.execute(statement).await?;
    Ok(MessageReceipt::Stored(number))
}

/// Messages with their numbers, or why one can't be read.
pub(super) type Messages = Result<Vec<(i64, Message)>, String>;

/// Returns the messages of each of these executions, the oldest first.
pub(super) async fn of(txn: &mut Txn<'_>, keys: &[i64]) -> Result<HashMap<i64, Messages>> {
    let statement = txn.query(OF).bind(keys);
    let mut found: HashMap<i64, Messages> = HashMap::new();
    for row in txn.rows(statement).await? {
        let mut columns = Columns::of(&row);
        let messages = found.entry(columns.key()?).or_insert(Ok(Vec::new()));
        let number = columns.key()?;
        match (message(&mut columns, number), &mut *messages) {
            (Ok(message), Ok(messages)) => messages.push((number, message)),
            (Err(Fail::Row(why)), _) => *messages = Err(why),
            (Err(other), _) => return Err(other),
            (Ok(_), Err(_)) => {}
        }
    }
    Ok(found)
}

fn message(columns: &mut Columns<'_>, number: i64) -> Result<Message> {
    let kind = columns.text()?.unwrap_or_default();
    let path = columns.owned()?.unwrap_or_default();
    let value = columns.json()?;
    Ok(match kind {
        "signal" => Message::Signal {
            path,
            value: columns.some(value)?,
        },
        "report" => Message::Report {
            task: path,
            report: columns.some(value)?,
        },
        "stop" => Message::Stop,
        "undo" => Message::Undo,
        "child" => Message::ChildEnded { child: path },
        other => {
            let why = format!("message {number}: its kind {other:?} is not known");
            return Err(Fail::Row(why));
        }
    })
}

/// Deletes the messages that a write has taken, and counts them. Signals have to be there.
pub(super) async fn taken(txn: &mut Txn<'_>, key: i64, write: &Write) -> Result<()> {
    if write.signals.is_empty() && write.taken.is_empty() {
        return Ok(());
    }
    let mut signals = write.signals.clone();
    signals.sort_unstable();
    signals.dedup();
    let wanted = signals.len();
    let statement = txn.query(TAKEN).bind(key).bind(signals);
    let mut count = txn.execute(statement).await?;
    if usize::try_from(count) != Ok(wanted) {
        let message = "a signal that the write takes was replaced by another one";
        return Err(Fail::new(ErrorKind::Withdrawn, message));
    }
    let statement = txn.query(TAKEN).bind(key).bind(&write.taken);
    count += txn.execute(statement).await?;
    let statement = txn.query(COUNT_TAKEN).bind(key).bind(count.cast_signed());
    txn.execute(statement).await?;
    Ok(())
}
