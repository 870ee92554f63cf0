//! Durations written as strings, such as `"200ms"`, `"1h30m"`, `"30d"` or `"2w"`. They are read at compile time.

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

/// Parses a duration: one or more numbers, each with a unit. The error says what to write.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = |why: &str| {
        format!(
            "{why}: write a duration such as \"200ms\", \"1.5s\", \"10m\", \"1h30m\", \"30d\" or \"2w\""
        )
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong("an empty duration"));
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(|| wrong(&format!("`{rest}` has no unit")))?;
        let (number, after) = rest.split_at(digits);
        let number: f64 = number
            .parse()
            .map_err(|_| wrong(&format!("`{rest}` has no number")))?;
        let end = after
            .find(|c: char| c.is_ascii_digit() || c.is_whitespace())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(wrong(&format!("`{number}` has no unit right after it")));
        }
        let (_, nanos) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| wrong(&format!("`{unit}` is not a unit of time")))?;
        #[allow(clippy::cast_precision_loss)]
        let nanos = *nanos as f64;
        total += number * nanos;
        rest = after.trim_start();
    }
    Duration::try_from_secs_f64(total / 1e9).map_err(|_| wrong("too long"))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use std::time::Duration;

    #[test]
    fn reads_durations() {
        assert_eq!(parse("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2m 5s"), Ok(Duration::from_secs(125)));
        assert_eq!(parse("7d"), Ok(Duration::from_hours(7 * 24)));
        assert_eq!(parse("2w"), Ok(Duration::from_hours(14 * 24)));
        assert_eq!(parse("1.5d 1h"), Ok(Duration::from_hours(37)));
    }

    #[test]
    fn refuses_others() {
        for bad in ["", "5", "ms", "5 parsecs", "-1s", "1..2s", "1e400h"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
