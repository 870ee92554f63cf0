//! A transaction that is open, for all calls in it.

use std::{
    cell::{RefCell, RefMut},
    ops::Deref,
};

use rusqlite::{CachedStatement, Connection};

use super::{steps::PUT, write::HELD};
use crate::error::Result;

/// The connection, with the statements at hand that every write needs: to look them up for each was
/// nearly a tenth of what the writing thread did, in a profile.
pub(crate) struct Txn<'c> {
    conn: &'c Connection,
    held: Kept<'c>,
    put: Kept<'c>,
}

type Kept<'c> = RefCell<Option<CachedStatement<'c>>>;

impl<'c> Txn<'c> {
    pub(crate) fn of(conn: &'c Connection) -> Self {
        Self {
            conn,
            held: RefCell::default(),
            put: RefCell::default(),
        }
    }

    /// [`HELD`].
    pub(crate) fn held(&self) -> Result<RefMut<'_, CachedStatement<'c>>> {
        self.kept(&self.held, HELD)
    }

    /// [`PUT`].
    pub(crate) fn put(&self) -> Result<RefMut<'_, CachedStatement<'c>>> {
        self.kept(&self.put, PUT)
    }

    fn kept<'k>(&self, kept: &'k Kept<'c>, sql: &str) -> Result<RefMut<'k, CachedStatement<'c>>> {
        let mut kept = kept.borrow_mut();
        let statement = match kept.take() {
            Some(statement) => statement,
            None => self.conn.prepare_cached(sql)?,
        };
        Ok(RefMut::map(kept, |kept| kept.insert(statement)))
    }
}

impl Deref for Txn<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}
