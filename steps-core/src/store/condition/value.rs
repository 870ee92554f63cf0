//! The values that conditions compare. Numbers are compared by their digits, so that none is rounded.

use std::{cmp::Ordering, fmt, str::FromStr};

use jiff::Timestamp;

/// A value that a condition names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Value {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A time.
    Time(Timestamp),
}

impl Value {
    /// Returns the value of a JSON text; `None` for a list or an object.
    pub(super) fn of_json(text: &str) -> Option<Self> {
        match text {
            "null" => Some(Self::Null),
            "true" => Some(Self::Bool(true)),
            "false" => Some(Self::Bool(false)),
            _ if text.starts_with('"') => serde_json::from_str(text).ok().map(Self::Text),
            _ => text.parse().ok().map(Self::Number),
        }
    }

    /// Returns whether it is of the same kind as another, and not larger.
    pub(super) fn is_at_most(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self <= other
    }
}

macro_rules! from {
    ($($type:ty => |$it:ident| $value:expr;)*) => {
        $(impl From<$type> for Value {
            fn from($it: $type) -> Self {
                $value
            }
        })*
    };
}

from! {
    &str => |it| Self::Text(it.to_owned());
    String => |it| Self::Text(it);
    bool => |it| Self::Bool(it);
    Number => |it| Self::Number(it);
    Timestamp => |it| Self::Time(it);
    i32 => |it| Self::Number(it.into());
    u32 => |it| Self::Number(it.into());
    i64 => |it| Self::Number(it.into());
    u64 => |it| Self::Number(it.into());
}

/// A number of any size, as its digits.
///
/// ```
/// use steps::store::Number;
///
/// let number = |text: &str| text.parse::<Number>().unwrap();
/// assert_eq!(number("1.50e1"), number("15"));
/// assert!(number("9007199254740993") > number("9007199254740992"));
/// assert!(number("-1e400") < Number::from(-1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    is_negative: bool,
    /// The digits without zeros at either end; empty for 0.
    digits: String,
    /// How many digits stand before the point.
    point: i64,
}

impl Number {
    /// The order of two that are not negative.
    fn size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => (self.point.cmp(&other.point)).then(self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, false) => self.size(other),
            (true, true) => other.size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The text is no number of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no number")]
pub struct InvalidNumber;

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let is_first = |letter: u8| letter == b'-' || letter.is_ascii_digit();
        if !text.bytes().next().is_some_and(is_first)
            || serde_json::from_str::<&serde_json::value::RawValue>(text).is_err()
            || text.ends_with(char::is_whitespace)
        {
            return Err(InvalidNumber);
        }
        let (is_negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let exponent: i64 = exponent.parse().unwrap_or_else(|_| {
            // Beyond any number that is written out.
            let is_small = exponent.starts_with('-');
            if is_small { i64::MIN / 2 } else { i64::MAX / 2 }
        });
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{part}");
        let trimmed = all.trim_start_matches('0');
        let zeros = i64::try_from(all.len() - trimmed.len()).unwrap_or(i64::MAX / 4);
        let digits = trimmed.trim_end_matches('0').to_owned();
        let whole = i64::try_from(whole.len()).unwrap_or(i64::MAX / 4);
        let point = exponent.saturating_add(whole).saturating_sub(zeros);
        let is_zero = digits.is_empty();
        Ok(Self {
            is_negative: is_negative && !is_zero,
            digits,
            point: if is_zero { 0 } else { point },
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            is_negative,
            digits,
            point,
        } = self;
        if digits.is_empty() {
            return f.write_str("0");
        }
        if *is_negative {
            f.write_str("-")?;
        }
        let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        match usize::try_from(*point) {
            Ok(place) if *point >= count && *point <= 40 => {
                write!(f, "{digits}{}", "0".repeat(place - digits.len()))
            }
            Ok(place) if *point > 0 && *point < count => {
                write!(f, "{}.{}", &digits[..place], &digits[place..])
            }
            _ => write!(f, "{digits}e{}", point.saturating_sub(count)),
        }
    }
}

macro_rules! from_integer {
    ($($type:ty)*) => {
        $(impl From<$type> for Number {
            fn from(number: $type) -> Self {
                // The digits of an integer are a number.
                number.to_string().parse().unwrap_or(Self {
                    is_negative: false,
                    digits: String::new(),
                    point: 0,
                })
            }
        })*
    };
}

from_integer! { i32 u32 i64 u64 }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_compared_by_what_they_are() {
        let ascending = [
            "-1e400",
            "-12",
            "-1.5",
            "-1e-400",
            "0",
            "1e-400",
            "0.099",
            "0.1",
            "1",
            "1.5",
            "9",
            "9007199254740992",
            "9007199254740992.5",
            "9007199254740993",
            "1e400",
        ];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
        for (one, same) in [
            ("0", "-0.0"),
            ("10", "1e1"),
            ("0.10", "1e-1"),
            ("12.0", "1.2E+1"),
        ] {
            assert_eq!(number(one), number(same));
        }
        for text in [
            "", "-", "1.", ".5", "01", "+1", "1 ", " 1", "1e", "0x1", "NaN", "\"1\"", "1,2",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_its_text(text in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?") {
            let number = number(&text);
            prop_assert_eq!(number.to_string().parse::<Number>(), Ok(number));
        }

        #[test]
        fn integers_are_in_their_order(one: i64, other: i64) {
            prop_assert_eq!(Number::from(one).cmp(&Number::from(other)), one.cmp(&other));
        }
    }
}
