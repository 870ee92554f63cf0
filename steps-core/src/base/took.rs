//! A length of time as people read it: two or three digits and a unit.

use std::{fmt, time::Duration};

/// Displays a duration with two or three digits and a suitable unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took(pub(crate) Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let tenths = |unit: u128| (nanos / unit, nanos % unit * 10 / unit);
        let scaled = |f: &mut fmt::Formatter<'_>, unit, name| match tenths(unit) {
            (whole @ 0..10, tenth @ 1..) => write!(f, "{whole}.{tenth} {name}"),
            (whole, _) => write!(f, "{whole} {name}"),
        };
        let seconds = self.0.as_secs();
        match nanos {
            0..1_000 => write!(f, "{nanos} ns"),
            1_000..1_000_000 => scaled(f, 1_000, "µs"),
            1_000_000..1_000_000_000 => scaled(f, 1_000_000, "ms"),
            _ if seconds < 60 => scaled(f, 1_000_000_000, "s"),
            _ if seconds < 3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            _ if seconds < 86_400 => write!(f, "{} h {} min", seconds / 3600, seconds / 60 % 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds / 3600 % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (nanos, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (1_250, "1.2 µs"),
            (12_345_678, "12 ms"),
            (1_300_000_000, "1.3 s"),
            (59_999_999_999, "59 s"),
            (61_000_000_000, "1 min 1 s"),
            (7_384_000_000_000, "2 h 3 min"),
            (86_399_000_000_000, "23 h 59 min"),
            (266_400_000_000_000, "3 d 2 h"),
        ] {
            assert_eq!(Took(Duration::from_nanos(nanos)).to_string(), text);
        }
    }
}
