//! One call on its way through a thread with a connection.

use std::panic::{AssertUnwindSafe, catch_unwind};

use steps_core::store::{ErrorKind, StoreError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    error::{Fail, Result},
    ops::txn::Txn,
};

/// A call whose types are forgotten.
pub(crate) trait Task: Send {
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;

    /// Does the work inside the transaction that is open. It may be done again, after a rollback.
    fn run(&mut self, txn: &Txn<'_>, now: i64) -> Result<()>;

    /// Tells the caller what came of it: of the work, and of the transaction.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Call<F, T> {
    work: F,
    result: Option<T>,
    caller: oneshot::Sender<Result<T, StoreError>>,
    /// Its part of the memory that calls may take; given back with the answer.
    _permit: OwnedSemaphorePermit,
}

/// A call, and where its answer comes.
pub(crate) fn task<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl FnMut(&Txn<'_>, i64) -> Result<T> + Send + 'static,
) -> (Box<dyn Task>, oneshot::Receiver<Result<T, StoreError>>) {
    let (caller, answer) = oneshot::channel();
    let call = Call {
        work,
        result: None,
        caller,
        _permit: permit,
    };
    (Box::new(call), answer)
}

impl<F, T> Task for Call<F, T>
where
    F: FnMut(&Txn<'_>, i64) -> Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }

    fn run(&mut self, txn: &Txn<'_>, now: i64) -> Result<()> {
        self.result = None;
        let work = AssertUnwindSafe(|| (self.work)(txn, now));
        let result = catch_unwind(work).unwrap_or_else(|_| {
            Err(Fail::new(
                ErrorKind::Other,
                "the store panicked: this is a bug in it; nothing was written",
            ))
        })?;
        self.result = Some(result);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, caller, .. } = *self;
        let result = outcome.and_then(|()| {
            result.ok_or_else(|| {
                StoreError::new(ErrorKind::Other, "the store gave no result: a bug in it")
            })
        });
        // The caller may have gone meanwhile.
        drop(caller.send(result));
    }
}
