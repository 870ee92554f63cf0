//! Work in a transaction of a database, and what became of it.

use std::any::Any;

use super::{future::BoxFuture, json::Json};

/// What is done in a transaction that a [store](crate::store::Store::transact) has begun.
pub trait InTransaction: Send {
    /// Does it on the connection, whose type the store names in its documentation. Returns the output that is to be
    /// kept with the transaction, `None` for `null`; or [`Abandoned`], and then the store rolls it back.
    fn run<'t>(
        self: Box<Self>,
        connection: &'t mut (dyn Any + Send),
    ) -> BoxFuture<'t, Result<Option<Json>, Abandoned>>
    where
        Self: 't;
}

/// Whoever works in a transaction wants it rolled back, and knows why.
#[derive(Clone, Copy, Debug)]
pub struct Abandoned;

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transacted {
    /// It was committed.
    Committed,
    /// It was rolled back, as it was [`Abandoned`].
    Abandoned,
    /// The database did not commit it, and says why: such as a constraint that is checked at the end.
    Refused(String),
}

/// Why nothing is known of a transaction.
#[derive(Clone, Debug)]
pub enum NoTransaction {
    /// There is no store, or none that has transactions for steps: nothing was done.
    Unsupported(String),
    /// It may have been committed or not, as the store could not be asked. It may be asked again.
    Unknown(String),
    /// Nothing can be recorded any more, as of an execution that somebody else has taken over.
    Lost(String),
}

/// What is done in a transaction: the step, or its undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// The step.
    Step,
    /// Its undo.
    Undo,
}

impl Doing {
    /// Returns the name of the doing of a step with this idempotency key.
    pub(crate) fn name(self, key: &str) -> String {
        match self {
            Self::Step => format!("do {key}"),
            Self::Undo => format!("undo {key}"),
        }
    }
}
