//! What is noted of an execution: attributes, what started it, a status message, what operators have done.

use rusqlite::{Connection, OptionalExtension, params};
use steps_core::{
    Attrs, Json,
    store::{NoteChange, Notes},
};

use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::columns::Columns,
};

const READ: &str = "SELECT attrs, trigger_name, message, acts FROM executions WHERE key = ?1";
const KEY: &str = "SELECT key FROM executions WHERE id = ?1";
const WRITE: &str = "UPDATE executions SET attrs = ?2, trigger_name = ?3, message = ?4, \
    acts = ?6, updated_at = ifnull(?5, updated_at) WHERE key = ?1";

/// Reads the four columns.
pub(crate) fn read(columns: &mut Columns<'_>) -> Result<Notes> {
    let mut notes = Notes::default();
    if let Some(text) = columns.text()? {
        notes.attrs =
            Attrs::parse(text).map_err(|error| Fail::Row(format!("column `attrs`: {error}")))?;
    }
    if let Some(name) = columns.text()? {
        notes.trigger = name.into();
    }
    notes.status_message = columns.text()?.map(str::to_owned);
    if let Some(text) = columns.text()? {
        notes.acts = serde_json::from_str(text)
            .map_err(|error| Fail::Row(format!("column `acts`: {error}")))?;
    }
    Ok(notes)
}

fn write(conn: &Connection, key: i64, notes: &Notes, changed: Option<Now>) -> Result<()> {
    let acts = match &*notes.acts {
        [] => None,
        acts => Some(serde_json::to_string(acts).map_err(|error| Fail::Row(error.to_string()))?),
    };
    let trigger = Some(notes.trigger.as_str()).filter(|name| *name != "manual");
    conn.prepare_cached(WRITE)?.execute(params![
        key,
        notes.attrs.to_json().map(Json::get),
        trigger,
        notes.status_message,
        changed.map(|now| now.wall),
        acts,
    ])?;
    Ok(())
}

/// Writes what is noted of an execution that was just made, if there is anything.
pub(crate) fn of_new(conn: &Connection, key: i64, notes: &Notes) -> Result<()> {
    if *notes == Notes::default() {
        return Ok(());
    }
    write(conn, key, notes, None)
}

/// Makes changes of what is noted of an execution. Returns what is noted then.
pub(crate) fn change(
    conn: &Connection,
    key: i64,
    changes: &[NoteChange],
    now: Now,
) -> Result<Notes> {
    let mut statement = conn.prepare_cached(READ)?;
    let mut rows = statement.query([key])?;
    let mut notes = match rows.next()? {
        Some(row) => read(&mut Columns::from(row, 0))?,
        None => Notes::default(),
    };
    drop(rows);
    if !changes.is_empty() {
        notes.change(changes);
        write(conn, key, &notes, Some(now))?;
    }
    Ok(notes)
}

/// Does the same by the execution's id; `None` if there is none.
pub(crate) fn annotate(
    conn: &Connection,
    id: &str,
    changes: &[NoteChange],
    now: Now,
) -> Result<Option<Notes>> {
    let mut statement = conn.prepare_cached(KEY)?;
    let key: Option<i64> = statement.query_row([id], |row| row.get(0)).optional()?;
    key.map(|key| change(conn, key, changes, now)).transpose()
}
