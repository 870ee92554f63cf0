//! Keeping the engine's own tasks alive.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

/// The pause before a task that panicked is restarted.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs one of the engine's own tasks to its end. Restarts the task if it panics, e.g. in a store;
/// without it no work is claimed, no lease is renewed, and nobody would notice.
pub(crate) async fn keep_alive<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {
        tracing::error!(task = name, "the engine's task panicked, and begins again");
        tokio::time::sleep(PAUSE).await;
    }
}
