//! A flow's input: its parameters by value, saved as the fields of a JSON object.

use std::collections::BTreeMap;

use serde::{Serialize, ser::SerializeMap};

use super::codec::{Codec, Saved};
use crate::base::json::Json;

/// A value that a flow may take by value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of a flow's input, which is saved and read back",
    label = "this can't be saved as JSON and read back",
    note = "if it is a client, a pool or the like, lend it: take it by reference, `&{Self}`; if it is data, derive `serde::Serialize` and `serde::Deserialize` for it"
)]
pub trait InputValue: Saved {}

#[diagnostic::do_not_recommend]
impl<T: Saved> InputValue for T {}

/// The codec of an input.
pub const fn input_codec<T: InputValue>() -> Codec<T> {
    crate::language::codec::codec::<T>()
}

/// Whether a saved input can be read.
pub fn reads<T>(saved: &str, codec: Codec<T>) -> Result<(), serde_json::Error> {
    crate::base::error::caught(|| (codec.decode)(saved).map(drop))
}

struct Fields<'a>(&'a [(&'static str, Option<Json>)]);

impl Serialize for Fields<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Puts an input's fields together.
pub fn save_fields(fields: &[(&'static str, Option<Json>)]) -> Result<Json, serde_json::Error> {
    Json::encode(&Fields(fields))
}

/// The fields of a saved input, by name.
pub type LoadedFields = BTreeMap<String, Json>;

/// Takes a saved input apart.
pub fn load_fields(saved: &Json) -> Result<LoadedFields, serde_json::Error> {
    saved.decode()
}

/// Takes one field out of a saved input. One that is not there is read as `null`.
pub fn load_field<T>(
    fields: &mut LoadedFields,
    name: &'static str,
    codec: Codec<T>,
) -> Result<T, serde_json::Error> {
    use serde::de::Error as _;
    let missing = || serde_json::Error::custom(format!("field `{name}` is missing"));
    match fields.remove(name) {
        Some(value) => (codec.decode)(value.get())
            .map_err(|e| serde_json::Error::custom(format!("field `{name}`: {e}"))),
        None => (codec.decode)("null").map_err(|_| missing()),
    }
}
