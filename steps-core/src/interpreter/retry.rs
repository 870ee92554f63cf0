//! Decides whether another attempt follows a failed one, and when.

use std::{
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use crate::{base::error::StepError, model::policy::Retry};

/// Returns how long to wait before the next attempt, after `failures` failed ones; `None` if no
/// attempt follows.
pub(super) fn pause(retry: Option<&Retry>, error: &StepError, failures: u32) -> Option<Duration> {
    let retry = retry?;
    (error.retry && failures <= retry.times).then(|| retry.pause(failures, chance()))
}

/// Returns a random number between 0 and 1. It need not be unpredictable, so the keys that the
/// standard library makes for its hash maps are good enough.
fn chance() -> f64 {
    let keys = std::collections::hash_map::RandomState::new();
    let hash = keys.build_hasher().finish();
    f64::from(u32::try_from(hash >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
