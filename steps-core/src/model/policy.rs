//! How often a step is tried, how long an attempt may take, and how often a step polls.
//!
//! A policy is written as options of `#[step(…)]` and `#[undo(…)]`. A `#[step(…)]` on a line of a
//! flow overrides the function's options, one by one. Programs don't construct these values; they
//! are public to document the options.
//!
//! | option | means | default |
//! |---|---|---|
//! | `retry(times, every, backoff, max, jitter, when)` | [`Retry`]: tries again after an error | no retry |
//! | `timeout = "30s"` | the time limit of an attempt; after it the attempt is dropped and fails | none |
//! | `poll(every, times)` | [`Poll`]: asks again after a "not yet" | the step does not poll |
//!
//! Durations are text that is checked when the program is compiled: numbers with a unit of `ns`,
//! `us`, `ms`, `s`, `m` or `h`, such as `"200ms"`, `"1.5s"` or `"1h30m"`.

use std::time::Duration;

/// How a function is retried, timed and polled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Policy {
    /// Retries after a failed attempt.
    pub retry: Option<Retry>,
    /// The longest time that one attempt may take. An attempt that takes longer is dropped at its
    /// next `await`, and fails with "timed out after …"; `retry` applies to this error like to any
    /// other. The thread of a `blocking` function can't be dropped: it continues, and its result is
    /// lost.
    pub timeout: Option<Duration>,
    /// Polling: asking again after a "not yet".
    pub poll: Option<Poll>,
}

impl Policy {
    /// A single attempt without a time limit.
    pub const NONE: Self = Self {
        retry: None,
        timeout: None,
        poll: None,
    };

    pub(crate) const fn overridden_by(mut self, over: Self) -> Self {
        if over.retry.is_some() {
            self.retry = over.retry;
        }
        if over.timeout.is_some() {
            self.timeout = over.timeout;
        }
        if over.poll.is_some() {
            self.poll = over.poll;
        }
        self
    }
}

/// `retry(times, every, backoff, max, jitter)`: what follows a failed attempt.
///
/// The pause after the *n*-th failure is
///
/// ```text
/// pause = min(every × backoff^(n − 1), max) × (1 + jitter × (2r − 1))
/// ```
///
/// where *r* is a random number from 0 to 1, drawn for each pause. So `max` limits the pause before
/// jitter, and a `jitter` of 0.2 spreads it evenly from 20 % less to 20 % more.
///
/// `when = fn(&E) -> bool`, the last option, is not part of this value: an error for which it
/// returns `false` is not retried. Panics and timeouts are retried regardless of `when`.
///
/// ```
/// use std::time::Duration;
/// use steps::policy::Retry;
///
/// // retry(times = 5, every = "200ms", backoff = 2.0, max = "1s")
/// let retry = Retry {
///     times: 5,
///     every: Duration::from_millis(200),
///     backoff: 2.0,
///     max: Some(Duration::from_secs(1)),
///     jitter: 0.0,
/// };
/// let pauses = [1, 2, 3, 4, 5].map(|failures| retry.pause(failures, 0.5).as_millis());
/// assert_eq!(pauses, [200, 400, 800, 1000, 1000]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How many more attempts may follow the first: `times = 5` allows 6 at most. It is required,
    /// and must be at least 1.
    pub times: u32,
    /// The pause after the first failure; 1 s by default.
    pub every: Duration,
    /// The factor from one pause to the next; 1.0 by default, which means no growth.
    pub backoff: f64,
    /// The longest pause before jitter; no limit by default.
    pub max: Option<Duration>,
    /// The share of the pause, from 0 to 1, by which it may be lengthened or shortened at random; 0
    /// by default.
    pub jitter: f64,
}

impl Retry {
    /// Returns the pause after the given number of failures, counted from 1. `chance` is the *r* of
    /// the formula.
    pub fn pause(&self, failures: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let plain = self.every.as_secs_f64() * self.backoff.powi(exponent);
        let most = self.max.map_or(f64::INFINITY, |max| max.as_secs_f64());
        let seconds = plain.min(most) * (1.0 + self.jitter * (2.0 * chance - 1.0));
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST)
    }
}

/// The longest pause between two attempts: a century, less than the range of any clock.
const LONGEST: Duration = Duration::from_hours(876_000);

/// `poll(every, times)`: what follows a "not yet", which is an `Ok(None)`.
///
/// A step with this option returns `Result<Option<T>, E>`, and its output is the `T`. An error does
/// not count as a "not yet": it fails the step, unless `retry` applies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poll {
    /// The pause after a "not yet". It is required.
    pub every: Duration,
    /// The total number of attempts, including the first. The step fails when none is left. 0, the
    /// default, means no limit.
    pub times: u32,
}
