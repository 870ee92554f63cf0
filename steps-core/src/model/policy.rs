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
//! | `deaths = 5` | how many attempts in a row may end with the [death of their process](Policy::deaths), in an engine | 5 |
//!
//! Durations are text that is checked when the program is compiled: numbers with a unit of `ns`,
//! `us`, `ms`, `s`, `m`, `h` or `d`, such as `"200ms"`, `"1.5s"`, `"1h30m"` or `"7d"`.

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
    /// How many attempts in a row may end because their process died. By default the engine's
    /// [limit](crate::RunLimits::deaths), 5. Then the step has failed with "its process died 5 times", and is
    /// not tried again: its `#[verify]` is asked, and what was done is undone. With 1, a step that
    /// was cut off does not run again by itself. Only an engine counts deaths: it finds a lease that
    /// was not given back.
    pub deaths: Option<u32>,
}

impl Policy {
    /// A single attempt without a time limit.
    pub const NONE: Self = Self {
        retry: None,
        timeout: None,
        poll: None,
        deaths: None,
    };

    /// Returns whether no further attempt follows after this many deaths in a row, where the limit
    /// is this one if the policy does not say.
    pub(crate) fn dies(&self, deaths: u32, limit: u32) -> bool {
        deaths >= self.deaths.unwrap_or(limit).max(1)
    }

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
        if over.deaths.is_some() {
            self.deaths = over.deaths;
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
/// jitter, and a `jitter` of 0.2 spreads it evenly from 20 % less to 20 % more. No pause is longer
/// than a century, and if `every` is zero, so is each pause.
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
    /// The factor from one pause to the next; 1.0 by default, which means no growth. NaN and what is
    /// less than 0 count as 1.0.
    pub backoff: f64,
    /// The longest pause before jitter; no limit by default.
    pub max: Option<Duration>,
    /// The share of the pause, from 0 to 1, by which it may be lengthened or shortened at random; 0
    /// by default. What is outside of that counts as the nearer end, and NaN as 0.
    pub jitter: f64,
}

impl Retry {
    /// Returns the pause after the given number of failures, counted from 1. `chance` is the *r* of
    /// the formula.
    pub fn pause(&self, failures: u32, chance: f64) -> Duration {
        let most = self.max.map_or(LONGEST, |max| max.min(LONGEST));
        let plain = times(self.every, self.growth(failures)).min(most);
        let spread = unit(self.jitter, 0.0) * (2.0 * unit(chance, 0.5) - 1.0);
        times(plain, 1.0 + spread)
    }

    /// `backoff^(failures − 1)`: 0 or more, and perhaps infinite.
    fn growth(&self, failures: u32) -> f64 {
        if self.backoff >= 0.0 {
            let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
            self.backoff.powi(exponent)
        } else {
            1.0
        }
    }
}

/// Returns the number held within 0 to 1, or `otherwise` if it is NaN.
fn unit(number: f64, otherwise: f64) -> f64 {
    if number.is_nan() {
        otherwise
    } else {
        number.clamp(0.0, 1.0)
    }
}

/// Returns a multiple of a span, up to [`LONGEST`]. The factor is 0 or more; a span of zero stays
/// zero, even if the factor is infinite.
fn times(span: Duration, factor: f64) -> Duration {
    // Just as it is, which a number of seconds need not be.
    let is_same = (factor - 1.0).abs() < f64::EPSILON;
    if span.is_zero() || is_same {
        return span.min(LONGEST);
    }
    let product = Duration::try_from_secs_f64(span.as_secs_f64() * factor);
    let product = product.unwrap_or(LONGEST).min(LONGEST);
    // Whatever was lost by counting in seconds.
    if factor > 1.0 {
        product.max(span.min(LONGEST))
    } else {
        product.min(span)
    }
}

/// The longest pause between two attempts: a century, less than the range of any clock.
const LONGEST: Duration = Duration::from_hours(876_000);

/// `poll(every, times, within)`: what follows a "not yet", which is an `Ok(None)`.
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
    /// How long after its beginning the step must be ready, by the clock: its deadline. By default there
    /// is none.
    pub within: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    const EACH: Retry = Retry {
        times: u32::MAX,
        every: Duration::from_secs(1),
        backoff: 1.0,
        max: None,
        jitter: 0.0,
    };

