//! How often a step is tried, how long it may take, how often it is asked again.
//!
//! A policy is written as options of `#[step(…)]` and `#[undo(…)]`, and as `#[step(…)]` on a line of
//! a flow, which overrides the function's, option by option. Nobody makes these values by hand;
//! they are public to say what the options mean.
//!
//! | option | means | default |
//! |---|---|---|
//! | `retry(times, every, backoff, max, jitter, when)` | [`Retry`]: tries again after an error | no retry |
//! | `timeout = "30s"` | the longest one attempt may take; then it is dropped, and has failed | none |
//! | `poll(every, times)` | [`Poll`]: asks again after a "not yet" | the step does not poll |
//!
//! Durations are text that is checked when the program is compiled: numbers with a unit of `ns`,
//! `us`, `ms`, `s`, `m` or `h`, such as `"200ms"`, `"1.5s"` or `"1h30m"`.

use std::time::Duration;

/// How a function is tried, timed and polled.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Policy {
    /// Tries after a failure.
    pub retry: Option<Retry>,
    /// The longest that one attempt may take. An attempt that takes longer is dropped at its next
    /// `await`, and has failed with "timed out after …"; `retry` applies to it like to any error.
    /// The thread of a `blocking` function can't be dropped: it runs on, and its result is lost.
    pub timeout: Option<Duration>,
    /// Asking again after a "not yet".
    pub poll: Option<Poll>,
}

impl Policy {
    /// One attempt, as long as it takes.
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
/// where *r* is a random number from 0 to 1, drawn anew for each pause. So `max` bounds the pause
/// before the jitter, and a `jitter` of 0.2 spreads it evenly from 20 % less to 20 % more.
///
/// `when = fn(&E) -> bool`, the last option, is not part of this value: an error for which it says
/// no is not tried again. A panic and a timeout are tried again whatever it says.
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
    /// How many more attempts may follow the first: `times = 5` makes 6 at most. It must be
    /// given, and be 1 or more.
    pub times: u32,
    /// The pause after the first failure; 1 s by default.
    pub every: Duration,
    /// What each further pause is multiplied with; 1.0 by default, which is no growth.
    pub backoff: f64,
    /// The longest pause, before jitter; none by default.
    pub max: Option<Duration>,
    /// The share of the pause, 0 to 1, by which chance may lengthen or shorten it; 0 by default.
    pub jitter: f64,
}

impl Retry {
    /// The pause after this many failures, the first being 1. `chance` is the *r* of the formula.
    pub fn pause(&self, failures: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let plain = self.every.as_secs_f64() * self.backoff.powi(exponent);
        let most = self.max.map_or(f64::INFINITY, |max| max.as_secs_f64());
        let seconds = plain.min(most) * (1.0 + self.jitter * (2.0 * chance - 1.0));
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST)
    }
}

/// The longest pause between two attempts: a century, less than any clock's end.
const LONGEST: Duration = Duration::from_hours(876_000);

/// `poll(every, times)`: what follows a "not yet", which is an `Ok(None)`.
///
/// A step with this option returns `Result<Option<T>, E>`, and its output is the `T`. An error is
/// no "not yet": it fails the step, unless `retry` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poll {
    /// The pause after a "not yet". It must be given.
    pub every: Duration,
    /// How many attempts there are in all, the first counted; when none is left, the step has
    /// failed. 0, the default, is no limit.
    pub times: u32,
}
