//! Whether the tokio runtime that this code runs on is ending.
//!
//! A runtime that ends drops its tasks, one after the other, and then its timers. Code that it still
//! runs sees that as errors and panics of what it waits for, and they say nothing about that code.

use std::future::pending;

use tokio::runtime::Handle;

/// Returns whether the current tokio runtime, if there is one, has ended or is about to: it takes no
/// new tasks then. It takes none before it drops the first.
pub(crate) fn is_ending() -> bool {
    Handle::try_current().is_ok_and(|runtime| {
        let probe = runtime.spawn(pending::<()>());
        let was_refused = probe.is_finished();
        probe.abort();
        was_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_ending_when_it_has_been_dropped_and_not_before() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let handle = runtime.handle().clone();
        assert!(!is_ending());
        assert!(!handle.block_on(async { is_ending() }));
        drop(runtime);
        assert!(handle.block_on(async { is_ending() }));
    }
}
