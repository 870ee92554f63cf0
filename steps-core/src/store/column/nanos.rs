//! Times as a column: whole nanoseconds since 1970, in 64 bits.

use std::time::Duration;

use jiff::Timestamp;

/// Returns the number, or `None` for a time before 1677 or after 2262.
pub fn exact(time: Timestamp) -> Option<i64> {
    i64::try_from(time.as_nanosecond()).ok()
}

/// Returns the number, or the nearest that 64 bits can hold.
pub fn clamped(time: Timestamp) -> i64 {
    exact(time).unwrap_or(if time.as_second() < 0 {
        i64::MIN
    } else {
        i64::MAX
    })
}

/// Returns the time of a number; every number of 64 bits has one.
pub fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
}

/// Returns the length of a time, or the longest that 64 bits can hold.
pub fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}
