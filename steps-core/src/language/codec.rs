//! How values are saved as JSON and read back.

use serde::{Serialize, de::DeserializeOwned};

use crate::base::json::Json;

/// How a value of `T` is saved and read back.
pub struct Codec<T> {
    /// Encodes to JSON; returns `None` for `null`.
    pub encode: fn(&T) -> Result<Option<Json>, serde_json::Error>,
    /// Decodes from JSON text.
    pub decode: fn(&str) -> Result<T, serde_json::Error>,
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
    }
}

/// Returns the codec of a `volatile` output. It is never saved; after a resume the step runs again.
pub const fn unsaved<T>() -> Codec<T> {
    Codec {
        encode: |_| Ok(None),
        decode: |_| Err(serde::de::Error::custom("a volatile output is not saved")),
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
    serde_json::from_str(saved)
}
