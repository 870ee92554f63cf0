//! A codec that hides nothing.

use steps::store::codec::{Codec, CodecError, Place};

/// Turns values around, to show that they have passed through it.
pub struct Backwards;

impl Codec for Backwards {
    fn encode(&self, _: &Place<'_>, text: &str) -> Result<Option<Vec<u8>>, CodecError> {
        Ok(Some(text.bytes().rev().collect()))
    }

    fn decode(&self, _: &Place<'_>, bytes: &[u8]) -> Result<String, CodecError> {
        String::from_utf8(bytes.iter().rev().copied().collect())
            .map_err(|_| CodecError::invalid("it is no text"))
    }
}
