//! What is limited of a flow over all processes: how many of its executions go on at once, and how many
//! begin in a time.

use std::time::Duration;

/// How many executions of a flow go on at once, and how many begin in a time, over all processes that
/// use the store. The page `concurrency` of the guide tells what counts, and why.
///
/// An execution that goes on has begun and has not ended, whether a step of it runs or it waits. One that
/// a limit leaves out waits in the store, and begins when there is room.
///
/// ```
/// use std::time::Duration;
/// use steps::engine::FlowLimits;
///
/// // Ten at once, two of them for any one tenant, and no more than 100 begin in a minute.
/// let limits = FlowLimits::new()
///     .at_once(10)
///     .per("tenant", 2)
///     .rate(100, Duration::from_secs(60));
/// assert_eq!(limits.to_string(), "10 at once, 2 of a `tenant`, 100 in 60s");
/// assert_eq!(FlowLimits::new().to_string(), "no limit");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it does nothing by itself"]
pub struct FlowLimits {
    /// How many go on at once, at most.
    pub at_once: Option<u32>,
    /// How many of those with one value of a label.
    pub per: Option<PerLabel>,
    /// How many begin in a time.
    pub rate: Option<Rate>,
}

/// How many executions with one value of a label go on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PerLabel {
    /// The name of the label.
    pub label: String,
    /// How many of each value, at most.
    pub at_once: u32,
}

/// How many executions begin in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many.
    pub starts: u32,
    /// In which time.
    pub period: Duration,
    /// How many may begin together, if none did before.
    pub burst: u32,
}

impl FlowLimits {
    /// No limit.
    pub const fn new() -> Self {
        Self {
            at_once: None,
            per: None,
            rate: None,
        }
    }

    /// At most so many go on at once. 0 means 1; to begin none, pause the flow.
    pub const fn at_once(mut self, most: u32) -> Self {
        self.at_once = Some(at_least_one(most));
        self
    }

    /// At most so many of those that have one value of this label go on at once. Those without the label
    /// are not counted, and not held up. 0 means 1.
    pub fn per(mut self, label: impl Into<String>, most: u32) -> Self {
        self.per = Some(PerLabel {
            label: label.into(),
            at_once: at_least_one(most),
        });
        self
    }

    /// At most so many begin in each such time, evenly: 100 in a minute are one every 600 milliseconds.
    /// What would be less than 10 milliseconds apart begins together. 0 means 1, and a time of less than a
    /// millisecond means one.
    pub const fn rate(self, starts: u32, period: Duration) -> Self {
        self.rate_with_burst(starts, period, 1)
    }

    /// The same, and if none began for a while, so many may begin together: in any one `period`,
    /// `starts + burst` at most.
    pub const fn rate_with_burst(mut self, starts: u32, period: Duration, burst: u32) -> Self {
        let shortest = Duration::from_millis(1);
        self.rate = Some(Rate {
            starts: at_least_one(starts),
            period: if period.as_nanos() < shortest.as_nanos() {
                shortest
            } else {
                period
            },
            burst: at_least_one(burst),
        });
        self
    }

    /// Returns whether nothing is limited.
    pub const fn is_none(&self) -> bool {
        self.at_once.is_none() && self.per.is_none() && self.rate.is_none()
    }
}

const fn at_least_one(number: u32) -> u32 {
    if number == 0 { 1 } else { number }
}

impl std::fmt::Display for FlowLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.at_once.map(|most| format!("{most} at once")));
        let per = self.per.as_ref();
        parts.extend(per.map(|per| format!("{} of a `{}`", per.at_once, per.label)));
        parts.extend(self.rate.map(|rate| rate.to_string()));
        match &parts[..] {
            [] => f.write_str("no limit"),
            parts => f.write_str(&parts.join(", ")),
        }
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {:?}", self.starts, self.period)?;
        match self.burst {
            1 => Ok(()),
            burst => write!(f, " and {burst} together"),
        }
    }
}

/// What begins less than this apart begins together: claims are not made more often.
const GRAIN: i64 = 10_000_000;

/// For stores: the generic cell rate algorithm. What is kept is one time, `next`: when the next would
/// begin if all began evenly. All times are nanoseconds since 1970.
impl Rate {
    fn apart(self) -> i64 {
        let period = i64::try_from(self.period.as_nanos()).unwrap_or(i64::MAX);
        // Rounded up: rather too few than too many.
        let starts = i64::from(self.starts);
        (period / starts + i64::from(period % starts > 0)).max(1)
    }

