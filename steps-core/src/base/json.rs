//! A saved value: JSON text, checked when the value is created.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// One JSON value, kept as the text in which it was written.
///
/// A step's output is encoded once, when the step ends; after that only the text is copied. Two
/// values are equal if their texts are equal, byte for byte.
///
/// ```
/// use steps::Json;
///
/// let json = Json::encode(&[1, 2])?;
/// assert_eq!(json.get(), "[1,2]");
/// assert_eq!(json.decode::<Vec<u32>>()?, [1, 2]);
/// assert!(Json::parse("[1,").is_err());
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Encodes a value.
    ///
    /// # Errors
    ///
    /// Returns an error if the value's `Serialize` fails, or if a map's key is not text.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a `T`. The error says what was expected, and at which
    /// column.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }

    /// Checks that `text` is one JSON value, and keeps it unchanged.
    ///
    /// # Errors
    ///
    /// Returns an error if `text` is not one JSON value.
    pub fn parse(text: impl Into<String>) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text.into()).map(Self)
    }

    /// Returns the JSON text.
    pub fn get(&self) -> &str {
        self.0.get()
    }

    /// Returns whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.get() == "null"
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.get())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}
