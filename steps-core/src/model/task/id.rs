//! The id of an external task: which execution it is of, and which attempt of which step.
//!
//! It is made here and handed to whoever runs the task, so no table leads from it to the step: the
//! execution's id is in it, and the rest is random and stands in the step's record.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// How many characters the random part has.
const SECRET: usize = 32;

/// The id of an external task, for whoever runs it: [`Cx::task_id`](crate::Cx::task_id).
///
/// Each submission has its own, also the next one after a failure; a submission that is made again
/// because the process died has the same. As text it has only letters, digits, `-`, `.`, `_` and `~`, so
/// it can stand in a URL as it is. It has 122 random bits in it: nobody reports on a task whose id was not
/// given to them.
///
/// ```
/// use steps::TaskId;
///
/// let id: TaskId = "3b241101e2bb42558caf4136c566a962.order-7".parse()?;
/// assert_eq!(id.execution(), "order-7");
/// let error = "order-7".parse::<TaskId>().unwrap_err();
/// assert!(error.to_string().starts_with("`order-7` is no id of an external task"));
/// # Ok::<_, steps::TaskIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TaskId {
    text: Box<str>,
    execution: Box<str>,
}

/// A text is no id of an external task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no id of an external task: {why}")]
pub struct TaskIdError {
    /// The text, or the beginning of a long one.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl TaskId {
    /// Returns a new id for a task of this execution.
    pub(crate) fn new(execution: &str) -> Self {
        Self::of(format!("{}.", Uuid::new_v4().simple()), execution)
    }

    /// Returns the id that begins with this text.
    pub(crate) fn of(mut text: String, execution: &str) -> Self {
        for byte in execution.bytes() {
            if stands_for_itself(byte) {
                text.push(char::from(byte));
            } else {
                text.push('~');
                text.extend([byte >> 4, byte & 15].map(digit));
            }
        }
        Self {
            text: text.into(),
            execution: execution.into(),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The id of the execution whose step has submitted the task.
    pub fn execution(&self) -> &str {
        &self.execution
    }
}

fn digit(of: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(of)])
}

fn stands_for_itself(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

impl FromStr for TaskId {
    type Err = TaskIdError;

    fn from_str(text: &str) -> Result<Self, TaskIdError> {
        read(text).map_err(|why| TaskIdError {
            text: text.chars().take(300).collect(),
            why,
        })
    }
}

fn read(text: &str) -> Result<TaskId, &'static str> {
    let Some((secret, rest)) = text.split_once('.') else {
        return Err("it has no `.` before the execution's id");
    };
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if secret.len() != SECRET || !secret.bytes().all(is_hex) {
        return Err("it does not begin with 32 digits of 0-9 and a-f");
    }
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'~' => {
                let digits = [left.next(), left.next()].map(|digit| digit.filter(|it| is_hex(*it)));
                let value = |digit: u8| {
                    char::from(digit)
                        .to_digit(16)
                        .and_then(|it| u8::try_from(it).ok())
                };
                match digits.map(|digit| digit.and_then(value)) {
                    [Some(high), Some(low)] if !stands_for_itself(high * 16 + low) => {
                        high * 16 + low
                    }
                    _ => {
                        return Err(
                            "a `~` in it is not followed by the two digits of another character",
                        );
                    }
                }
            }
            byte if stands_for_itself(byte) => byte,
            _ => return Err("it has a character in it that no id has"),
        });
    }
    let execution = String::from_utf8(bytes).map_err(|_| "its execution's id is no UTF-8")?;
    crate::base::id::check(&execution).map_err(|_| "it has no execution's id in it")?;
    Ok(TaskId {
        text: text.into(),
        execution: execution.into(),
    })
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskId").field(&self.text).finish()
    }
}

impl AsRef<str> for TaskId {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Serialize for TaskId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for TaskId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_id_is_told_why() {
        let secret = "0123456789abcdef0123456789abcdef";
        for (text, why) in [
            (String::new(), "no `.`"),
            (secret.to_owned(), "no `.`"),
            ("abc.order-7".to_owned(), "32 digits"),
            (format!("{}.x", secret.to_uppercase()), "32 digits"),
            (format!("{secret}."), "no execution's id"),
            (format!("{secret}.a/b"), "a character"),
            (format!("{secret}.a~2"), "a `~`"),
            (format!("{secret}.a~zz"), "a `~`"),
            (format!("{secret}.~61"), "a `~`"),
            (format!("{secret}.~ff"), "no UTF-8"),
            (format!("{secret}.~00"), "no execution's id"),
            (format!("{secret}.{}", "x".repeat(256)), "no execution's id"),
            (format!("../{secret}.x"), "32 digits"),
        ] {
            let error = text.parse::<TaskId>().unwrap_err();
            assert!(error.why.contains(why), "{text}: {error}");
        }
        let long = "é".repeat(100_000).parse::<TaskId>().unwrap_err();
        assert!(long.text.len() <= 600);
    }

    proptest! {
        #[test]
        fn an_id_is_read_back_and_can_stand_in_a_url(execution in "[^\\pC]{1,60}") {
            let id = TaskId::new(&execution);
            let is_safe = |byte| stands_for_itself(byte) || byte == b'~';
            prop_assert!(id.as_str().bytes().all(is_safe));
            let read: TaskId = id.as_str().parse().unwrap();
            prop_assert_eq!(read.execution(), execution);
            prop_assert_eq!(&read, &id);
            prop_assert_ne!(TaskId::new(id.execution()), id);
        }
    }
}
