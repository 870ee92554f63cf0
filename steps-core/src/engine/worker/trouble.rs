//! Trouble with the store, which is told in the log once when it begins and once when it is over: what
//! is tried again and again would fill the log otherwise.

use std::{
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether one kind of work with the store fails.
#[derive(Default)]
pub(crate) struct Trouble(AtomicBool);

impl Trouble {
    /// Notes that it failed, and tells `what` that means, unless it failed the last time, too:
    /// of the first execution that it concerns, if it concerns one.
    pub(crate) fn failed(&self, what: &str, execution: Option<&str>, error: &dyn Display) {
        if self.0.swap(true, Ordering::Relaxed) {
            tracing::debug!(execution, %error, "still: {what}");
        } else {
            tracing::error!(execution, %error, "{what}; it is tried again, and told when that works");
        }
    }

    /// Notes that it worked, and tells so, if it failed the last time.
    pub(crate) fn worked(&self, what: &str) {
        if self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed) {
            tracing::info!("{what} again");
        }
    }
}
