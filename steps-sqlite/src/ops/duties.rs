//! Duties: reading them, and changing one by compare-and-set.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params, types::Value};
use steps_core::store::{Duty, DutyQuery, DutySet, SetDuty};

use super::{txn::Txn, write};
use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::{
        columns::Columns,
        nanos::{clamped, time},
    },
};

const READ: &str = "SELECT revision, name, due_at, value FROM duties WHERE name = ?1";

const NAMED: &str = "SELECT revision, name, due_at, value FROM duties \
    WHERE name >= ?1 AND name < ?2 AND (?3 IS NULL OR name > ?3) ORDER BY name LIMIT ?4";

const DUE: &str = "SELECT revision, name, due_at, value FROM duties \
    WHERE due_at BETWEEN ?6 AND ?5 AND (?3 IS NULL OR (due_at, name) > (?6, ?3)) \
    AND name >= ?1 AND name < ?2 \
    ORDER BY due_at, name LIMIT ?4";

// The row goes with its revision, and the new one has one that no row had.
const REMOVE: &str = "DELETE FROM duties WHERE name = ?1";
const PUT: &str = "INSERT INTO duties (name, due_at, value) VALUES (?1, ?2, ?3)";

const EXISTS: &str = "SELECT 1 FROM executions WHERE id = ?1";

fn duty(row: &Row<'_>) -> Result<Duty> {
    let mut columns = Columns::from(row, 0);
    let revision = columns.number()?;
    let revision = columns.some(revision)?;
    let name = columns.text()?.unwrap_or_default().to_owned();
    let due = columns.number()?.map(time);
    let value = columns.json()?;
    let value = value.ok_or_else(|| Fail::Row(format!("duty {name:?}: it has no value")))?;
    Ok(Duty {
        name,
        revision,
        due,
        value,
    })
}

/// Returns the duty of this name.
pub(crate) fn read(conn: &Connection, name: &str) -> Result<Option<Duty>> {
    let mut statement = conn.prepare_cached(READ)?;
    let mut rows = statement.query([name])?;
    rows.next()?.map(duty).transpose()
}

/// Returns the duties that a query finds.
pub(crate) fn list(conn: &Connection, query: &DutyQuery) -> Result<Vec<Duty>> {
    // A blob is larger than any text.
    let end = query.end().map_or(Value::Blob(Vec::new()), Value::Text);
    let after = query.after.as_ref();
    let after_name = after.map(|duty| &duty.name);
    let after_due = after.and_then(|duty| duty.due).map_or(i64::MIN, clamped);
    let limit = query
        .limit
        .map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let until = query.due_until.map(clamped);
    let mut first = &query.prefix;
    if let (None, Some(after)) = (until, after_name) {
        first = first.max(after);
    }
    let mut values: Vec<&dyn ToSql> = vec![first, &end, &after_name, &limit];
    if let Some(until) = &until {
        values.extend([until as &dyn ToSql, &after_due]);
    }
    let sql = until.map_or(NAMED, |_| DUE);
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(&values[..])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(duty(row)?);
    }
    Ok(found)
}

/// Changes, makes or removes a duty, if it has the revision that the caller has read.
pub(crate) fn set(txn: &Txn<'_>, set: &SetDuty, now: Now) -> Result<DutySet> {
    let there = read(txn, &set.name)?;
    if there.as_ref().map(|duty| duty.revision) != set.revision {
        return Ok(DutySet::Changed(there));
    }
    let mut given = BTreeSet::new();
    for child in &set.start {
        let id = &child.new.id;
        let mut exists = txn.prepare_cached(EXISTS)?;
        let is_there = exists.query_row([id], |_| Ok(())).optional()?.is_some();
        if is_there || !given.insert(id) {
            return Ok(DutySet::Exists(id.clone()));
        }
    }
    write::start(txn, &set.start, now)?;
    txn.prepare_cached(REMOVE)?.execute([&set.name])?;
    let Some(to) = &set.to else {
        return Ok(DutySet::Set(None));
    };
    let due = to.due.map(clamped);
    let values = params![set.name, due, to.value.get()];
    let revision = txn.prepare_cached(PUT)?.insert(values)?;
    Ok(DutySet::Set(Some(revision)))
}
