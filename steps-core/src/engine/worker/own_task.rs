//! Keeping the engine's own tasks alive.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;

/// How long a task that panicked pauses before it begins again.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs one of the engine's own tasks to its end, and begins it again where it panics, as a store
/// may: without it nothing would be claimed any more, or no lease kept, and nobody would be told.
pub(crate) async fn keep_alive<F: Future<Output = ()>>(name: &str, task: impl Fn() -> F) {
    while AssertUnwindSafe(task()).catch_unwind().await.is_err() {
        tracing::error!(task = name, "the engine's task panicked, and begins again");
        tokio::time::sleep(PAUSE).await;
    }
}
