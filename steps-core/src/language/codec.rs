//! How values are saved as JSON and read back.

use serde::{Serialize, de::DeserializeOwned};

use crate::base::{
    error::caught,
    json::{self, Json},
    read_back::read_back_or_same,
};

/// How a value of `T` is saved and read back.
pub struct Codec<T> {
    /// Encodes to JSON; returns `None` for `null`.
    pub encode: fn(&T) -> Result<Option<Json>, serde_json::Error>,
    /// Decodes from JSON text.
    pub decode: fn(&str) -> Result<T, serde_json::Error>,
    /// From the JSON text that this value was written as; `None` where it is known to be the same.
    /// An error where it can't be read, or is another value.
    pub read_back: fn(&T, &str) -> Result<Option<T>, serde_json::Error>,
}

impl<T> Codec<T> {
    /// The value as it is read back from its saved form, and that form. A panic in the user's
    /// `Serialize` or `Deserialize` is an error. With an error, the value is given back.
    pub(crate) fn keep(self, value: T) -> Result<(T, Option<Json>), (serde_json::Error, T)> {
        let kept = caught(|| {
            let json = (self.encode)(&value)?;
            let read = self.read(&value, json.as_ref())?;
            Ok((read, json))
        });
        match kept {
            Ok((read, json)) => Ok((read.unwrap_or(value), json)),
            Err(error) => Err((error, value)),
        }
    }

    /// The saved form of a value that can be read back.
    pub(crate) fn save(self, value: &T) -> Result<Option<Json>, serde_json::Error> {
        caught(|| {
            let json = (self.encode)(value)?;
            self.read(value, json.as_ref())?;
            Ok(json)
        })
    }

    fn read(self, value: &T, json: Option<&Json>) -> Result<Option<T>, serde_json::Error> {
        (self.read_back)(value, json.map_or("null", Json::get))
    }
}

impl<T> Clone for Codec<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Codec<T> {}

impl<T> std::fmt::Debug for Codec<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codec")
    }
}

/// A value that can be saved and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be saved: a step's output must be `Serialize` and `DeserializeOwned`",
    label = "this can't be saved as JSON and read back",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, or give out only what identifies it (an id, a path)"
)]
pub trait Saved: Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Saved for T {}

/// Returns the codec of a value that can be saved.
pub const fn codec<T: Saved>() -> Codec<T> {
    Codec {
        encode: encode::<T>,
        decode: decode::<T>,
        read_back: read_back_or_same::<T>,
    }
}

/// The codec of a `volatile` output. It is not saved; but what was saved before the step was marked
/// is read, if the type can be.
#[derive(Debug)]
pub struct Unsaved<T>(std::marker::PhantomData<fn() -> T>);

impl<T: Saved> Unsaved<T> {
    /// The codec.
    pub const CODEC: Codec<T> = Codec {
        decode: decode::<T>,
        ..unsaved()
    };
}

/// [`Unsaved`] of a type that can't be read. An inherent constant comes before a trait's.
pub trait NeverSaved {
    /// The type.
    type Value;
    /// The codec.
    const CODEC: Codec<Self::Value>;
}

impl<T> NeverSaved for Unsaved<T> {
    type Value = T;
    const CODEC: Codec<T> = unsaved();
}

/// Returns the codec of an output that is never saved, and can't be read.
pub const fn unsaved<T>() -> Codec<T> {
    Codec {
        encode: |_| Ok(None),
        decode: |_| Err(serde::de::Error::custom("its type can't be read back")),
        read_back: |_, _| Ok(None),
    }
}

fn encode<T: Saved>(value: &T) -> Result<Option<Json>, serde_json::Error> {
    // Most outputs are `()`: skip serde for them.
    if std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>() {
        return Ok(None);
    }
    let json = Json::encode(value)?;
    Ok(if json.is_null() { None } else { Some(json) })
}

pub(crate) fn decode<T: Saved>(saved: &str) -> Result<T, serde_json::Error> {
    json::read(saved)
}
