//! Durations as text, such as `"200ms"`, `"1h30m"`, `"30d"` or `"2w"`, where they are read while a
//! flow runs. The macros read those in attributes, in the same way.

use std::time::Duration;

/// The units, with their length in nanoseconds.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// A length of time: a [`Duration`], or text. [`sleep`](crate::sleep()) and
/// [`within`](crate::language::step::Call::within) take one.
///
/// A text is one or more numbers, each with its unit right after it: `ns`, `us`, `ms`, `s`, `m`, `h`,
/// `d` for days of 24 hours, and `w` for weeks of 7 such days.
///
/// ```
/// use std::time::Duration;
/// use steps::AsDuration;
///
/// assert_eq!("1h30m".as_duration()?, Duration::from_secs(90 * 60));
/// assert_eq!("2w".as_duration()?, "14d".as_duration()?);
/// assert!("soon".as_duration().is_err());
/// # Ok::<_, steps::DurationError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a duration",
    label = "not a duration",
    note = "write a text with a unit, such as \"30d\", or a `Duration`"
)]
pub trait AsDuration {
    /// Returns the length of time.
    ///
    /// # Errors
    ///
    /// If it is a text, and none of a duration.
    fn as_duration(&self) -> Result<Duration, DurationError>;
}

impl AsDuration for Duration {
    fn as_duration(&self) -> Result<Duration, DurationError> {
        Ok(*self)
    }
}

impl AsDuration for str {
    fn as_duration(&self) -> Result<Duration, DurationError> {
        parse(self).map_err(|why| DurationError {
            text: self.to_owned(),
            why,
        })
    }
}

impl AsDuration for String {
    fn as_duration(&self) -> Result<Duration, DurationError> {
        self.as_str().as_duration()
    }
}

impl<T: AsDuration + ?Sized> AsDuration for &T {
    fn as_duration(&self) -> Result<Duration, DurationError> {
        T::as_duration(self)
    }
}

/// A text is not that of a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no duration, as {why}: write one such as \"200ms\", \"1h30m\", \"30d\" or \"2w\""
)]
pub struct DurationError {
    text: String,
    why: String,
}

fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(|| format!("`{rest}` has no unit"))?;
        let (number, after) = rest.split_at(digits);
        let number: f64 = number
            .parse()
            .map_err(|_| format!("`{rest}` has no number"))?;
        let end = after
            .find(|c: char| c.is_ascii_digit() || c.is_whitespace())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(format!("`{number}` has no unit right after it"));
        }
        let (_, nanos) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| format!("`{unit}` is not a unit of time"))?;
        #[expect(clippy::cast_precision_loss, reason = "a unit of time is exact")]
        let nanos = *nanos as f64;
        total += number * nanos;
        rest = after.trim_start();
    }
    Duration::try_from_secs_f64(total / 1e9).map_err(|_| "it is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        let read = |text: &str| text.as_duration().expect("a duration");
        assert_eq!(read("200ms"), Duration::from_millis(200));
        assert_eq!(read("1h30m"), Duration::from_mins(90));
        assert_eq!(read(" 1.5d 1h "), Duration::from_hours(37));
        assert_eq!(read("2w"), Duration::from_hours(336));
        assert_eq!(String::from("5s").as_duration(), Ok(Duration::from_secs(5)));
        assert_eq!(Duration::MAX.as_duration(), Ok(Duration::MAX));
    }

    #[test]
    fn refuses_others_and_says_which() {
        for bad in ["", "5", "ms", "5 parsecs", "-1s", "1..2s", "1e400h"] {
            let error = bad.as_duration().expect_err("no duration").to_string();
            assert!(
                error.starts_with(&format!("`{bad}` is no duration")),
                "{error}"
            );
        }
    }
}
