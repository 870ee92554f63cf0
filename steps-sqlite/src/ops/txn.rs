//! An open transaction, shared by all calls in it.

use std::{
    cell::{RefCell, RefMut},
    ops::Deref,
};

use rusqlite::{CachedStatement, Connection};

use crate::error::Result;

/// A connection with an open transaction. It keeps the two statements that every write runs:
/// looking them up in the connection's cache for each write took nearly a tenth of the writing
/// thread's time, in a profile.
pub(crate) struct Txn<'c> {
    conn: &'c Connection,
    held: Slot<'c>,
    put: Slot<'c>,
}

/// A statement that a transaction keeps.
#[derive(Clone, Copy)]
pub(crate) enum Kept {
    /// The one that checks a lease, in `write`.
    Held,
    /// The one that writes a node's row, in `steps`.
    Put,
}

type Slot<'c> = RefCell<Option<CachedStatement<'c>>>;

impl<'c> Txn<'c> {
    pub(crate) fn of(conn: &'c Connection) -> Self {
        Self {
            conn,
            held: RefCell::default(),
            put: RefCell::default(),
        }
    }

    /// Returns a statement that is kept. `sql` is prepared at its first use in this transaction;
    /// the text for each `Kept` is always the same.
    pub(crate) fn statement(
        &self,
        kept: Kept,
        sql: &'static str,
    ) -> Result<RefMut<'_, CachedStatement<'c>>> {
        let slot = match kept {
            Kept::Held => &self.held,
            Kept::Put => &self.put,
        };
        let mut slot = slot.borrow_mut();
        let statement = match slot.take() {
            Some(statement) => statement,
            None => self.conn.prepare_cached(sql)?,
        };
        Ok(RefMut::map(slot, |slot| slot.insert(statement)))
    }
}

impl Deref for Txn<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}
