//! Blocking functions, on threads of their own.
//!
//! A future that is given up is dropped; a thread can't be ended. So whoever may give up a future
//! counts the threads that are at work for it, and what must not run beside them waits until there
//! are none.

use std::{
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    sync::Notify,
    task::{JoinError, JoinHandle, spawn_blocking},
};

use crate::base::sync::lock;

tokio::task_local! {
    /// The count for the innermost future that may be given up.
    static THREADS: Arc<Threads>;
}

/// How many threads are at work for a future.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    at_work: AtomicUsize,
    ended: Notify,
    /// The count for the future around it, which includes these.
    around: Option<Arc<Threads>>,
}

/// A thread that is at work, until it is dropped there.
struct AtWork(Arc<Threads>);

impl Threads {
    /// Returns a new count for a part of the current future.
    pub(crate) fn within_current() -> Arc<Self> {
        Arc::new(Self {
            at_work: AtomicUsize::new(0),
            ended: Notify::new(),
            around: THREADS.try_with(Arc::clone).ok(),
        })
    }

    /// Counts the threads of this future.
    pub(crate) async fn of<T>(self: &Arc<Self>, future: impl Future<Output = T>) -> T {
        THREADS.scope(Arc::clone(self), future).await
    }

    /// Returns whether a thread is at work.
    pub(crate) fn are_at_work(&self) -> bool {
        self.at_work.load(Ordering::SeqCst) > 0
    }

    /// Waits until none is at work.
    pub(crate) async fn end(&self) {
        loop {
            let ended = self.ended.notified();
            if !self.are_at_work() {
                return;
            }
            ended.await;
        }
    }

    fn add(&self) {
        self.at_work.fetch_add(1, Ordering::SeqCst);
        if let Some(around) = &self.around {
            around.add();
        }
    }

    fn remove(&self) {
        self.at_work.fetch_sub(1, Ordering::SeqCst);
        self.ended.notify_waiters();
        if let Some(around) = &self.around {
            around.remove();
        }
    }
}

impl AtWork {
    fn new(threads: Arc<Threads>) -> Self {
        threads.add();
        Self(threads)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// The right to begin, with what is dropped when the thread has ended. Whoever takes it first decides
/// whether the thread begins.
type Start = Arc<Mutex<Option<Option<AtWork>>>>;

/// A thread that has begun or will. If this is dropped before it has begun, it never does.
struct Thread<T> {
    start: Start,
    handle: JoinHandle<Option<T>>,
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        let never_begun = lock(&self.start).take();
        drop(never_begun);
    }
}

impl<T: Send + 'static> Thread<T> {
    fn new(at_work: Option<AtWork>, work: impl FnOnce() -> T + Send + 'static) -> Self {
        let start: Start = Arc::new(Mutex::new(Some(at_work)));
        let starts = Arc::clone(&start);
        // What the function tells `tracing` is of the step that waits for it.
        let span = tracing::Span::current();
        let handle = spawn_blocking(move || {
            let _at_work = lock(&starts).take()?;
            Some(span.in_scope(work))
        });
        Self { start, handle }
    }

    async fn result(mut self) -> T {
        let ended = (&mut self.handle).await;
        match ended.map_err(JoinError::try_into_panic) {
            Ok(Some(value)) => value,
            Err(Ok(panic)) => resume_unwind(panic),
            // It was never begun.
            Ok(None) | Err(Err(_)) => resume_unwind(Box::new("the tokio runtime has ended")),
        }
    }
}

/// Runs a blocking function on a thread for such functions. It counts as at work until it returns,
/// even if this future is dropped.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let threads = THREADS.try_with(Arc::clone).ok();
    Thread::new(threads.map(AtWork::new), work).result().await
}

/// Runs a blocking function on a thread for such functions. Nobody waits for it where this future
/// is dropped.
pub async fn detached<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    Thread::new(None, work).result().await
}
