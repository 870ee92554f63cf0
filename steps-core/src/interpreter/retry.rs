//! Whether another attempt follows one that failed, and when.

use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use crate::{base::error::StepError, model::policy::Retry};

/// How long to wait before the next attempt, after `failures` of them; `None` if none follows.
pub(super) fn pause(retry: Option<&Retry>, error: &StepError, failures: usize) -> Option<Duration> {
    let retry = retry?;
    let failures = u32::try_from(failures).unwrap_or(u32::MAX);
    (error.retry && failures <= retry.times).then(|| retry.pause(failures, chance()))
}

/// A random number in 0..1. What it decides need not be unpredictable, so the keys that the standard
/// library makes for its hash maps will do.
fn chance() -> f64 {
    let keys = std::collections::hash_map::RandomState::new();
    let hash = keys.build_hasher().finish();
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
