//! A condition on one field of an execution, beyond those that a query has a place of its own for.
//!
//! What a condition says of a value is written here once, for every store that can call it.

pub(crate) mod line;
pub(crate) mod text;
mod value;

use std::fmt;

use super::info::ExecutionInfo;
use crate::model::attrs::path::AttrPath;
pub use value::{InvalidNumber, Number, Value};

/// A field of an execution that every execution has one of, though it may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Column {
    /// The id.
    Id,
    /// The flow's name, as it is saved.
    Flow,
    /// The status.
    Status,
    /// What started it.
    Trigger,
    /// The status message.
    StatusMessage,
    /// The error.
    Error,
    /// The worker that holds it, or held it last without giving it back.
    Worker,
    /// The priority.
    Priority,
    /// When it was created.
    Created,
    /// When it first began.
    Started,
    /// When it was last changed.
    Updated,
    /// When it ended.
    Ended,
}

/// What kind of values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Time,
    /// Any value of JSON.
    Any,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Id,
        Self::Flow,
        Self::Status,
        Self::Trigger,
        Self::StatusMessage,
        Self::Error,
        Self::Worker,
        Self::Priority,
        Self::Created,
        Self::Started,
        Self::Updated,
        Self::Ended,
    ];

    /// Returns its name in the text of a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Flow => "flow",
            Self::Status => "status",
            Self::Trigger => "trigger",
            Self::StatusMessage => "status_message",
            Self::Error => "error",
            Self::Worker => "worker",
            Self::Priority => "priority",
            Self::Created => "created",
            Self::Started => "started",
            Self::Updated => "updated",
            Self::Ended => "ended",
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Priority => Kind::Number,
            Self::Created | Self::Started | Self::Updated | Self::Ended => Kind::Time,
            _ => Kind::Text,
        }
    }

    /// Returns an execution's value; `None` if it has none.
    pub fn value(self, info: &ExecutionInfo) -> Option<Value> {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        match self {
            Self::Id => text(&info.id),
            Self::Flow => text(&info.flow),
            Self::Status => text(info.status.as_str()),
            Self::Trigger => text(info.trigger.as_str()),
            Self::StatusMessage => info.status_message.clone().map(Value::Text),
            Self::Error => info.error.clone().map(Value::Text),
            Self::Worker => info.worker.clone().map(Value::Text),
            Self::Priority => Some(Value::Number(info.priority.into())),
            Self::Created => Some(Value::Time(info.created_at)),
            Self::Started => info.started_at.map(Value::Time),
            Self::Updated => Some(Value::Time(info.updated_at)),
            Self::Ended => info.done_at.map(Value::Time),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// A column.
    Column(Column),
    /// The label of this name.
    Label(String),
    /// The attribute at this path.
    Attr(AttrPath),
}

impl Field {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Column(column) => column.kind(),
            Self::Label(_) => Kind::Text,
            Self::Attr(_) => Kind::Any,
        }
    }
}

/// What a condition demands of a value. Values of different kinds, such as the number 5 and the text
/// "5", are never equal, and none is in a range of the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Test {
    /// It is one of these. [`Value::Null`] is an attribute that is `null` or is not there.
    AnyOf(Vec<Value>),
    /// It is in this range, with both ends, of which one may be missing. Texts are compared byte by
    /// byte.
    Within {
        /// The least.
        from: Option<Value>,
        /// The largest.
        to: Option<Value>,
    },
    /// It is a text that contains this one, whatever the case of ASCII letters.
    Contains(String),
}

impl Test {
    /// Returns whether a value is as demanded. None is only as [`Value::Null`] demands.
    pub fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::AnyOf(all), None) => all.contains(&Value::Null),
            (Self::AnyOf(all), Some(value)) => all.contains(value),
            (Self::Within { from, to }, Some(value)) => {
                let is_least = from.as_ref().is_none_or(|from| from.is_at_most(value));
                is_least && to.as_ref().is_none_or(|to| value.is_at_most(to))
            }
            (Self::Contains(part), Some(Value::Text(text))) => {
                let [part, text] = [part, text].map(|text| text.to_ascii_lowercase());
                text.contains(&part)
            }
            (Self::Contains(_) | Self::Within { .. }, _) => false,
        }
    }
}

/// A condition on one field.
///
/// Its text is that of a [filter](crate::engine::Filter::parse) with this one condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// The field.
    pub field: Field,
    /// What is demanded of its value.
    pub test: Test,
}

impl Condition {
    /// Returns whether an execution meets it.
    pub fn holds(&self, info: &ExecutionInfo) -> bool {
        match &self.field {
            Field::Column(column) => {
                let value = column.value(info);
                value.is_some_and(|value| self.test.holds(Some(&value)))
            }
            Field::Label(name) => {
                let value = info.labels.get(name).cloned().map(Value::Text);
                value.is_some_and(|value| self.test.holds(Some(&value)))
            }
            Field::Attr(_) => self.holds_of_attrs(info.attrs.as_json()),
        }
    }

    /// Returns whether attributes meet it: the text of a JSON object. A condition on another field is
    /// met by none.
    pub fn holds_of_attrs(&self, attrs: &str) -> bool {
        let Field::Attr(path) = &self.field else {
            return false;
        };
        match path.find(attrs) {
            None => self.test.holds(None),
            Some(found) => Value::of_json(found).is_some_and(|value| self.test.holds(Some(&value))),
        }
    }
}
