//! Timestamps as JSON text, in both directions. A state has two timestamps in each node, and the
//! general-purpose printer and parser took most of the time of reading and writing it.
//!
//! The output is RFC 3339 in UTC with as many digits of the second as needed, the same form as that
//! of Go's `time.Time`. Unusual times, such as those with an offset or a year before 0, are left to
//! jiff.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const SECONDS_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01. Years begin in March, so that the leap day is the last day
/// of a year.
const EPOCH: i64 = 719_468;
const DAYS_PER_ERA: i64 = 146_097;

/// The longest text is `0000-00-00T00:00:00.000000000Z`.
type Buffer = [u8; 30];

/// Writes timestamps, and remembers the last one: a step usually ends on the day on which it began,
/// and mostly in the same second.
pub(super) struct Stamp {
    buffer: Buffer,
    /// The second whose text is in the buffer.
    second: i64,
    /// The day whose text is in the buffer.
    day: i64,
}

impl Stamp {
    pub(super) const fn new() -> Self {
        Self {
            buffer: *b"0000-00-00T00:00:00.000000000Z",
            second: i64::MAX,
            day: i64::MAX,
        }
    }

    /// Returns a value that serializes as this timestamp.
    #[inline]
    pub(super) fn of(&mut self, time: Option<Timestamp>) -> Option<Stamped<'_>> {
        let time = time?;
        Some(Stamped {
            text: self.text(time),
            time,
        })
    }

    /// Returns the text; `None` if the year does not have four digits.
    fn text(&mut self, time: Timestamp) -> Option<&str> {
        let nanos = time.subsec_nanosecond();
        let borrow = i64::from(nanos < 0);
        let second = time.as_second() - borrow;
        if second != self.second {
            self.whole_second(second)?;
        }
        let buffer = &mut self.buffer;
        if nanos == 0 {
            buffer[19] = b'Z';
            return std::str::from_utf8(&buffer[..20]).ok();
        }
        let nanos = u32::try_from(i64::from(nanos) + borrow * 1_000_000_000).ok()?;
        buffer[19] = b'.';
        let (high, low) = (nanos / 10_000, nanos % 10_000);
        two(buffer, 20, high / 1000);
        two(buffer, 22, high / 10 % 100);
        two(buffer, 24, high % 10 * 10 + low / 1000);
        two(buffer, 26, low / 10 % 100);
        buffer[28] = DIGITS[low as usize % 10][1];
        let mut length = 29;
        while buffer[length - 1] == b'0' {
            length -= 1;
        }
        buffer[length] = b'Z';
        std::str::from_utf8(&buffer[..=length]).ok()
    }

    fn whole_second(&mut self, second: i64) -> Option<()> {
        let day = second.div_euclid(SECONDS_PER_DAY);
        let of_day = u32::try_from(second - day * SECONDS_PER_DAY).ok()?;
        let buffer = &mut self.buffer;
        if day != self.day {
            let (year, month, of_month) = civil(day);
            let year = u32::try_from(year).ok().filter(|year| *year <= 9999)?;
            two(buffer, 0, year / 100);
            two(buffer, 2, year % 100);
            two(buffer, 5, month);
            two(buffer, 8, of_month);
            self.day = day;
        }
        two(buffer, 11, of_day / 3600);
        two(buffer, 14, of_day / 60 % 60);
        two(buffer, 17, of_day % 60);
        self.second = second;
        Some(())
    }
}

/// A timestamp as text.
pub(super) struct Stamped<'a> {
    text: Option<&'a str>,
    time: Timestamp,
}

impl Serialize for Stamped<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.text {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(&self.time),
        }
    }
}

/// A timestamp that has been read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Time(pub(super) Timestamp);

impl Time {
    /// Reads RFC 3339. A time after the last one there is, [`Timestamp::MAX`] at
    /// 9999-12-30T22:00:00.999999999Z, is read as that: other programs write 9999-12-31T23:59:59Z
    /// for "never".
    pub(super) fn parse(text: &str) -> Result<Self, jiff::Error> {
        if let Some(time) = plain(text.as_bytes()) {
            return Ok(Self(time));
        }
        text.parse().map(Self).or_else(|error| {
            // The year before has the same days, and all its times are in range.
            let is_late = text.strip_prefix("9999").is_some_and(|rest| {
                let year_before: Result<Timestamp, _> = format!("9998{rest}").parse();
                year_before.is_ok()
            });
            if is_late {
                Ok(Self(Timestamp::MAX))
            } else {
                Err(error)
            }
        })
    }
}

/// `00` to `99`.
const DIGITS: [[u8; 2]; 100] = {
    let mut digits = [[b'0'; 2]; 100];
    let mut value = 0;
    while value < 100 {
        digits[value as usize] = [b'0' + value / 10, b'0' + value % 10];
        value += 1;
    }
    digits
};

/// Writes a number below 100.
#[inline]
fn two(buffer: &mut Buffer, at: usize, value: u32) {
    buffer[at..at + 2].copy_from_slice(&DIGITS[value as usize % 100]);
}

/// Returns the year, month and day of a day counted from 1970, by the algorithm of
/// <https://howardhinnant.github.io/date_algorithms.html>.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a day of an era, and what is made of it, is small and not negative"
)]
fn civil(day: i64) -> (i64, u32, u32) {
    let day = day + EPOCH;
    let era = day.div_euclid(DAYS_PER_ERA);
    let of_era = day.rem_euclid(DAYS_PER_ERA) as u32;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
    (year, month, day)
}

/// Reads the form that [`Stamp`] writes; returns `None` for any other.
fn plain(text: &[u8]) -> Option<Timestamp> {
    let (head, tail) = text.split_first_chunk::<19>()?;
    let punctuation = [head[4], head[7], head[10], head[13], head[16]];
    if punctuation != *b"--T::" {
        return None;
    }
    let year = number(&head[..4])?;
    let month = number(&head[5..7])?;
    let day = number(&head[8..10])?;
    let hour = number(&head[11..13])?;
    let minute = number(&head[14..16])?;
    let second = number(&head[17..19])?;
    // Leave values out of range to jiff, whose error says what is wrong.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day)?;
    let mut nanos = 0;
    let tail = tail.strip_suffix(b"Z")?;
    if let Some((b'.', digits)) = tail.split_first() {
        if digits.is_empty() || digits.len() > 9 {
            return None;
        }
        nanos = number(digits)?;
        for _ in digits.len()..9 {
            nanos *= 10;
        }
    } else if !tail.is_empty() {
        return None;
    }
    let second = days * SECONDS_PER_DAY + i64::from(hour * 3600 + minute * 60 + second);
    Timestamp::new(second, i32::try_from(nanos).ok()?).ok()
}

fn number(digits: &[u8]) -> Option<u32> {
    let mut value = 0;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(byte - b'0');
    }
    Some(value)
}

/// Returns the day counted from 1970: the reverse of [`civil`]. Returns `None` if the date does not
/// exist.
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > last {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = i64::from((month + 9) % 12);
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    Some(era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH)
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Time;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time as RFC 3339 text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                Time::parse(text).map_err(|error| {
                    E::custom(format_args!("`{text}` is no RFC 3339 time: {error}"))
                })
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests;
