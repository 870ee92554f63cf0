//! Executions that can't be read: they are left to another program, as if a flow had refused them.

use rusqlite::params;
use steps_core::store::{Lease, Refuser};

use super::txn::Txn;
use crate::{error::Result, row::refusers};

const UNREADABLE: &str = "UPDATE executions SET worker = NULL, refused_why = ?3, \
    refused = iif(refused IS NULL, ?2, refused || ' ' || ?2) WHERE key = ?1";

const IS_HELD: &str =
    "SELECT 1 FROM executions WHERE key = ?1 AND fence = ?2 AND worker IS NOT NULL";

/// Leaves an execution that can't be read to another program.
pub(crate) fn set_aside(conn: &Txn<'_>, key: i64, by: Refuser, why: &str) -> Result<()> {
    let why = format!("it can't be read: {why}");
    conn.forget_lease(key);
    conn.prepare_cached(UNREADABLE)?
        .execute(params![key, refusers::one(by), why])?;
    Ok(())
}

/// The same with one that is held, if it still is.
pub(crate) fn set_aside_held(conn: &Txn<'_>, lease: Lease, by: Refuser, why: &str) -> Result<()> {
    let is_held = conn
        .prepare_cached(IS_HELD)?
        .exists([lease.key, lease.fence])?;
    if is_held {
        set_aside(conn, lease.key, by, why)?;
    }
    Ok(())
}
