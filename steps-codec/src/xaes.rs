//! XAES-256-GCM: AES-256-GCM under a key and a nonce that are derived for each message from a random nonce of
//! 24 bytes, as specified at <https://c2sp.org/XAES-256-GCM>.
//!
//! With a nonce of 12 random bytes and one key, AES-GCM may encrypt 2³² messages, which a busy service has
//! written in two days; a counter instead of random bytes would have to be shared by all processes. With 24
//! bytes, a key is good for 2⁸⁰ messages, and the derivation costs three blocks of AES and the schedule of a
//! key.

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
    aes::{Aes256, cipher::BlockCipherEncrypt as _},
};
use zeroize::Zeroizing;

/// The bytes of a nonce.
pub(crate) const NONCE: usize = 24;

/// One key, ready to derive others. It clears its memory when it is dropped.
pub(crate) struct Cipher {
    cipher: Aes256,
    /// The subkey K1 of CMAC.
    subkey: Zeroizing<[u8; 16]>,
}

/// The bytes were not encrypted with this key, nonce and associated data.
#[derive(Debug)]
pub(crate) struct NotOurs;

impl Cipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256::new(key.into());
        let mut block = Zeroizing::new([0; 16]);
        cipher.encrypt_block((&mut *block).into());
        let bits = u128::from_be_bytes(*block);
        // Doubling in GF(2¹²⁸), as CMAC does, without a branch on what is secret.
        let subkey = (bits << 1) ^ ((bits >> 127) * 0x87);
        Self {
            cipher,
            subkey: Zeroizing::new(subkey.to_be_bytes()),
        }
    }

    /// Returns the cipher of one message, and its nonce.
    fn derived(&self, nonce: &[u8; NONCE]) -> (Aes256Gcm, [u8; 12]) {
        let mut key = Zeroizing::new([0; 32]);
        for (half, counter) in key.chunks_mut(16).zip([1, 2]) {
            let mut block = Zeroizing::new([0; 16]);
            block[..4].copy_from_slice(&[0, counter, b'X', 0]);
            block[4..].copy_from_slice(&nonce[..12]);
            for (byte, other) in block.iter_mut().zip(*self.subkey) {
                *byte ^= other;
            }
            self.cipher.encrypt_block((&mut *block).into());
            half.copy_from_slice(&*block);
        }
        let mut rest = [0; 12];
        rest.copy_from_slice(&nonce[12..]);
        (Aes256Gcm::new((&*key).into()), rest)
    }

    /// Encrypts, and returns the bytes with their tag.
    pub(crate) fn encrypt(&self, nonce: &[u8; NONCE], msg: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (cipher, nonce) = self.derived(nonce);
        cipher.encrypt(&nonce.into(), Payload { msg, aad }).ok()
    }

    /// Decrypts bytes with their tag.
    pub(crate) fn decrypt(
        &self,
        nonce: &[u8; NONCE],
        msg: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, NotOurs> {
        let (cipher, nonce) = self.derived(nonce);
        let decrypted = cipher.decrypt(&nonce.into(), Payload { msg, aad });
        decrypted.map_err(|_| NotOurs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the specification, with either value of the top bit in the doubling.
    #[test]
    fn the_vectors_of_the_specification_hold() {
        let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let text = b"XAES-256-GCM";
        for (key, aad, expected) in [
            (
                1,
                &b""[..],
                "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
            ),
            (
                3,
                &b"c2sp.org/XAES-256-GCM"[..],
                "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
            ),
        ] {
            let cipher = Cipher::new(&[key; 32]);
            let bytes = cipher.encrypt(nonce, text, aad).unwrap();
            let byte = |at: usize| u8::from_str_radix(&expected[2 * at..2 * at + 2], 16).unwrap();
            let expected: Vec<u8> = (0..expected.len() / 2).map(byte).collect();
            assert_eq!(bytes, expected);
            assert_eq!(cipher.decrypt(nonce, &bytes, aad).unwrap(), text);
        }
    }

    #[test]
    fn each_changed_bit_is_noticed() {
        let cipher = Cipher::new(&[1; 32]);
        let nonce = [7; NONCE];
        let bytes = cipher.encrypt(&nonce, b"text", b"aad").unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                cipher.decrypt(&nonce, &changed, b"aad").is_err(),
                "bit {bit}"
            );
        }
        for bit in 0..NONCE * 8 {
            let mut changed = nonce;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                cipher.decrypt(&changed, &bytes, b"aad").is_err(),
                "bit {bit}"
            );
        }
        assert!(cipher.decrypt(&nonce, &bytes, b"aae").is_err());
        assert!(cipher.decrypt(&nonce, &bytes[..15], b"aad").is_err());
        assert!(
            Cipher::new(&[2; 32])
                .decrypt(&nonce, &bytes, b"aad")
                .is_err()
        );
    }
}
