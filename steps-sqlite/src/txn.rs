//! A transaction that is open, for all calls in it.

use std::{
    cell::{RefCell, RefMut},
    ops::Deref,
};

use rusqlite::{CachedStatement, Connection};

use crate::ops::Result;

/// The connection, with the statements at hand that every write needs: to look them up again takes
/// half as long as one of them.
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

    /// The statement that looks whether a lease is good.
    pub(crate) fn held(&self, sql: &str) -> Result<RefMut<'_, CachedStatement<'c>>> {
        self.kept(&self.held, sql)
    }

    /// The statement that writes a step's row.
    pub(crate) fn put(&self, sql: &str) -> Result<RefMut<'_, CachedStatement<'c>>> {
        self.kept(&self.put, sql)
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
