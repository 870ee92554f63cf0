//! The JSON schema of a type, where it has one: by it a snapshot knows how values of the type are saved.

use std::marker::PhantomData;

use crate::model::table::SchemaOf;

/// Finds the schema of `T`, which it has with the feature `schemars`, if it is a `JsonSchema`.
#[derive(Debug)]
pub struct Shows<T>(PhantomData<T>);

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> Shows<T> {
    /// The schema.
    pub const SCHEMA: Option<SchemaOf> = Some(of::<T>);
}

/// The constant of [`Shows`] for a type without a schema.
pub trait NoSchema {
    /// No schema.
    const SCHEMA: Option<SchemaOf> = None;
}

impl<T> NoSchema for Shows<T> {}

#[cfg(feature = "schemars")]
fn of<T: schemars::JsonSchema>() -> String {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    schema.as_value().to_string()
}
