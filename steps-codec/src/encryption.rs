//! The codec that encrypts.

use steps_core::store::codec::{Codec, CodecError, Payload, Place};
use zeroize::Zeroizing;

#[cfg(feature = "compression")]
use crate::Compression;
use crate::{
    form::{self, COMPRESSED, ENCRYPTED},
    keys::Keys,
    xaes::NONCE,
};

/// What an encrypted value begins with.
const PLAIN: u8 = 0;
const PRESSED: u8 = 1;

/// Encrypts values with AES-256-GCM.
///
/// Each value has a random nonce of 24 bytes, from which its own key is derived ([XAES-256-GCM]): one key
/// is good for 2⁸⁰ values. Each is bound to its place, the execution, the node and the field, so that one
/// that is put into another place is an error, as is one that was changed. One that is put back into the
/// place where it stood before is not noticed.
///
/// ```
/// # use steps::{Engine, codec::{Encryption, Keys}, prelude::*};
/// # async fn engine() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Keys::from_file("/run/secrets/steps.keys")?;
/// let engine = Engine::open("sqlite:steps.db").await?
///     .codec(Encryption::new(keys))
///     .start().await?;
/// # Ok(())
/// # }
/// ```
///
/// [XAES-256-GCM]: https://c2sp.org/XAES-256-GCM
#[derive(Debug)]
#[must_use = "it does nothing by itself"]
pub struct Encryption {
    keys: Keys,
    encodes: Vec<Payload>,
    context: String,
    refuses_plain: bool,
    #[cfg(feature = "compression")]
    compression: Option<Compression>,
}

impl Encryption {
    /// Encrypts all kinds of values with the newest of these keys.
    pub fn new(keys: Keys) -> Self {
        Self {
            keys,
            encodes: Payload::ALL.to_vec(),
            context: String::new(),
            refuses_plain: false,
            #[cfg(feature = "compression")]
            compression: None,
        }
    }

    /// Encrypts only these kinds of values. Those of the others can be read by all who can read the file,
    /// and queries can look into them.
    pub fn only(mut self, payloads: impl IntoIterator<Item = Payload>) -> Self {
        self.encodes = payloads.into_iter().collect();
        self
    }

    /// Binds values to this text, too: with another one they can't be decrypted. Give each store its own if
    /// several have the same keys, so that a value can't be put from one store into another.
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = context.into();
        self
    }

    /// Refuses values that were not encrypted: for a store that has been encrypted from its beginning, in
    /// which somebody else may write.
    pub fn refuse_plain(mut self) -> Self {
        self.refuses_plain = true;
        self
    }

    /// Compresses values before they are encrypted.
    #[cfg(feature = "compression")]
    pub fn compressed(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// What is authenticated with a value, and not part of it.
    fn associated(&self, key: &str, place: &Place<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.context.as_bytes(), key.as_bytes(), &place.to_bytes()] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }

    fn packed(&self, text: &str) -> Zeroizing<Vec<u8>> {
        #[cfg(feature = "compression")]
        if let Some(bytes) = self.compression.and_then(|it| it.compress(text, true)) {
            return Zeroizing::new([&[PRESSED][..], &*Zeroizing::new(bytes)].concat());
        }
        Zeroizing::new([&[PLAIN][..], text.as_bytes()].concat())
    }

    fn unpacked(&self, bytes: &[u8]) -> Result<String, CodecError> {
        match bytes.split_first() {
            Some((&PLAIN, rest)) => form::text(rest.to_vec()),
            Some((&PRESSED, rest)) => form::text(self.decompressed(rest)?),
            _ => Err(form::unknown()),
        }
    }

    #[cfg(feature = "compression")]
    fn decompressed(&self, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
        self.compression.unwrap_or_default().decompress(bytes)
    }

    #[cfg(not(feature = "compression"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn decompressed(&self, _: &[u8]) -> Result<Vec<u8>, CodecError> {
        Err(form::without("compression"))
    }
}

impl Codec for Encryption {
    fn encodes(&self, payload: Payload) -> bool {
        self.encodes.contains(&payload)
    }

    fn encode(&self, place: &Place<'_>, text: &str) -> Result<Option<Vec<u8>>, CodecError> {
        let (id, cipher) = self.keys.writes();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| {
            CodecError::invalid(format!("the system gives no random numbers: {error}"))
        })?;
        let packed = self.packed(text);
        let encrypted = cipher.encrypt(&nonce, &packed, &self.associated(id, place));
        let encrypted = encrypted.ok_or(CodecError::invalid("it is too long"))?;
        let mut bytes = Vec::with_capacity(2 + id.len() + NONCE + encrypted.len());
        // An id has at most 64 bytes.
        bytes.extend([ENCRYPTED, u8::try_from(id.len()).unwrap_or(u8::MAX)]);
        bytes.extend(id.as_bytes());
        bytes.extend(nonce);
        bytes.extend(encrypted);
        Ok(Some(bytes))
    }

    fn decode(&self, place: &Place<'_>, bytes: &[u8]) -> Result<String, CodecError> {
        let rest = match bytes.split_first() {
            Some((&ENCRYPTED, rest)) => rest,
            Some((&COMPRESSED, _)) if self.refuses_plain && self.encodes(place.payload) => {
                return Err(CodecError::invalid("it is not encrypted, which is refused"));
            }
            Some((&COMPRESSED, rest)) => return form::text(self.decompressed(rest)?),
            _ => return Err(form::unknown()),
        };
        let (id, rest) = form::key_and_rest(rest).ok_or_else(form::unknown)?;
        let Some(cipher) = self.keys.get(id) else {
            let key = id.to_owned();
            return Err(CodecError::UnknownKey { key });
        };
        let (nonce, rest) = rest.split_first_chunk().ok_or_else(form::unknown)?;
        let decrypted = cipher.decrypt(nonce, rest, &self.associated(id, place));
        let decrypted = Zeroizing::new(decrypted.map_err(|_| {
            CodecError::invalid(format!(
                "it is not what was encrypted with the key `{id}` for this place"
            ))
        })?);
        self.unpacked(&decrypted)
    }

    fn takes_plain(&self) -> bool {
        !self.refuses_plain
    }

    /// By the ids of the keys, in whatever order: FNV-1a.
    fn identity(&self) -> u64 {
        let mut ids: Vec<_> = self.keys.ids().collect();
        ids.sort_unstable();
        let bytes = ids.iter().flat_map(|id| id.bytes().chain([b' ']));
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

#[cfg(test)]
mod tests;
