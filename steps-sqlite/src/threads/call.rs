//! One call of the store, on its way through a thread with a connection.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use steps_core::store::{ErrorKind, StoreError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    error::{Fail, Result},
    file::clock::Now,
    ops::txn::Txn,
};

/// A call without the types of its work and its result.
pub(crate) trait Call: Send {
    /// Whether the caller no longer waits for the answer.
    fn is_abandoned(&self) -> bool;

    /// When the call was made.
    fn came(&self) -> Instant;

    /// Does the work inside the open transaction. It may be run again after a rollback.
    fn run(&mut self, txn: &Txn<'_>, now: Now) -> Result<()>;

    /// Sends the caller the result, or the error that the work or the transaction ended with.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct TypedCall<F, T> {
    work: F,
    result: Option<T>,
    caller: oneshot::Sender<Result<T, StoreError>>,
    came: Instant,
    /// The call's share of the memory that waiting calls may use; released with the answer.
    _permit: OwnedSemaphorePermit,
}

/// Returns a call that does this work, and the channel on which its answer arrives.
pub(crate) fn new<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl FnMut(&Txn<'_>, Now) -> Result<T> + Send + 'static,
) -> (Box<dyn Call>, oneshot::Receiver<Result<T, StoreError>>) {
    let (caller, answer) = oneshot::channel();
    let call = TypedCall {
        work,
        result: None,
        caller,
        came: Instant::now(),
        _permit: permit,
    };
    (Box::new(call), answer)
}

impl<F, T> Call for TypedCall<F, T>
where
    F: FnMut(&Txn<'_>, Now) -> Result<T> + Send,
    T: Send,
{
    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }

    fn came(&self) -> Instant {
        self.came
    }

    fn run(&mut self, txn: &Txn<'_>, now: Now) -> Result<()> {
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
        // The caller may have been dropped meanwhile.
        drop(caller.send(result));
    }
}
