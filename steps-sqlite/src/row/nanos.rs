//! Times as SQLite keeps them, whole nanoseconds since 1970 in 64 bits, and the store's clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use steps_core::clock::TestClock;

/// What the store compares times with: the system's clock, unless a test brings its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    test: Option<Arc<dyn TestClock>>,
    /// The latest time that was told: what was due stays due if the system's clock is set back.
    latest: Arc<AtomicI64>,
}

impl Clock {
    pub(crate) fn test(clock: Arc<dyn TestClock>) -> Self {
        Self {
            test: Some(clock),
            latest: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// The time, in nanoseconds.
    pub(crate) fn now(&self) -> i64 {
        let now = clamped(match &self.test {
            Some(clock) => clock.now(),
            None => Timestamp::now(),
        });
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

/// The number, unless it is before 1677 or after 2262.
pub(crate) fn exact(time: Timestamp) -> Option<i64> {
    i64::try_from(time.as_nanosecond()).ok()
}

/// The number, or the nearest there is.
pub(crate) fn clamped(time: Timestamp) -> i64 {
    exact(time).unwrap_or(if time.as_second() < 0 {
        i64::MIN
    } else {
        i64::MAX
    })
}

/// The time; every number of 64 bits is one.
pub(crate) fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
}

/// A time so much later.
pub(crate) fn after(now: i64, span: Duration) -> i64 {
    now.saturating_add(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
}
