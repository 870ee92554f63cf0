//! How a call is made: to its end, even if nobody waits for it any more.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

use sqlx::PgPool;
use steps_core::store::{ErrorKind, StoreError};

use super::{Inner, PostgresStore};
use crate::{
    error::{Result, closed},
    writer::UnderWay,
};

impl PostgresStore {
    /// The pool that the store takes its connections from.
    pub fn pool(&self) -> &PgPool {
        &self.inner.database.pool
    }

    pub(super) fn closed(&self) -> StoreError {
        closed(&self.inner.database.name)
    }

    /// Returns what a call keeps until it has ended, if it may begin.
    pub(super) async fn under_way(&self) -> Result<UnderWay, StoreError> {
        let under_way = Arc::clone(&self.inner.calls).read_owned().await;
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(self.closed());
        }
        Ok(under_way)
    }

    /// Runs a call to its end, in a task of its own.
    pub(super) async fn call<T, F>(
        &self,
        call: impl FnOnce(Arc<Inner>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.run(self.under_way().await?, call).await
    }

    /// The same of a call that has begun.
    pub(super) async fn run<T, F>(
        &self,
        under_way: UnderWay,
        call: impl FnOnce(Arc<Inner>) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let called = call(Arc::clone(&inner)).await;
            drop(under_way);
            called.map_err(|fail| fail.of(&inner.database.name))
        });
        task.await.unwrap_or_else(|error| {
            let name = &self.inner.database.name;
            let message = format!("{name}: a call did not come to its end");
            Err(StoreError::new(ErrorKind::Other, message).with_source(error))
        })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("database", &self.inner.database.name)
            .field("schema", &self.inner.database.schema)
            .finish_non_exhaustive()
    }
}
