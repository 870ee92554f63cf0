//! What is kept of the transactions of steps: their names, and the outputs.

use rusqlite::{Connection, params};
use steps_core::{
    Json,
    store::{ErrorKind, Lease},
};

use super::{txn::Txn, write};
use crate::{
    error::{Fail, Result},
    row::columns::Columns,
};

const KEEP: &str = "INSERT INTO transactions (execution, name, output) VALUES (?1, ?2, ?3) \
    ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT output FROM transactions WHERE execution = ?1 AND name = ?2";
const END: &str = "DELETE FROM transactions WHERE execution = ?1 AND name = ?2";
const REMOVE: &str = "DELETE FROM transactions WHERE execution = ?1";

/// Keeps a transaction, after checking its lease.
pub(crate) fn keep(txn: &Txn<'_>, lease: Lease, name: &str, output: Option<&Json>) -> Result<()> {
    write::need_lease(txn, lease)?;
    let output = output.map(Json::get);
    let kept = txn
        .prepare_cached(KEEP)?
        .execute(params![lease.key, name, output])?;
    match kept {
        0 => Err(Fail::new(
            ErrorKind::Exists,
            format!("the transaction {name:?} was committed before"),
        )),
        _ => Ok(()),
    }
}

/// Returns what is kept of a transaction, after checking the lease.
pub(crate) fn find(txn: &Txn<'_>, lease: Lease, name: &str) -> Result<Option<Option<Json>>> {
    write::need_lease(txn, lease)?;
    let mut statement = txn.prepare_cached(FIND)?;
    let mut rows = statement.query(params![lease.key, name])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Columns::from(row, 0).json()?))
}

/// Forgets transactions whose steps have ended.
pub(super) fn end(conn: &Connection, key: i64, names: &[String]) -> Result<()> {
    for name in names {
        conn.prepare_cached(END)?.execute(params![key, name])?;
    }
    Ok(())
}

/// Forgets all transactions of an execution.
pub(super) fn remove(conn: &Connection, key: i64) -> Result<()> {
    conn.prepare_cached(REMOVE)?.execute([key])?;
    Ok(())
}
