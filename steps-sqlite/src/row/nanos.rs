//! Times as SQLite keeps them: whole nanoseconds since 1970, in 64 bits.

use std::time::Duration;

use jiff::Timestamp;

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
