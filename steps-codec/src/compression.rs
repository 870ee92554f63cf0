//! zstd, with bounds.

use std::io::Read;

use steps_core::store::codec::{Codec, CodecError, Payload, Place};

use crate::form::{self, COMPRESSED, ENCRYPTED};

/// Compresses values with zstd.
///
/// By itself it is a codec for large values; before an encryption, it is a part of that:
/// `Encryption::compressed`. A value is compressed only if it is at least as long as the
/// [threshold](Self::threshold), and if that makes it shorter in the store.
///
/// The length of what is encrypted shows how well it could be compressed. Where someone who can see the
/// sizes in the file also chooses a part of the values, as in a web form, that can tell them something of
/// the other part: do not compress there.
///
/// ```
/// use steps::codec::Compression;
///
/// let codec = Compression::new().threshold(1024).level(9);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing by itself"]
pub struct Compression {
    level: i32,
    threshold: usize,
    most: usize,
}

impl Default for Compression {
    fn default() -> Self {
        Self::new()
    }
}

impl Compression {
    /// Level 3, for values of at least 512 bytes and at most 64 MiB.
    pub const fn new() -> Self {
        Self {
            level: 3,
            threshold: 512,
            most: 64 << 20,
        }
    }

    /// How hard it tries, from 1 to 22; by default 3. The time that a value takes grows faster than it
    /// shrinks.
    pub const fn level(mut self, level: i32) -> Self {
        self.level = level;
        self
    }

    /// From how many bytes on a value is compressed; by default 512.
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// How many bytes a value may have; by default 64 MiB. A larger one is saved as it is, and what would
    /// become larger when it is read is [refused](CodecError::Invalid), before there is memory for it: so
    /// that nobody who can write to the file can make the service use it up.
    pub const fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Returns the compressed bytes, if they are worth it: if they are shorter even as base64, which they
    /// are anyway before an encryption.
    pub(crate) fn compress(&self, text: &str, is_base64_anyway: bool) -> Option<Vec<u8>> {
        if text.len() < self.threshold || text.len() > self.most {
            return None;
        }
        // Levels that zstd does not know are brought to the next that it knows.
        let bytes = zstd::bulk::compress(text.as_bytes(), self.level).ok()?;
        let length = if is_base64_anyway {
            bytes.len()
        } else {
            bytes.len() / 3 * 4 + 16
        };
        (length < text.len()).then_some(bytes)
    }

    /// Returns the bytes that were compressed.
    pub(crate) fn decompress(&self, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
        let invalid = |error| CodecError::invalid(format!("it can't be decompressed: {error}"));
        let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(invalid)?;
        // What a frame asks for as its window is allocated.
        decoder.window_log_max(27).map_err(invalid)?;
        let most = u64::try_from(self.most).unwrap_or(u64::MAX);
        let mut all = Vec::new();
        let read = decoder.take(most.saturating_add(1)).read_to_end(&mut all);
        read.map_err(invalid)?;
        if all.len() > self.most {
            return Err(CodecError::invalid(format!(
                "decompressed, it has more than the {} bytes that `Compression::most` allows",
                self.most
            )));
        }
        Ok(all)
    }
}

/// Attributes, notes and errors are not compressed, so that queries can look into them.
impl Codec for Compression {
    fn encodes(&self, payload: Payload) -> bool {
        !matches!(payload, Payload::Attr | Payload::Note | Payload::Error)
    }

    fn encode(&self, _: &Place<'_>, text: &str) -> Result<Option<Vec<u8>>, CodecError> {
        Ok(self.compress(text, false).map(|mut bytes| {
            bytes.insert(0, COMPRESSED);
            bytes
        }))
    }

    fn decode(&self, _: &Place<'_>, bytes: &[u8]) -> Result<String, CodecError> {
        match bytes.split_first() {
            Some((&COMPRESSED, rest)) => form::text(self.decompress(rest)?),
            Some((&ENCRYPTED, rest)) => {
                let (key, _) = form::key_and_rest(rest).ok_or_else(form::unknown)?;
                let key = key.to_owned();
                Err(CodecError::UnknownKey { key })
            }
            _ => Err(form::unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_worth_it_is_compressed() {
        let compression = Compression::new();
        assert_eq!(compression.compress(&"a".repeat(511), false), None);
        let long = "abc".repeat(1000);
        let bytes = compression.compress(&long, false).unwrap();
        assert!(bytes.len() < 100);
        assert_eq!(compression.decompress(&bytes).unwrap(), long.as_bytes());
        let all: String = (0..u8::MAX).map(|n| char::from(n % 95 + 32)).collect();
        let dense = compression.threshold(0).compress(&all[..20], true);
        assert_eq!(dense, None);
        let small = compression.most(100);
        assert_eq!(small.compress(&long, false), None);
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; 100 << 20], 19).unwrap();
        assert!(bomb.len() < 20_000);
        let error = Compression::new().decompress(&bomb).unwrap_err();
        assert!(
            error.to_string().contains("more than the 67108864 bytes"),
            "{error}"
        );
        let all = Compression::new()
            .most(100 << 20)
            .decompress(&bomb)
            .unwrap();
        assert_eq!(all.len(), 100 << 20);
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        let whole = Compression::new()
            .compress(&"abc".repeat(1000), false)
            .unwrap();
        for bytes in [
            b"".as_slice(),
            b"abc",
            &whole[..whole.len() - 1],
            &whole[1..],
        ] {
            let read = Compression::new().decompress(bytes);
            assert!(read.is_err() || bytes.is_empty(), "{bytes:?}");
        }
    }
}
