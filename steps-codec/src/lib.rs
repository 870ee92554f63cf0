#![doc = include_str!("../README.md")]
//!
//! # How it works inside
//!
//! An encoded value begins with a byte that says what follows: `1`, the id of the key with its length, a
//! nonce and what AES-256-GCM has made of a flag and the value; or `2` and what zstd has made of the value.
//! The flag says whether the value is compressed. `keys` reads keys, `xaes` encrypts bytes, `compression`
//! compresses them, and `encryption` puts them together.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "compression")]
mod compression;
#[cfg(feature = "encryption")]
mod encryption;
mod form;
#[cfg(feature = "encryption")]
mod keys;
#[cfg(feature = "encryption")]
mod xaes;

#[cfg(feature = "compression")]
pub use compression::Compression;
#[cfg(feature = "encryption")]
pub use encryption::Encryption;
#[cfg(feature = "encryption")]
pub use keys::{Keys, KeysError};
#[doc(inline)]
pub use steps_core::store::codec::{
    Codec, CodecError, CodecStore, Owner, Payload, Place, is_encoded,
};
