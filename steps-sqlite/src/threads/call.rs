//! One call of the store, on its way through a thread with a connection.
//!
//! A call is one piece of memory with two owners: the thread's side is a [`Call`], the caller's an
//! [`Answer`].

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Instant,
};

use steps_core::store::{ErrorKind, StoreError};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    error::{Fail, Result},
    file::clock::Now,
    ops::txn::Txn,
};

/// A call, as the thread has it that does it. One that is dropped without an answer tells its caller.
pub(crate) struct Call {
    shared: Arc<dyn AnyCall>,
    came: Instant,
}

/// A call without the types of its work and its result.
trait AnyCall: Send + Sync {
    fn run(&self, txn: &Txn<'_>, now: Now) -> Result<()>;

    /// Gives the caller the result, or the error that the work or the transaction ended with; `None`
    /// if there will be no answer. Only the first one counts.
    fn answer(&self, outcome: Option<Result<(), StoreError>>);
}

struct Shared<F, T> {
    /// Locked by the thread alone.
    job: Mutex<Job<F, T>>,
    reply: Mutex<Reply<T>>,
}

struct Job<F, T> {
    work: F,
    result: Option<T>,
}

enum Reply<T> {
    /// The thread still has the call.
    Waiting {
        caller: Option<Waker>,
        _permit: OwnedSemaphorePermit,
    },
    Ready(Result<T, StoreError>),
    /// There is none, or none any more.
    Never,
}

/// The answer to a call: `None` if nobody will do it.
pub(crate) struct Answer<F, T>(Arc<Shared<F, T>>);

/// Returns a call that does this work, and its answer. The permit is the call's share of the memory that
/// waiting calls may use; it is released with the answer.
pub(crate) fn new<T, F>(permit: OwnedSemaphorePermit, work: F) -> (Call, Answer<F, T>)
where
    T: Send + 'static,
    F: FnMut(&Txn<'_>, Now) -> Result<T> + Send + 'static,
{
    let shared = Arc::new(Shared {
        job: Mutex::new(Job { work, result: None }),
        reply: Mutex::new(Reply::Waiting {
            caller: None,
            _permit: permit,
        }),
    });
    let call = Call {
        shared: Arc::clone(&shared) as _,
        came: Instant::now(),
    };
    (call, Answer(shared))
}

impl Call {
    /// Whether the caller no longer waits for the answer.
    pub(crate) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.shared) == 1
    }

    /// When the call was made.
    pub(crate) fn came(&self) -> Instant {
        self.came
    }

    /// Does the work inside the open transaction. It may be run again after a rollback.
    pub(crate) fn run(&self, txn: &Txn<'_>, now: Now) -> Result<()> {
        self.shared.run(txn, now)
    }

    /// Sends the caller the result, or the error that the work or the transaction ended with.
    pub(crate) fn answer(self, outcome: Result<(), StoreError>) {
        self.shared.answer(Some(outcome));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.shared.answer(None);
    }
}

/// A poisoned lock is taken all the same: nothing under it can be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<F, T> AnyCall for Shared<F, T>
where
    F: FnMut(&Txn<'_>, Now) -> Result<T> + Send,
    T: Send,
{
    fn run(&self, txn: &Txn<'_>, now: Now) -> Result<()> {
        let mut job = lock(&self.job);
        job.result = None;
        let work = AssertUnwindSafe(|| (job.work)(txn, now));
        let result = catch_unwind(work).unwrap_or_else(|_| {
            Err(Fail::new(
                ErrorKind::Other,
                "the store panicked: this is a bug in it; nothing was written",
            ))
        })?;
        job.result = Some(result);
        Ok(())
    }

    fn answer(&self, outcome: Option<Result<(), StoreError>>) {
        let mut reply = lock(&self.reply);
        let Reply::Waiting { caller, .. } = &mut *reply else {
            return;
        };
        let caller = caller.take();
        *reply = match outcome {
            None => Reply::Never,
            Some(outcome) => Reply::Ready(outcome.and_then(|()| {
                lock(&self.job).result.take().ok_or_else(|| {
                    StoreError::new(ErrorKind::Other, "the store gave no result: a bug in it")
                })
            })),
        };
        drop(reply);
        if let Some(caller) = caller {
            caller.wake();
        }
    }
}

impl<F, T> Future for Answer<F, T> {
    type Output = Option<Result<T, StoreError>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut reply = lock(&self.0.reply);
        if let Reply::Waiting { caller, .. } = &mut *reply {
            match caller {
                Some(caller) => caller.clone_from(cx.waker()),
                None => *caller = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(match std::mem::replace(&mut *reply, Reply::Never) {
            Reply::Ready(answer) => Some(answer),
            Reply::Waiting { .. } | Reply::Never => None,
        })
    }
}
