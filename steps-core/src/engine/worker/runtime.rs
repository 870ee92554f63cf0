//! The tokio runtime that an engine works on, and what follows when it ends before the engine does.
//!
//! An engine in a `static` may be used by several runtimes, such as those of tests. Its tasks and
//! its turns run on the one in which it was started. When that has ended, nothing that is asked of
//! the engine can happen any more, and each call that depends on it says so.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use super::engine_core::EngineCore;
use crate::engine::{error::EngineError, news};

/// The runtime of an engine that has tasks.
pub(crate) struct Runtime {
    pub(super) handle: Handle,
    /// Closed when the runtime drops its tasks.
    alive: watch::Receiver<()>,
}

impl Runtime {
    /// Returns the current runtime, which is watched by a task of its own.
    pub(crate) fn current(tasks: &mut JoinSet<()>) -> Self {
        let (sender, alive) = watch::channel(());
        tasks.spawn(async move { sender.closed().await });
        Self {
            handle: Handle::current(),
            alive,
        }
    }

    fn has_ended(&self) -> bool {
        self.alive.has_changed().is_err()
    }
}

impl EngineCore {
    /// Spawns a task on the engine's runtime. If that has ended, the task is dropped at once.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let task = match &self.runtime {
            Some(runtime) => runtime.handle.spawn(task),
            None => tokio::spawn(task),
        };
        task.abort_handle()
    }

    /// Returns whether a turn may block its thread for a moment.
    pub(super) fn may_block(&self) -> bool {
        let flavor = self.runtime.as_ref().map(|it| it.handle.runtime_flavor());
        flavor == Some(RuntimeFlavor::MultiThread)
    }

    /// Returns whether the runtime ended before the engine did. An engine that has been drained
    /// does nothing more, and needs no runtime.
    fn lost_its_runtime(&self) -> bool {
        !self.is_draining() && self.runtime.as_ref().is_some_and(Runtime::has_ended)
    }

    /// Checks that the engine can do what it is asked for.
    ///
    /// # Errors
    ///
    /// [`EngineError::RuntimeEnded`].
    pub(crate) fn check_runtime(&self) -> Result<(), EngineError> {
        if self.lost_its_runtime() {
            return Err(EngineError::RuntimeEnded);
        }
        Ok(())
    }

    /// Waits for news for at most `pause`; then the caller must ask the store. Returns whether there
    /// was news.
    ///
    /// # Errors
    ///
    /// [`EngineError::RuntimeEnded`], at once when that happens: there will be no news from here.
    pub(crate) async fn heard<T>(
        &self,
        news: &mut watch::Receiver<T>,
        pause: Duration,
    ) -> Result<bool, EngineError> {
        let ended = async {
            if let Some(runtime) = &self.runtime {
                let mut alive = runtime.alive.clone();
                while alive.changed().await.is_ok() {}
            }
            if !self.lost_its_runtime() {
                std::future::pending::<()>().await;
            }
        };
        let heard = pin!(news::heard(news, &self.clock, pause));
        match select(heard, pin!(ended)).await {
            Either::Left((heard, _)) => Ok(heard),
            Either::Right(_) => Err(EngineError::RuntimeEnded),
        }
    }
}
