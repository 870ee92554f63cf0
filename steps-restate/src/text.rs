//! A text as what Restate carries: JSON, or a piece of one.

use std::{convert::Infallible, string::FromUtf8Error};

use bytes::Bytes;
use restate_sdk::serde::{Deserialize, PayloadMetadata, Serialize};

/// A text, as its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) String);

impl Serialize for Text {
    type Error = Infallible;

    fn serialize(&self) -> Result<Bytes, Infallible> {
        Ok(Bytes::copy_from_slice(self.0.as_bytes()))
    }
}

impl Deserialize for Text {
    type Error = FromUtf8Error;

    fn deserialize(bytes: &mut Bytes) -> Result<Self, FromUtf8Error> {
        String::from_utf8(std::mem::take(bytes).into()).map(Self)
    }
}

impl PayloadMetadata for Text {}
