//! A child execution that a batch starts, as an entry has it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};

use crate::{
    base::json::{Fields, Json},
    language::children::NewChild,
    model::state::Labels,
};

/// A child execution that is started by the line of a flow whose end is recorded with it: one of
/// [`Entry::children`](super::Entry::children).
///
/// It is to be started just once, whatever crashes: once the entry is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildStart {
    /// Its id.
    pub id: String,
    /// The name of its flow.
    pub flow: String,
    /// Its input.
    pub input: Json,
    /// The time before which it must not begin.
    pub begins: Option<Timestamp>,
    /// Its labels.
    pub labels: Labels,
}

impl ChildStart {
    pub(super) fn of(child: &NewChild) -> Self {
        Self {
            id: child.id.clone(),
            flow: child.flow.to_owned(),
            input: child.input.clone(),
            begins: child.begins,
            labels: child.labels.clone(),
        }
    }
}

impl Serialize for ChildStart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("flow", &self.flow)?;
        map.serialize_entry("input", &self.input)?;
        if let Some(begins) = &self.begins {
            map.serialize_entry("begins", begins)?;
        }
        if !self.labels.is_empty() {
            map.serialize_entry("labels", &self.labels)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ChildStart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::of(&Json::deserialize(deserializer)?).map_err(D::Error::custom)?;
        let read = || -> Result<Self, String> {
            let labels: Option<Labels> = fields.get("labels")?;
            Ok(Self {
                id: fields.get("id")?,
                flow: fields.get("flow")?,
                input: fields.get("input")?,
                begins: fields.get("begins")?,
                labels: labels.unwrap_or_default(),
            })
        };
        read().map_err(D::Error::custom)
    }
}