    /// Any number, with those that arithmetic stumbles over.
    fn number() -> impl Strategy<Value = f64> {
        let ends = [
            0.0,
            -0.0,
            1.0,
            2.0,
            0.5,
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ]
        .into_iter()
        .chain([f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::EPSILON]);
        prop_oneof![select(ends.collect::<Vec<_>>()), any::<f64>(), 0.0..4.0]
    }

    fn span() -> impl Strategy<Value = Duration> {
        let ends = [
            Duration::ZERO,
            Duration::from_nanos(1),
            LONGEST,
            Duration::MAX,
        ];
        prop_oneof![
            select(ends.to_vec()),
            any::<u64>().prop_map(Duration::from_nanos),
            (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(s, nanos)| Duration::new(s, nanos)),
        ]
    }

    fn failures() -> impl Strategy<Value = u32> {
        prop_oneof![
            select(vec![0, 1, 2, 1024, 1025, u32::MAX]),
            any::<u32>(),
            1..100_u32
        ]
    }

    fn retry() -> impl Strategy<Value = Retry> {
        (
            any::<u32>(),
            span(),
            number(),
            proptest::option::of(span()),
            number(),
        )
            .prop_map(|(times, every, backoff, max, jitter)| Retry {
                times,
                every,
                backoff,
                max,
                jitter,
            })
    }

    #[test]
    fn retry_zero_backoff() {
        for max in [None, Some(Duration::from_mins(1))] {
            let retry = Retry {
                every: Duration::ZERO,
                backoff: 2.0,
                max,
                ..EACH
            };
            let pauses = [1, 2, 1024, 1025, u32::MAX].map(|n| retry.pause(n, 0.5));
            assert_eq!(pauses, [Duration::ZERO; 5]);
        }
    }

    #[test]
    fn a_pause_that_shrinks_comes_to_nothing() {
        let retry = Retry {
            backoff: 0.5,
            ..EACH
        };
        assert_eq!(retry.pause(2, 0.5), Duration::from_millis(500));
        assert_eq!(retry.pause(u32::MAX, 0.5), Duration::ZERO);
        let once = Retry {
            backoff: 0.0,
            ..EACH
        };
        assert_eq!(
            [1, 2].map(|n| once.pause(n, 0.5)),
            [Duration::from_secs(1), Duration::ZERO]
        );
    }

    proptest! {
        #[test]
        fn every_pause_is_within_its_bounds(retry in retry(), n in failures(), chance in number()) {
            let pause = retry.pause(n, chance);
            let most = retry.max.map_or(LONGEST, |max| max.min(LONGEST));
            // With what was lost by counting in seconds.
            let twice = 2 * most + Duration::from_micros(1);
            prop_assert!(pause <= LONGEST.min(twice));
            if retry.every.is_zero() || most.is_zero() {
                prop_assert_eq!(pause, Duration::ZERO);
            }
        }

        #[test]
        fn without_jitter_chance_changes_nothing(
            retry in retry(), n in failures(), a in number(), b in number(),
        ) {
            let retry = Retry { jitter: 0.0, ..retry };
            prop_assert_eq!(retry.pause(n, a), retry.pause(n, b));
            prop_assert!(retry.max.is_none_or(|max| retry.pause(n, a) <= max));
        }

        #[test]
        fn without_growth_each_pause_is_the_same(retry in retry(), n in failures()) {
            let most = retry.max.map_or(LONGEST, |max| max.min(LONGEST));
            for backoff in [1.0, f64::NAN, -2.0] {
                let retry = Retry { backoff, jitter: 0.0, ..retry };
                prop_assert_eq!(retry.pause(n, 0.5), retry.every.min(most));
            }
        }

        #[test]
        fn a_pause_that_grows_never_shrinks(
            retry in retry(), backoff in 1.0..1e9, n in failures(), more in failures(),
        ) {
            let retry = Retry { backoff, jitter: 0.0, ..retry };
            prop_assert!(retry.pause(n, 0.5) <= retry.pause(n.saturating_add(more), 0.5));
        }

        #[test]
        fn jitter_spreads_to_both_sides(retry in retry(), n in failures()) {
            let plain = Retry { jitter: 0.0, ..retry }.pause(n, 0.5);
            prop_assert!(retry.pause(n, 0.0) <= plain);
            prop_assert!(retry.pause(n, 1.0) >= plain);
        }
    }
}
