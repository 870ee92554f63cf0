//! Ending an engine politely.

use std::{sync::atomic::Ordering, time::Duration};

use crate::engine::{Engine, EngineError};
use crate::{base::sync::lock, interpreter::Ask, store::ErrorKind};

impl Engine {
    /// Takes nothing up any more, and waits until what runs here has ended or waits for something.
    /// What waits, and what is due, is left to other processes, or to the next start.
    ///
    /// The handles still work; starting an execution fails with [`EngineError::Closed`].
    pub async fn drain(&self) {
        self.inner.draining.store(true, Ordering::Relaxed);
        self.inner.nudge.notify_one();
        loop {
            let rested = self.inner.rested.notified();
            if lock(&self.inner.running).is_empty() {
                return;
            }
            rested.await;
        }
    }

    /// Shuts down: no new step begins, those that run see [`Cx::cancelled`](crate::Cx::cancelled)
    /// and are let finish, for so long; then their executions are given back, for other processes
    /// or the next start to go on with, and the store is closed. A step that is still at work after
    /// `grace` is cut off, as by a crash: it is verified or runs again when it is taken up.
    ///
    /// # Errors
    ///
    /// Where the store can't be closed well. What it acknowledged is safe.
    pub async fn shutdown(self, grace: Duration) -> Result<(), EngineError> {
        self.inner.draining.store(true, Ordering::Relaxed);
        for running in self.inner.at_work() {
            running.post.ask(Ask::Suspend);
        }
        let drained = tokio::time::timeout(grace, self.drain()).await;
        if drained.is_err() {
            let cut = self.inner.at_work();
            for running in &cut {
                running.abort.abort();
            }
            self.drain().await;
            for running in cut {
                let then = crate::store::Then::Rest {
                    due: crate::store::Due::Now,
                    seen: 0,
                };
                let given = running.journal.give_back(then).await;
                if let Err(error) = given
                    && error.kind() != ErrorKind::Fenced
                {
                    tracing::warn!(execution = &*running.journal.id, %error, "not given back");
                }
            }
        }
        lock(&self.life.tasks).abort_all();
        Ok(self.inner.store.close().await?)
    }
}
