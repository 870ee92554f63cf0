//! The attributes of an execution: a JSON object that the service keeps beside the labels, and
//! changes while the execution goes on.
//!
//! Only texts are handled here, so that every number stays as it was written, however large.

pub(crate) mod path;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::value::RawValue;

use crate::base::{json::Json, read_back::record_unread};
use path::AttrPath;

/// How many levels a patch may have.
const DEPTH: usize = 100;

/// The attributes of an execution: any JSON object, by default `{}`.
///
/// They are not indexed, unlike [labels](crate::engine::Start::label): a list by an attribute reads
/// each execution that meets its other conditions. Numbers stay as they were written, so that
/// integers beyond 2⁵³ are exact.
///
/// ```
/// use steps::Attrs;
///
/// let attrs = Attrs::parse(r#"{"image":{"size":9007199254740993,"tags":["a","b"]}}"#)?;
/// assert_eq!(attrs.get::<u64>("image.size")?, Some(9007199254740993));
/// assert_eq!(attrs.get::<String>("image.tags.1")?.as_deref(), Some("b"));
/// assert_eq!(attrs.get::<u64>("image.digest")?, None);
/// assert!(attrs.get::<bool>("image.size").is_err());
/// # Ok::<_, steps::InvalidAttrs>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attrs(Option<Json>);

/// The value can't be an execution's attributes, or an attribute is of another type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAttrs(String);

impl InvalidAttrs {
    pub(crate) fn new(why: String) -> Self {
        Self(why)
    }
}

impl Attrs {
    /// No attributes: `{}`.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Encodes a value as attributes.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is no object as JSON, such as a number or a list, or can't be
    /// saved as JSON.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, InvalidAttrs> {
        let json = record_unread(value).map_err(|error| {
            InvalidAttrs(format!("the attributes can't be saved as JSON: {error}"))
        })?;
        Self::of(json)
    }

    /// Reads attributes from JSON text.
    ///
    /// # Errors
    ///
    /// As of [`encode`](Self::encode).
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidAttrs> {
        let json = Json::parse(text)
            .map_err(|error| InvalidAttrs(format!("the attributes are no JSON: {error}")))?;
        Self::of(json)
    }

    fn of(json: Json) -> Result<Self, InvalidAttrs> {
        if !is_object(json.get()) {
            return Err(InvalidAttrs(format!(
                "attributes are a JSON object, and this is {}",
                kind(json.get())
            )));
        }
        let is_empty = Fields::read(json.get()).is_ok_and(|fields| fields.0.is_empty());
        Ok(Self((!is_empty).then_some(json)))
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns them as JSON text; `{}` if there are none.
    pub fn as_json(&self) -> &str {
        self.0.as_ref().map_or("{}", Json::get)
    }

    /// Returns the JSON text, unless there are none: what a store keeps.
    pub fn to_json(&self) -> Option<&Json> {
        self.0.as_ref()
    }

    /// Decodes all of them.
    ///
    /// # Errors
    ///
    /// Returns an error if they are no `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, InvalidAttrs> {
        crate::base::json::read(self.as_json())
            .map_err(|error| InvalidAttrs(format!("the attributes: {error}")))
    }

    /// Decodes the one at this path, whose parts are separated by dots: `image.size`. A part with
    /// other characters than letters, digits, `_` and `-` stands in quotes: `image."a.b"`. Of a list,
    /// a part is the place of an item, from 0. `None` if there is none, or it is `null`.
    ///
    /// # Errors
    ///
    /// Returns an error if it is no `T`, or the path is none.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, InvalidAttrs> {
        let parsed: AttrPath = path.parse().map_err(InvalidAttrs)?;
        let Some(found) = parsed.find(self.as_json()) else {
            return Ok(None);
        };
        crate::base::json::read(found)
            .map_err(|error| InvalidAttrs(format!("the attribute `{path}`: {error}")))
    }

    /// Applies a JSON merge patch ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)): each field of
    /// the patch takes the place of the field of its name, an object is merged into an object, and
    /// `null` removes.
    ///
    /// ```
    /// use steps::Attrs;
    ///
    /// let attrs = Attrs::parse(r#"{"size":{"gb":5,"max":9},"by":"ann"}"#)?;
    /// let patched = attrs.patched(&Attrs::parse(r#"{"size":{"gb":6,"max":null},"zone":"a"}"#)?);
    /// assert_eq!(patched.as_json(), r#"{"size":{"gb":6},"by":"ann","zone":"a"}"#);
    /// # Ok::<_, steps::InvalidAttrs>(())
    /// ```
    #[must_use]
    pub fn patched(&self, patch: &Self) -> Self {
        let Some(patch) = &patch.0 else {
            return self.clone();
        };
        let merged = merge(Some(self.as_json()), patch.get(), 0);
        // Both are objects, and so is what they make.
        Json::parse(merged)
            .ok()
            .and_then(|json| Self::of(json).ok())
            .unwrap_or_else(|| self.clone())
    }
}

