//! A flow's input: its by-value parameters, saved as the fields of a JSON object.

use std::collections::BTreeMap;

use serde::{Serialize, ser::SerializeMap};

use super::{
    codec::{Codec, Saved},
    flow::Flow,
};
use crate::{
    base::{error::caught, json::Json},
    model::table::not_taken,
};

/// A type that a flow may take by value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of a flow's input, which is saved and read back",
    label = "this can't be saved as JSON and read back",
    note = "if it is a client, a pool or the like, lend it: take it by reference, `&{Self}`; if it is data, derive `serde::Serialize` and `serde::Deserialize` for it"
)]
pub trait InputValue: Saved {}

#[diagnostic::do_not_recommend]
impl<T: Saved> InputValue for T {}

/// Returns the codec of an input.
pub const fn input_codec<T: InputValue>() -> Codec<T> {
    crate::language::codec::codec::<T>()
}

/// Checks that a saved input can be decoded.
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

/// Returns one field of an input, to be saved; an error if its value can't be read back.
pub fn save_field<T>(
    name: &'static str,
    value: &T,
    codec: Codec<T>,
) -> Result<(&'static str, Option<Json>), serde_json::Error> {
    use serde::ser::Error as _;
    let saved = codec.save(value);
    let saved =
        saved.map_err(|e| serde_json::Error::custom(format_args!("field `{name}`: {e}")))?;
    Ok((name, saved))
}

/// Returns an input as it is read back from its saved form, and that form. A panic in the user's
/// `Serialize` or `Deserialize` is an error.
pub(crate) fn keep_input<F: Flow>(input: &F::Input) -> Result<(F::Input, Json), serde_json::Error> {
    caught(|| {
        let saved = F::save_input(input)?;
        Ok((F::load_input(&saved)?, saved))
    })
}

/// Builds the JSON object of an input from its fields.
pub fn save_fields(fields: &[(&'static str, Option<Json>)]) -> Result<Json, serde_json::Error> {
    Json::encode(&Fields(fields))
}

/// The fields of a saved input, by name.
pub type LoadedFields = BTreeMap<String, Json>;

/// Splits a saved input into its fields.
pub fn load_fields(saved: &Json) -> Result<LoadedFields, serde_json::Error> {
    saved.decode()
}

/// Reports a field of a saved input that no parameter takes.
pub fn end_fields(fields: &LoadedFields) -> Result<(), serde_json::Error> {
    use serde::de::Error as _;
    match fields.keys().next() {
        None => Ok(()),
        Some(name) => Err(serde_json::Error::custom(not_taken(name))),
    }
}

/// Removes one field from a saved input, by its name or an alias, and decodes it. A missing field is
/// read as `null`.
pub fn load_field<T>(
    fields: &mut LoadedFields,
    name: &'static str,
    aliases: &[&str],
    codec: Codec<T>,
) -> Result<T, serde_json::Error> {
    use serde::de::Error as _;
    let missing = || serde_json::Error::custom(format!("field `{name}` is missing"));
    let saved = fields.remove(name);
    let saved = saved.or_else(|| aliases.iter().find_map(|alias| fields.remove(*alias)));
    match saved {
        Some(value) => (codec.decode)(value.get())
            .map_err(|e| serde_json::Error::custom(format!("field `{name}`: {e}"))),
        None => (codec.decode)("null").map_err(|_| missing()),
    }
}
