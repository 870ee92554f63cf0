//! One failed step, as a failed flow tells it, and as the value of a `#[caught]` line. It is saved as an
//! object, so that it can be a part of what users save.

use std::{error::Error, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap as _,
};

use crate::base::error::BoxError;

/// One failed step.
#[derive(Clone)]
#[non_exhaustive]
pub struct StepFailure {
    /// The step's [path](crate::model::state::path), or that of the line whose deadline passed. Empty for
    /// the code after the steps, and for the flow's own deadline.
    pub path: String,
    /// The error of the last attempt with its sources, as recorded.
    pub error: String,
    pub(crate) source: Option<Arc<BoxError>>,
    pub(crate) is_late: bool,
    /// The child that it joins, if that did not get to its end.
    pub(crate) child: Option<String>,
}

impl StepFailure {
    /// Returns whether the line failed because it had not ended by its deadline.
    pub fn passed_deadline(&self) -> bool {
        self.is_late
    }

    /// Returns the id of the child execution that the line joins, if the line failed because that did
    /// not get to its end.
    pub fn child(&self) -> Option<&str> {
        self.child.as_deref()
    }

    /// Returns the error itself, if it happened in this process and is an `E`. Of the value of a
    /// `#[caught]` line, which is the same in each process, there is only the text.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.source.as_ref()?.downcast_ref()
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.error)
    }
}

impl fmt::Debug for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Its text holds that of the error and of its sources.
impl Error for StepFailure {}

impl Serialize for StepFailure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("path", &self.path)?;
        map.serialize_entry("error", &self.error)?;
        if self.is_late {
            map.serialize_entry("passedDeadline", &true)?;
        }
        if let Some(child) = &self.child {
            map.serialize_entry("child", child)?;
        }
        map.end()
    }
}

/// The error itself is not read back: there is only its text.
impl<'de> Deserialize<'de> for StepFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = StepFailure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the failure of a step")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StepFailure, A::Error> {
                let mut failure = StepFailure {
                    path: String::new(),
                    error: String::new(),
                    source: None,
                    is_late: false,
                    child: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "path" => failure.path = map.next_value()?,
                        "error" => failure.error = map.next_value()?,
                        "child" => failure.child = map.next_value()?,
                        "passedDeadline" => failure.is_late = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(failure)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// By what is saved of it.
impl PartialEq for StepFailure {
    fn eq(&self, other: &Self) -> bool {
        (&self.path, &self.error, self.is_late, &self.child)
            == (&other.path, &other.error, other.is_late, &other.child)
    }
}

impl Eq for StepFailure {}
