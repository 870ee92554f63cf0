//! Decides whether another attempt follows a failed one, and when.

use std::time::Duration;

use crate::{
    base::{chance::chance, error::StepError},
    model::policy::Retry,
};

/// Returns how long to wait before the next attempt, after `failures` failed ones; `None` if no
/// attempt follows.
pub(super) fn pause(retry: Option<&Retry>, error: &StepError, failures: u32) -> Option<Duration> {
    let retry = retry?;
    (error.retry && failures <= retry.times).then(|| retry.pause(failures, chance()))
}
