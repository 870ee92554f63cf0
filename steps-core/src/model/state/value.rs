//! Reading the small values of a node: names, waits, and the records `undo` and `progress`.

use std::{fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

use super::{Kind, Progress, Resolved, Undo, Until, time::Time};
use crate::model::status::Status;

/// A value that is read from one word.
pub(super) trait Word: Sized {
    /// The name of the value in error messages.
    const WHAT: &'static str;

    /// Returns the value, or the reason why `word` is not valid.
    fn read(word: &str) -> Result<Self, String>;
}

impl Word for Status {
    const WHAT: &'static str = "the name of a status";

    fn read(word: &str) -> Result<Self, String> {
        Self::from_name(word).ok_or_else(|| unknown("status", word, Self::ALL.map(Self::as_str)))
    }
}

impl Word for Kind {
    const WHAT: &'static str = "the name of a kind of node";

    fn read(word: &str) -> Result<Self, String> {
        Self::from_name(word).ok_or_else(|| unknown("kind", word, Self::ALL.map(Self::as_str)))
    }
}

impl Word for Until {
    const WHAT: &'static str = "a time as RFC 3339 text, \"signal\", or \"child\"";

    fn read(word: &str) -> Result<Self, String> {
        match word {
            "signal" => return Ok(Self::Signal),
            "child" => return Ok(Self::Child),
            "report" => return Ok(Self::Report),
            _ => {}
        }
        Time::parse(word)
            .map(|time| Self::Time(time.0))
            .map_err(|error| {
                format!("`{word}` is neither `signal`, `child` nor an RFC 3339 time: {error}")
            })
    }
}

fn unknown<const N: usize>(what: &str, word: &str, known: [&str; N]) -> String {
    format!("unknown {what} `{word}`, known are {}", known.join(", "))
}

/// The adapter from [`Word`] to serde.
pub(super) struct Named<T>(pub(super) T);

impl<'de, T: Word> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);
        impl<T: Word> de::Visitor<'_> for Visitor<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Named<T>, E> {
                T::read(word).map(Named).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Progress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Progress;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with `done` and `total`")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Progress, A::Error> {
                let mut progress = Progress::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "done" => progress.done = map.next_value()?,
                        "total" => progress.total = map.next_value()?,
                        _ => return Err(de::Error::unknown_field(&key, &["done", "total"])),
                    }
                }
                Ok(progress)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl<'de> Deserialize<'de> for Undo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Undo;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object that tells of a rollback")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Undo, A::Error> {
                const KNOWN: &[&str] = &[
                    "err",
                    "startedAt",
                    "doneAt",
                    "attempts",
                    "deaths",
                    "until",
                    "resolved",
                ];
                let mut undo = Undo::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "err" => undo.err = map.next_value()?,
                        "startedAt" => undo.started_at = time(&mut map)?,
                        "doneAt" => undo.done_at = time(&mut map)?,
                        "attempts" => undo.attempts = map.next_value()?,
                        "deaths" => undo.deaths = map.next_value()?,
                        "until" => undo.until = time(&mut map)?,
                        "resolved" => undo.resolved = Some(resolved(&map.next_value::<String>()?)?),
                        _ => return Err(de::Error::unknown_field(&key, KNOWN)),
                    }
                }
                Ok(undo)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn resolved<E: de::Error>(name: &str) -> Result<Resolved, E> {
    let known = [Resolved::Skipped, Resolved::Undone];
    let found = known.into_iter().find(|resolved| resolved.as_str() == name);
    found.ok_or_else(|| de::Error::unknown_variant(name, &["skipped", "undone"]))
}

/// Reads a time or `null`.
pub(super) fn time<'de, A: de::MapAccess<'de>>(map: &mut A) -> Result<Option<Timestamp>, A::Error> {
    Ok(map.next_value::<Option<Time>>()?.map(|time| time.0))
}
