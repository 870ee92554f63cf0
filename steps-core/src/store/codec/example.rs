//! A codec for tests: it hides nothing, but notices when a value is not in its place, or its key is missing.

use super::{Codec, CodecError, Payload, Place};

/// Encodes under the newest of its keys, and decodes under each of them.
pub(crate) struct Example {
    pub(crate) keys: Vec<u8>,
    pub(crate) leaves_out: Vec<Payload>,
    pub(crate) refuses_plain: bool,
}

impl Example {
    pub(crate) fn new(keys: &[u8]) -> Self {
        Self {
            keys: keys.to_vec(),
            leaves_out: Vec::new(),
            refuses_plain: false,
        }
    }
}

impl Codec for Example {
    fn encodes(&self, payload: Payload) -> bool {
        !self.leaves_out.contains(&payload)
    }

    fn encode(&self, place: &Place<'_>, text: &str) -> Result<Option<Vec<u8>>, CodecError> {
        let key = *self.keys.last().ok_or(CodecError::invalid("no key"))?;
        let place = place.to_bytes();
        let mut bytes = vec![key, u8::try_from(place.len() % 251).unwrap_or_default()];
        bytes.extend(place);
        bytes.extend(text.bytes().rev());
        Ok(Some(bytes))
    }

    fn decode(&self, place: &Place<'_>, bytes: &[u8]) -> Result<String, CodecError> {
        let key = bytes[0];
        if !self.keys.contains(&key) {
            let key = char::from(key).to_string();
            return Err(CodecError::UnknownKey { key });
        }
        let text = bytes[2..].strip_prefix(&*place.to_bytes());
        let text = text.ok_or(CodecError::invalid("it was encoded for another place"))?;
        String::from_utf8(text.iter().rev().copied().collect())
            .map_err(|error| CodecError::invalid(error.to_string()))
    }

    fn takes_plain(&self) -> bool {
        !self.refuses_plain
    }

    fn identity(&self) -> u64 {
        self.keys
            .iter()
            .fold(7, |all, key| all * 31 + u64::from(*key))
    }
}
