//! The forms of flows: keeping one, and reading it.

use rusqlite::{Connection, OptionalExtension, params};
use steps_core::store::Form;

use crate::{
    error::{Fail, Result},
    file::clock::Now,
    row::{columns::Columns, refusers::hex},
};

const KEEP: &str = "INSERT INTO forms (flow, fingerprint, lines, seen_at) VALUES (?1, ?2, ?3, ?4)";
const NUMBER: &str = "SELECT number FROM forms WHERE fingerprint = ?1";
const READ: &str = "SELECT flow, fingerprint, lines FROM forms WHERE number = ?1";

/// Keeps a form, unless it is there, and returns its number.
pub(crate) fn keep(conn: &Connection, form: &Form, now: Now) -> Result<i64> {
    let fingerprint = hex(form.fingerprint);
    let mut number = conn.prepare_cached(NUMBER)?;
    if let Some(number) = number
        .query_row([&fingerprint], |row| row.get(0))
        .optional()?
    {
        return Ok(number);
    }
    let values = params![form.flow, fingerprint, form.lines.get(), now.wall];
    Ok(conn.prepare_cached(KEEP)?.insert(values)?)
}

/// Returns the form with this number.
pub(crate) fn read(conn: &Connection, number: i64) -> Result<Option<Form>> {
    let mut statement = conn.prepare_cached(READ)?;
    let mut rows = statement.query([number])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let of_form = |why| Fail::Row(format!("form {number}: {why}"));
    let mut columns = Columns::from(row, 0);
    let flow = columns.text()?.unwrap_or_default().to_owned();
    let fingerprint = columns.text()?.unwrap_or_default();
    let fingerprint = u64::from_str_radix(fingerprint, 16);
    let fingerprint = fingerprint.map_err(|error| of_form(format!("its fingerprint: {error}")))?;
    let lines = columns.json()?;
    let lines = lines.ok_or_else(|| of_form("it has no lines".to_owned()))?;
    Ok(Some(Form {
        flow,
        fingerprint,
        lines,
    }))
}
