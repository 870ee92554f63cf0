//! What both codecs know of the form of an encoded value.

use steps_core::store::codec::CodecError;

/// What follows is encrypted.
pub(crate) const ENCRYPTED: u8 = 1;

/// What follows is compressed, and not encrypted.
pub(crate) const COMPRESSED: u8 = 2;

/// Returns the id of the key, and what follows, of a value without its first byte.
pub(crate) fn key_and_rest(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((str::from_utf8(key).ok()?, rest))
}

/// The error for bytes that are none of ours.
pub(crate) fn unknown() -> CodecError {
    CodecError::invalid("it has a form that this version does not know")
}

/// The text of decoded bytes.
pub(crate) fn text(bytes: Vec<u8>) -> Result<String, CodecError> {
    String::from_utf8(bytes).map_err(|_| CodecError::invalid("what is in it is no text"))
}

/// What is read of a value that only another feature can read.
#[cfg(not(all(feature = "encryption", feature = "compression")))]
pub(crate) fn without(feature: &str) -> CodecError {
    CodecError::invalid(format!(
        "it needs the feature `{feature}`, without which this program was built"
    ))
}
