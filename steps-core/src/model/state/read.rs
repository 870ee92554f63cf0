//! Reading a state from JSON, directly into the tree, without an intermediate JSON value.
//!
//! The reader tolerates:
//!
//! * All fields but `name` may be missing, and all but `name` may be `null`.
//! * `err` may be missing, or be replaced by the list `errs`. If a text and a list disagree, both
//!   are kept.
//! * A node may appear twice among its siblings. The later one counts, and takes the place of the
//!   first.
//! * An unknown field is kept in [`NodeData::extra`](super::NodeData::extra), even if only the
//!   spelling of its name differs from a known one. Inside `undo` and `progress` an unknown field
//!   is an error.
//! * A node without `status` gets its status from `err`, `startedAt` and `doneAt`. With a `status`,
//!   these fields must not contradict it: a node that is `done` or `failed` has a `doneAt`; one
//!   that is `pending`, `running` or `waiting` has none; and one that is `done` has no error.
//! * Times may have any RFC 3339 offset; they are kept in UTC.
//!
//! Everything else is an error that names the node. Each level of nodes takes a level of the stack,
//! which [`Limits::depth`] limits; the levels inside a saved value take none.

use std::io::{self, Read as _};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed},
};

use super::{
    LimitKind, Limits, State, StateError, path,
    visit::{NodeSeed, Reader},
};

impl State {
    /// Reads a state, within [`Limits::DEFAULT`].
    ///
    /// ```
    /// # use steps::state::State;
    /// let error = State::from_json(r#"{"name":"f","states":[{"name":"a","states":7}]}"#).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "a, `states`: invalid type: integer `7`, expected a list of nodes (line 1, column 44)",
    /// );
    /// ```
    pub fn from_json(text: &str) -> Result<Self, StateError> {
        Self::from_json_with(text, &Limits::DEFAULT)
    }

    /// Reads a state, within `limits`.
    pub fn from_json_with(text: &str, limits: &Limits) -> Result<Self, StateError> {
        within(text.len(), limits)?;
        read(serde_json::Deserializer::from_str(text), limits)
    }

    /// Reads a state from UTF-8, within [`Limits::DEFAULT`].
    pub fn from_slice(text: &[u8]) -> Result<Self, StateError> {
        Self::from_slice_with(text, &Limits::DEFAULT)
    }

    /// Reads a state from UTF-8, within `limits`.
    pub fn from_slice_with(text: &[u8], limits: &Limits) -> Result<Self, StateError> {
        within(text.len(), limits)?;
        read(serde_json::Deserializer::from_slice(text), limits)
    }

    /// Reads a state from a file or another source. Reads no more of the source than `limits`
    /// allow.
    pub fn from_reader_with(
        source: &mut dyn io::Read,
        limits: &Limits,
    ) -> Result<Self, StateError> {
        let most = u64::try_from(limits.bytes).map_or(u64::MAX, |bytes| bytes.saturating_add(1));
        let mut text = Vec::new();
        source.take(most).read_to_end(&mut text)?;
        Self::from_slice_with(&text, limits)
    }
}

fn within(bytes: usize, limits: &Limits) -> Result<(), StateError> {
    if bytes <= limits.bytes {
        return Ok(());
    }
    Err(StateError::Limit {
        path: String::new(),
        limit: LimitKind::Bytes,
        max: limits.bytes,
    })
}

fn read<'de, R: serde_json::de::Read<'de>>(
    mut json: serde_json::Deserializer<R>,
    limits: &Limits,
) -> Result<State, StateError> {
    let mut reader = Reader::new(limits);
    let state = NodeSeed::root(&mut reader)
        .deserialize(&mut json)
        .map_err(|error| reader.error(&error))?;
    json.end().map_err(|error| reader.error(&error))?;
    Ok(state)
}

impl Reader<'_> {
    fn error(&mut self, error: &serde_json::Error) -> StateError {
        let path = self.path();
        if let Some((limit, max)) = self.passed {
            return StateError::Limit { path, limit, max };
        }
        let (line, column) = (error.line(), error.column());
        let mut reason = error.to_string();
        if let Some(text) = reason.strip_suffix(&format!(" at line {line} column {column}")) {
            reason.truncate(text.len());
        }
        StateError::Invalid {
            path,
            field: std::mem::take(&mut self.field),
            reason,
            line,
            column,
        }
    }

    /// Returns the path of the node at which reading stopped.
    fn path(&self) -> String {
        path::join(self.trail.iter().rev())
    }
}

/// Reads a state that is part of another document, within [`Limits::DEFAULT`] except for the number
/// of bytes. Works only with the deserializers of `serde_json`, because saved values are kept as
/// JSON text.
impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut reader = Reader::new(&Limits::DEFAULT);
        NodeSeed::root(&mut reader)
            .deserialize(deserializer)
            .map_err(|error| {
                let (path, field) = (reader.path(), &reader.field);
                if path.is_empty() && field.is_empty() {
                    return error;
                }
                let dot = if path.is_empty() || field.is_empty() {
                    ""
                } else {
                    ", "
                };
                de::Error::custom(format_args!("{path}{dot}{field}: {error}"))
            })
    }
}

#[cfg(test)]
mod tests;
