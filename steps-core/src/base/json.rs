//! A saved value: JSON text, checked when the value is created.

pub(crate) mod compare;

use std::{collections::BTreeMap, fmt};

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
        read(self.0.get())
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

/// The fields of an object that the engine has written.
pub(crate) struct Fields(BTreeMap<String, Json>);

impl Fields {
    /// Reads the object. The error says why it is none.
    pub(crate) fn of(value: &Json) -> Result<Self, String> {
        let fields = value.decode().map_err(|error| error.to_string())?;
        Ok(Self(fields))
    }

    /// Reads a field; one that is missing is `null`. The error names it.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        let json = self.0.get(name).map_or("null", Json::get);
        read(json).map_err(|error| format!("its field `{name}`: {error}"))
    }
}

/// Reads a value. The error names the likely cause where that is another crate's choice.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text).map_err(|error| with_likely_cause(text, error))
}

#[cold]
fn with_likely_cause(text: &str, error: serde_json::Error) -> serde_json::Error {
    // With that feature, a number keeps the digits that it was written with.
    let number: Result<serde_json::Value, _> = serde_json::from_str("1.00");
    let digits = number.map(|number| number.to_string());
    let is_on = digits.is_ok_and(|digits| digits == "1.00");
    let pairs = text.as_bytes().windows(2);
    let is_fraction = |pair: &[u8]| pair[0].is_ascii_digit() && b".eE".contains(&pair[1]);
    if !is_on || !pairs.into_iter().any(is_fraction) {
        return error;
    }
    serde::de::Error::custom(format_args!(
        "{error}; a crate of this program switches on serde_json's feature `arbitrary_precision`, \
         with which numbers with a point or an exponent can't be read inside of tagged, flattened \
         and untagged types"
    ))
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
