//! The source of time, which a test can replace.
//!
//! A test that must not wait passes a [`TestClock`] to [`Run::clock`](crate::Run::clock). The clock
//! of this example jumps ahead to each time that the flow waits for.
//!
//! ```
//! use std::{sync::{Arc, Mutex}, time::Duration};
//! use jiff::Timestamp;
//! use steps::{clock::TestClock, journal::BoxFuture, prelude::*};
//!
//! #[derive(Debug)]
//! struct Fast(Mutex<Timestamp>);
//!
//! impl TestClock for Fast {
//!     fn now(&self) -> Timestamp {
//!         *self.0.lock().unwrap()
//!     }
//!     fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()> {
//!         let mut now = self.0.lock().unwrap();
//!         *now = time.max(*now);
//!         Box::pin(std::future::ready(()))
//!     }
//! }
//!
//! #[flow]
//! async fn wait() -> Result<(), String> {
//!     steps! { year = steps::sleep(Duration::from_secs(31_536_000)); }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), steps::Failure> {
//! let clock = Arc::new(Fast(Mutex::new(Timestamp::UNIX_EPOCH)));
//! wait().clock(clock.clone()).await?;
//! assert_eq!(clock.now().to_string(), "1971-01-01T00:00:00Z");
//! # Ok(())
//! # }
//! ```
//!
//! Timeouts are measured by the same clock, so don't use this one for steps that have a `timeout`.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::future::BoxFuture;

/// A source of time for tests.
pub trait TestClock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
    /// Completes when `time` has come.
    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()>;
}

/// The system's time, or a test's.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock, with tokio's timers.
    #[default]
    System,
    /// A test's clock.
    Test(Arc<dyn TestClock>),
}

impl Clock {
    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Test(clock) => clock.now(),
        }
    }

    /// Completes when `time` has come.
    pub async fn sleep_until(&self, time: Timestamp) {
        match self {
            Self::System => {
                // The system's clock may be set back, so compare again after each sleep.
                while let Some(left) = after(Timestamp::now(), time) {
                    tokio::time::sleep(left).await;
                }
            }
            Self::Test(clock) => clock.sleep_until(time).await,
        }
    }
}

/// Returns the time from `now` to `time`; `None` if `time` is not later than `now`.
pub(crate) fn after(now: Timestamp, time: Timestamp) -> Option<Duration> {
    Duration::try_from(time.duration_since(now))
        .ok()
        .filter(|left| !left.is_zero())
}

/// Returns the time `span` after `time`, or the latest possible one.
pub(crate) fn add(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}
