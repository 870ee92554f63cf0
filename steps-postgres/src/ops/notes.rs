//! What is noted of an execution: attributes, what started it, a status message, what operators have done.

use steps_core::{
    Attrs,
    store::{NoteChange, Notes},
};

use super::make::NoteColumns;
use crate::{
    error::{Fail, Result},
    row::columns::Columns,
    server::txn::Txn,
};

const READ: &str = "SELECT key, attrs, trigger_name, message, acts FROM %.executions WHERE id = $1 FOR NO KEY UPDATE";
const READ_BY_KEY: &str =
    "SELECT attrs, trigger_name, message, acts FROM %.executions WHERE key = $1";
const WRITE: &str = "UPDATE %.executions SET attrs = $2, trigger_name = $3, message = $4, acts = $5, \
    updated_at = %.nanoseconds() WHERE key = $1";

/// Reads the four columns.
pub(super) fn read(columns: &mut Columns<'_>) -> Result<Notes> {
    let mut notes = Notes::default();
    if let Some(text) = columns.text()? {
        let attrs = Attrs::parse(text);
        notes.attrs = attrs.map_err(|error| Fail::Row(format!("column `attrs`: {error}")))?;
    }
    if let Some(name) = columns.text()? {
        notes.trigger = name.into();
    }
    notes.status_message = columns.owned()?;
    if let Some(text) = columns.text()? {
        let acts = serde_json::from_str(text);
        notes.acts = acts.map_err(|error| Fail::Row(format!("column `acts`: {error}")))?;
    }
    Ok(notes)
}

/// Makes changes of what is noted of an execution that is locked.
pub(super) async fn change(txn: &mut Txn<'_>, key: i64, changes: &[NoteChange]) -> Result<()> {
    let statement = txn.query(READ_BY_KEY).bind(key);
    let row = txn.row(statement).await?;
    let mut notes = match &row {
        Some(row) => read(&mut Columns::of(row))?,
        None => Notes::default(),
    };
    notes.change(changes);
    write(txn, key, &notes).await
}

async fn write(txn: &mut Txn<'_>, key: i64, notes: &Notes) -> Result<()> {
    let NoteColumns {
        attrs,
        trigger,
        message,
        acts,
    } = NoteColumns::of(notes)?;
    let statement = txn.query(WRITE).bind(key).bind(attrs).bind(trigger);
    txn.execute(statement.bind(message).bind(acts)).await?;
    Ok(())
}

/// Makes changes of what is noted of the execution with this id, and returns what is noted then; `None` if there is
/// none.
pub(crate) async fn annotate(
    txn: &mut Txn<'_>,
    id: &str,
    changes: &[NoteChange],
) -> Result<Option<Notes>> {
    let statement = txn.query(READ).bind(id);
    let Some(row) = txn.row(statement).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of(&row);
    let key = columns.key()?;
    let mut notes = read(&mut columns)?;
    if !changes.is_empty() {
        notes.change(changes);
        write(txn, key, &notes).await?;
    }
    Ok(Some(notes))
}
