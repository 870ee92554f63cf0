//! The clock that the store compares times with. It is set with the file's options, as a test may
//! bring its own.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use steps_core::clock::TestClock;

use crate::row::nanos::clamped;

/// The system's clock, or that of a test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    test: Option<Arc<dyn TestClock>>,
    /// The latest time that was returned: what was due stays due if the system's clock is set back.
    latest: Arc<AtomicI64>,
}

impl Clock {
    pub(crate) fn test(clock: Arc<dyn TestClock>) -> Self {
        Self {
            test: Some(clock),
            latest: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Returns the time, in nanoseconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        let now = clamped(match &self.test {
            Some(clock) => clock.now(),
            None => Timestamp::now(),
        });
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }
}
