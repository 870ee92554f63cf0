//! Chance, where it only has to spread things: pauses, so that many processes do not do the same at once.

use std::hash::{BuildHasher, Hasher};

/// Returns a number from 0 to 1. The keys that the standard library makes for its hash maps are good enough.
pub(crate) fn chance() -> f64 {
    let keys = std::collections::hash_map::RandomState::new();
    let hash = keys.build_hasher().finish();
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
