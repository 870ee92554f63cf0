//! A place in a list, and its text.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use super::condition::Value;

/// A place in a list of executions, after which the next page begins. It stays one when the
/// execution that stood there is gone, and can be handed out as text.
///
/// ```
/// use steps::store::Cursor;
///
/// let cursor: Cursor = "1767225600000000000_42".parse()?;
/// assert_eq!(cursor.created_at.to_string(), "2026-01-01T00:00:00Z");
/// assert_eq!(cursor.to_string(), "1767225600000000000_42");
/// # Ok::<_, steps::store::InvalidCursor>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Cursor {
    /// When the execution there was created.
    pub created_at: Timestamp,
    /// Its [key](super::ExecutionInfo::key).
    pub key: i64,
    /// Its values in what the list is [sorted](super::ExecutionQuery::sort) by.
    pub by: Vec<Option<Value>>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.created_at.as_nanosecond(), self.key)?;
        if !self.by.is_empty() {
            write!(f, "_{}", values::write(&self.by))?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parts = text.split_once('_');
        let (created_at, key) = parts.ok_or(InvalidCursor)?;
        let created_at = created_at.parse().map_err(|_| InvalidCursor)?;
        let (key, by) = match key.split_once('_') {
            None => (key, Vec::new()),
            Some((key, by)) => (key, values::read(by).ok_or(InvalidCursor)?),
        };
        Ok(Self {
            created_at: Timestamp::from_nanosecond(created_at).map_err(|_| InvalidCursor)?,
            key: key.parse().map_err(|_| InvalidCursor)?,
            by,
        })
    }
}

/// The text is none of a [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no place in a list: that is the text of an execution's `cursor`")]
pub struct InvalidCursor;

/// Returns the values of a place as text, and back: JSON, in which a time is an object.
mod values {
    use serde_json::{Value as Json, json};

    use super::Value;

    pub(super) fn write(by: &[Option<Value>]) -> String {
        let all = by.iter().map(|value| match value {
            None | Some(Value::Null) => Json::Null,
            Some(Value::Bool(is)) => json!(is),
            Some(Value::Number(number)) => json!({ "number": number.to_string() }),
            Some(Value::Text(text)) => json!(text),
            Some(Value::Time(time)) => json!({ "time": time.to_string() }),
        });
        Json::Array(all.collect()).to_string()
    }

    pub(super) fn read(text: &str) -> Option<Vec<Option<Value>>> {
        let all: Vec<Json> = serde_json::from_str(text).ok()?;
        let read = |value: Json| {
            Some(match value {
                Json::Null => None,
                Json::Bool(is) => Some(Value::Bool(is)),
                Json::String(text) => Some(Value::Text(text)),
                Json::Object(one) => {
                    let text = |name: &str| one.get(name).and_then(Json::as_str);
                    match (text("number"), text("time")) {
                        (Some(number), None) => Some(Value::Number(number.parse().ok()?)),
                        (None, Some(time)) => Some(Value::Time(time.parse().ok()?)),
                        _ => return None,
                    }
                }
                _ => return None,
            })
        };
        all.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_text_is_no_cursor() {
        let far = format!("{}0_1", Timestamp::MAX.as_nanosecond());
        for text in [
            "",
            "_",
            "1",
            "1_",
            "_1",
            "1_2_3",
            "1_2_",
            "1_2_[1]",
            "1_2_[null]_",
            "1_x",
            " 1_2",
            "1_9223372036854775808",
            &far,
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_is_its_text(
            nanos in Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond(),
            key: i64,
        ) {
            let created_at = Timestamp::from_nanosecond(nanos).unwrap();
            let cursor = Cursor { created_at, key, by: Vec::new() };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
    }
}
