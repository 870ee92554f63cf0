//! What an operator has done with an execution: who, when and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};

use super::notes::message;

/// What an operator has done with an execution, as it is recorded with it:
/// [`Handle::acting_as`](crate::engine::Handle::acting_as).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// What: `stop`, `force_stop`, `abandon`, `undo`, `recover`, `try_now`, `retry_from`, `retry_undo`,
    /// `skip_undo`, `mark_undone`, `signal` or `replace_signal`.
    pub act: String,
    /// The path of the step that it concerned, if it was one.
    pub step: Option<String>,
    /// Who.
    pub by: String,
    /// Why, if that was said.
    pub reason: Option<String>,
}

impl Act {
    /// How many acts are kept of an execution: the newest.
    pub const MOST: usize = 100;

    /// An act of this person, without a step or a reason.
    pub fn new(at: Timestamp, act: impl Into<String>, by: impl Into<String>) -> Self {
        Self {
            at,
            act: act.into(),
            step: None,
            by: by.into(),
            reason: None,
        }
    }

    /// Adds it to what was done before, of which the newest are kept.
    pub(crate) fn note(self, acts: &mut Vec<Self>) {
        acts.push(self);
        let over = acts.len().saturating_sub(Self::MOST);
        acts.drain(..over);
    }
}

/// An object of texts.
impl Serialize for Act {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("act", &self.act)?;
        if let Some(step) = &self.step {
            map.serialize_entry("step", step)?;
        }
        map.serialize_entry("by", &self.by)?;
        if let Some(reason) = &self.reason {
            map.serialize_entry("reason", reason)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Act {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut need = |name| texts.remove(name).ok_or_else(|| Error::missing_field(name));
        let at: String = need("at")?;
        Ok(Self {
            at: at.parse().map_err(Error::custom)?,
            act: need("act")?,
            by: need("by")?,
            step: texts.remove("step"),
            reason: texts.remove("reason"),
        })
    }
}

/// Who operates executions, and why: for [`Handle::acting_as`](crate::engine::Handle::acting_as).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it does nothing by itself"]
pub struct Operator {
    by: String,
    reason: Option<String>,
}

impl Operator {
    /// A person, or a program, of this name.
    pub fn new(by: impl AsRef<str>) -> Self {
        Self {
            by: message(by.as_ref()).unwrap_or_default(),
            reason: None,
        }
    }

    /// Why; an empty text is no reason. Of more than 16 KiB, the beginning is kept.
    pub fn reason(mut self, why: impl AsRef<str>) -> Self {
        self.reason = message(why.as_ref());
        self
    }

    /// Returns the record of what it does now.
    pub(crate) fn does(&self, at: Timestamp, act: &str, step: Option<&str>) -> Act {
        Act {
            step: step.map(str::to_owned),
            reason: self.reason.clone(),
            ..Act::new(at, act, &*self.by)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_its_json() {
        let ann = Operator::new("ann");
        let plain = ann.does(Timestamp::UNIX_EPOCH, "stop", None);
        let text = r#"{"at":"1970-01-01T00:00:00Z","act":"stop","by":"ann"}"#;
        assert_eq!(serde_json::to_string(&plain).unwrap(), text);
        let whole = ann
            .reason("a \"b\"")
            .does(Timestamp::UNIX_EPOCH, "skip_undo", Some("a.b"));
        for act in [plain, whole] {
            let text = serde_json::to_string(&act).unwrap();
            assert_eq!(serde_json::from_str::<Act>(&text).unwrap(), act);
        }
        assert!(serde_json::from_str::<Act>(r#"{"act":"stop","by":"ann"}"#).is_err());
    }
}
