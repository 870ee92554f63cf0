//! The forms of flows: keeping one, and reading it.

use steps_core::store::Form;

use crate::{
    error::{Fail, Result},
    row::{columns::Columns, refusers::hex},
    server::txn::{Lock, Txn},
};

const NUMBER: &str = "SELECT number FROM %.forms WHERE fingerprint = $1";
const KEEP: &str = "INSERT INTO %.forms (flow, fingerprint, lines, seen_at) \
    VALUES ($1, $2, $3, %.nanoseconds()) RETURNING number";
const READ: &str = "SELECT flow, fingerprint, lines FROM %.forms WHERE number = $1";

/// Keeps a form, unless it is there, and returns its number.
pub(crate) async fn keep(txn: &mut Txn<'_>, form: &Form) -> Result<i64> {
    txn.alone(Lock::Forms).await?;
    let fingerprint = hex(form.fingerprint);
    let statement = txn.query(NUMBER).bind(&fingerprint);
    if let Some(row) = txn.row(statement).await? {
        return Columns::of(&row).key();
    }
    let statement = txn.query(KEEP).bind(&form.flow).bind(&fingerprint);
    let row = txn.row(statement.bind(form.lines.get())).await?;
    let row = row.ok_or(Fail::Sql(sqlx::Error::RowNotFound))?;
    Columns::of(&row).key()
}

/// Returns the form with this number.
pub(crate) async fn read(txn: &mut Txn<'_>, number: i64) -> Result<Option<Form>> {
    let statement = txn.query(READ).bind(number);
    let Some(row) = txn.row(statement).await? else {
        return Ok(None);
    };
    let of_form = |why| Fail::Row(format!("form {number}: {why}"));
    let mut columns = Columns::of(&row);
    let flow = columns.owned()?.unwrap_or_default();
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
