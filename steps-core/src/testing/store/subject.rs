//! Where the suite gets its databases from.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;

use crate::{base::future::BoxFuture, store::Store};

/// One database for one test: what the suite must be told to test a store.
///
/// The methods are written as `async fn`s. They panic where they fail. What the database lives in,
/// such as a directory, is dropped with the value, after the test.
///
/// See the [module](super) for an example.
pub trait Subject: Send + Sync + Sized + 'static {
    /// The store.
    type Store: Store;

    /// Whether [`open`](Self::open) may be called more than once, and opens the same database each
    /// time. If not, the rules that need it are skipped, and count as kept.
    const REOPENS: bool = true;

    /// A new database with nothing in it.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// Opens it: as another process would, if it has been opened before.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Lets this much time pass by the store's clock. By default by waiting; a store that has a
    /// clock of a test's sets it forward.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send {
        async move { tokio::time::sleep(time).await }
    }

    /// Sets the wall clock that the store goes by forward, or by a negative duration back, in which
    /// no time passes. Returns whether that is possible; by default it is not. Then the rules that
    /// need it are kept in part only.
    fn set_forward(&self, by: SignedDuration) -> impl Future<Output = bool> + Send {
        let _ = by;
        std::future::ready(false)
    }

    /// Runs a test to its end. By default on a tokio runtime of its own with one thread.
    ///
    /// # Panics
    ///
    /// Where the test does, or there can be no runtime.
    fn run(test: impl Future<Output = ()> + Send + 'static) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for a test")
            .block_on(test);
    }
}

/// A subject whose type is forgotten, so that the rules are compiled once.
pub(super) trait Source: Send + Sync {
    fn reopens(&self) -> bool;
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>>;
    fn pass(&self, time: Duration) -> BoxFuture<'_, ()>;
    fn set_forward(&self, by: SignedDuration) -> BoxFuture<'_, bool>;
}

impl<S: Subject> Source for S {
    fn reopens(&self) -> bool {
        S::REOPENS
    }

    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async move { Arc::new(Subject::open(self).await) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(Subject::pass(self, time))
    }

    fn set_forward(&self, by: SignedDuration) -> BoxFuture<'_, bool> {
        Box::pin(Subject::set_forward(self, by))
    }
}