impl fmt::Debug for Attrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl fmt::Display for Attrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl Serialize for Attrs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(json) => json.serialize(serializer),
            None => serializer.serialize_map(Some(0))?.end(),
        }
    }
}

impl<'de> Deserialize<'de> for Attrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn is_object(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

fn kind(text: &str) -> &'static str {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "`null`",
        _ => "a number",
    }
}

/// Returns the text of an object with a patch applied. Below [`DEPTH`] levels, an object replaces.
fn merge(target: Option<&str>, patch: &str, depth: usize) -> String {
    let Ok(changes) = Fields::read(patch) else {
        return patch.to_owned();
    };
    let target = target.filter(|text| is_object(text));
    let fields = target.and_then(|text| Fields::read(text).ok());
    let mut fields: Vec<(String, String)> = fields
        .unwrap_or_default()
        .0
        .into_iter()
        .map(|(name, value)| (name, value.get().to_owned()))
        .collect();
    for (name, value) in changes.0 {
        let value = value.get();
        let at = fields.iter().position(|(other, _)| *other == name);
        if value == "null" {
            if let Some(at) = at {
                fields.remove(at);
            }
            continue;
        }
        let value = if is_object(value) && depth < DEPTH {
            merge(at.map(|at| &*fields[at].1), value, depth + 1)
        } else {
            value.to_owned()
        };
        match at {
            Some(at) => fields[at].1 = value,
            None => fields.push((name, value)),
        }
    }
    let mut text = String::from("{");
    for (name, value) in &fields {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::Value::from(name.as_str()).to_string());
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

/// The fields of an object in their order; of several of one name, the last one counts.
#[derive(Default)]
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields: Vec<(String, &RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    match fields.iter_mut().find(|(other, _)| *other == name) {
                        Some(field) => field.1 = value,
                        None => fields.push((name, value)),
                    }
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attrs(text: &str) -> Attrs {
        Attrs::parse(text).unwrap()
    }

    #[test]
    fn only_an_object_is_taken() {
        for (text, told) in [
            ("[1]", "a list"),
            ("7", "a number"),
            ("null", "`null`"),
            ("true", "a boolean"),
            ("\"a\"", "a text"),
        ] {
            let error = Attrs::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert!(Attrs::parse("{").is_err());
        assert!(Attrs::encode(&7).is_err());
        assert_eq!(attrs(" { } "), Attrs::new());
        assert_eq!(Attrs::new().as_json(), "{}");
    }

    /// The cases of RFC 7396, of those whose two sides are objects.
    #[test]
    fn a_patch_merges_as_the_rfc_says() {
        for (target, patch, merged) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            (r#"{"a":7}"#, "{}", r#"{"a":7}"#),
        ] {
            assert_eq!(
                attrs(target).patched(&attrs(patch)),
                attrs(merged),
                "{patch}"
            );
        }
    }

    /// A number that no machine type holds, a name with quotes, and fields of one name.
    #[test]
    fn a_patch_leaves_the_rest_as_it_was_written() {
        let target = attrs(r#"{"n":123456789012345678901234567890.10,"q\"":[1, 2],"a":1,"a":2}"#);
        let patched = target.patched(&attrs(r#"{"m":9007199254740993}"#));
        assert_eq!(
            patched.as_json(),
            r#"{"n":123456789012345678901234567890.10,"q\"":[1, 2],"a":2,"m":9007199254740993}"#
        );
        assert_eq!(
            patched.get::<i64>("m").unwrap(),
            Some(9_007_199_254_740_993)
        );
    }

    #[test]
    fn a_deep_patch_is_no_danger() {
        let deep = format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000));
        // What JSON readers bound is bounded; what is taken is merged.
        if let Ok(deep) = Attrs::parse(deep) {
            let merged = deep.patched(&deep);
            assert!(!merged.is_empty());
        }
    }
}