    /// How much before its even time one may begin.
    fn early(self) -> i64 {
        let apart = self.apart();
        let grain = GRAIN / apart;
        let together = i64::from(self.burst).max(grain);
        (together - 1).saturating_mul(apart)
    }

    /// What is kept, as it counts now: no time that has passed, and none that is further away than it can
    /// be unless the clock was set back.
    fn base(self, next: i64, now: i64) -> i64 {
        let furthest = self.early().saturating_add(self.apart());
        if next > now.saturating_add(furthest) {
            now
        } else {
            next.max(now)
        }
    }

    /// Returns how many may begin now.
    pub fn room(self, next: i64, now: i64) -> u32 {
        let left = self.early() - (self.base(next, now) - now);
        if left < 0 {
            return 0;
        }
        u32::try_from(left / self.apart() + 1).unwrap_or(u32::MAX)
    }

    /// Returns what is kept after so many have begun.
    pub fn after(self, next: i64, now: i64, begun: u32) -> i64 {
        let span = self.apart().saturating_mul(i64::from(begun));
        self.base(next, now).saturating_add(span)
    }

    /// Returns when the next may begin.
    pub fn opens(self, next: i64, now: i64) -> i64 {
        (self.base(next, now) - self.early()).max(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn rate(starts: u32, period: Duration, burst: u32) -> Rate {
        let limits = FlowLimits::new().rate_with_burst(starts, period, burst);
        limits.rate.unwrap()
    }

    #[test]
    fn they_begin_evenly() {
        let rate = rate(4, Duration::from_secs(1), 1);
        assert_eq!(rate.room(0, SECOND), 1);
        let next = rate.after(0, SECOND, 1);
        assert_eq!((rate.room(next, SECOND), next), (0, SECOND + SECOND / 4));
        assert_eq!(rate.opens(next, SECOND), next);
        assert_eq!(rate.room(next, next), 1);
    }

    #[test]
    fn a_burst_begins_together_and_fills_again() {
        let rate = rate(1, Duration::from_secs(1), 3);
        assert_eq!(rate.room(0, SECOND), 3);
        let next = rate.after(0, SECOND, 3);
        assert_eq!(rate.room(next, SECOND), 0);
        assert_eq!(rate.opens(next, SECOND), 2 * SECOND);
        assert_eq!(rate.room(next, 2 * SECOND), 1);
        assert_eq!(rate.room(next, 9 * SECOND), 3);
    }

    #[test]
    fn what_is_too_fast_for_claims_begins_together() {
        let rate = rate(10_000, Duration::from_secs(1), 1);
        assert_eq!(rate.room(0, SECOND), 100);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up() {
        let rate = rate(1, Duration::from_mins(1), 1);
        let next = rate.after(0, 1000 * SECOND, 1);
        assert_eq!(rate.room(next, 1000 * SECOND), 0);
        assert_eq!(rate.room(next, 10 * SECOND), 1);
    }

    proptest! {
        /// Whenever it is asked, in any one period no more begin than it says, and all that wait begin.
        #[test]
        fn no_more_begin_than_it_says(
            starts in 1_u32..50, millis in 1_u64..5_000, burst in 1_u32..20,
            pauses in proptest::collection::vec(1_i64..200_000_000, 1..200),
        ) {
            let period = Duration::from_millis(millis);
            let rate = rate(starts, period, burst);
            let (mut next, mut now, mut begun) = (0, SECOND, Vec::new());
            for pause in pauses {
                now += pause;
                let room = rate.room(next, now);
                prop_assert_eq!(room > 0, rate.opens(next, now) == now);
                next = rate.after(next, now, room);
                begun.extend(std::iter::repeat_n(now, room as usize));
                prop_assert_eq!(rate.room(next, now), 0);
            }
            let period = i64::try_from(period.as_nanos()).unwrap();
            let grain = usize::try_from(GRAIN / rate.apart()).unwrap_or(0);
            let most = starts as usize + grain.max(burst as usize);
            for (at, first) in begun.iter().enumerate() {
                let within = begun[at..].iter().take_while(|time| **time - first < period);
                prop_assert!(within.count() <= most);
            }
        }

        #[test]
        fn any_numbers_are_taken(
            starts in any::<u32>(), period in any::<u64>(), burst in any::<u32>(),
            next in any::<i64>(), now in 0..i64::MAX / 2, begun in any::<u32>(),
        ) {
            let rate = rate(starts, Duration::from_millis(period), burst);
            let _ = (rate.room(next, now), rate.after(next, now, begun), rate.opens(next, now));
        }
    }
}
