//! Where the time comes from, so that tests can make their own.
//!
//! A test that must not wait hands [`Run::clock`](crate::Run::clock) a [`TestClock`]: here one
//! that is always as late as somebody wants it to be.
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
//! A `timeout` is measured by the same clock, so this one is not for steps that have one.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::future::BoxFuture;

/// A source of time for tests.
pub trait TestClock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Ends when that time has come.
    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'static, ()>;
}

/// The time: the system's, unless a test brings its own.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock and tokio's timers.
    #[default]
    System,
    /// A test's.
    Test(Arc<dyn TestClock>),
}

impl Clock {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Test(clock) => clock.now(),
        }
    }

    /// Ends when that time has come.
    pub async fn sleep_until(&self, time: Timestamp) {
        match self {
            Self::System => {
                // The system's clock may be set back; ask it again until it agrees.
                while let Some(left) = after(Timestamp::now(), time) {
                    tokio::time::sleep(left).await;
                }
            }
            Self::Test(clock) => clock.sleep_until(time).await,
        }
    }
}

/// How long it is from `now` to `time`; nothing if that is past.
pub(crate) fn after(now: Timestamp, time: Timestamp) -> Option<Duration> {
    Duration::try_from(time.duration_since(now))
        .ok()
        .filter(|left| !left.is_zero())
}

/// `time` and `span` later, or the end of time.
pub(crate) fn add(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}
