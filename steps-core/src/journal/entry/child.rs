//! A child execution that a batch starts, as an entry has it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{base::json::Json, language::children::NewChild, model::state::Labels};

/// A child execution that is started by the line of a flow whose end is recorded with it: one of
/// [`Entry::children`](super::Entry::children).
///
/// It is to be started just once, whatever crashes: once the entry is safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChildStart {
    /// Its id.
    pub id: String,
    /// The name of its flow.
    pub flow: String,
    /// Its input.
    pub input: Json,
    /// The time before which it must not begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins: Option<Timestamp>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
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
