//! An open transaction, shared by all calls in it.

use std::{
    cell::{RefCell, RefMut},
    ops::Deref,
};

use rusqlite::{CachedStatement, Connection};
use steps_core::store::Lease;

use super::known::{HeldLease, KnownLeases};
use crate::error::Result;

/// A connection with an open transaction. It keeps the statements that many writes run: looking
/// them up in the connection's cache for each write took nearly a tenth of the writing thread's
/// time, in a profile.
pub(crate) struct Txn<'c> {
    conn: &'c Connection,
    statements: [Slot<'c>; 5],
    /// What the connection knows of leases, if it is the one that writes.
    known: Option<&'c RefCell<KnownLeases>>,
}

/// A statement that a transaction keeps.
#[derive(Clone, Copy)]
pub(crate) enum Kept {
    /// The one that creates an execution, in `write`.
    Make,
    /// The one that looks a lease up, in `write`.
    Held,
    /// The one that writes the root and gives the lease back, in `write`.
    End,
    /// The one that writes a node's row, in `steps`.
    Put,
    /// The one that writes the row of a step that has succeeded at once, in `steps`.
    PutDone,
}

type Slot<'c> = RefCell<Option<CachedStatement<'c>>>;

impl<'c> Txn<'c> {
    pub(crate) fn of(conn: &'c Connection) -> Self {
        Self {
            conn,
            statements: Default::default(),
            known: None,
        }
    }

    /// A transaction that writes.
    pub(crate) fn writing(conn: &'c Connection, known: &'c RefCell<KnownLeases>) -> Self {
        Self {
            known: Some(known),
            ..Self::of(conn)
        }
    }

    /// Returns a statement that is kept. `sql` is prepared at its first use in this transaction;
    /// the text for each `Kept` is always the same.
    pub(crate) fn statement(
        &self,
        kept: Kept,
        sql: &'static str,
    ) -> Result<RefMut<'_, CachedStatement<'c>>> {
        let mut slot = self.statements[kept as usize].borrow_mut();
        let statement = match slot.take() {
            Some(statement) => statement,
            None => self.conn.prepare_cached(sql)?,
        };
        Ok(RefMut::map(slot, |slot| slot.insert(statement)))
    }

    /// Returns what is known of leases. Nobody keeps it for longer than a moment.
    pub(crate) fn known(&self) -> Option<RefMut<'_, KnownLeases>> {
        self.known.map(RefCell::borrow_mut)
    }

    /// Notes a lease that is the newest of its execution, and was not given back.
    pub(crate) fn know_lease(&self, lease: Lease, held: HeldLease) {
        if let Some(mut known) = self.known() {
            known.put(lease, held);
        }
    }

    /// Forgets what is known of the lease on one execution: it is about to be taken.
    pub(crate) fn forget_lease(&self, key: i64) {
        if let Some(mut known) = self.known() {
            known.forget(key);
        }
    }

    /// Forgets all that is known of leases: an operation follows that may take one.
    pub(crate) fn forget_leases(&self) {
        if let Some(mut known) = self.known() {
            known.forget_leases();
        }
    }

    /// Forgets what is known of subscriptions: one was changed.
    pub(crate) fn forget_subscriptions(&self) {
        if let Some(mut known) = self.known() {
            known.forget_subscriptions();
        }
    }
}

impl Deref for Txn<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn
    }
}
