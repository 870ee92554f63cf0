//! Many lengths of time, in bounded memory: all of them while they are few, and then how many are in
//! which of the ranges that divide each doubling into 32 parts.

use std::{collections::BTreeMap, time::Duration};

use super::Quantiles;

/// As long as there are no more, each is kept.
const EXACT: usize = 4096;
/// Each doubling is divided into 2 to the power of this.
const PARTS: u32 = 5;

#[derive(Clone, Debug)]
enum Kept {
    All(Vec<u64>),
    /// How many are in which range, by its number.
    Ranges(BTreeMap<u32, u64>),
}

/// Lengths of time, of which quantiles are asked for.
#[derive(Clone, Debug)]
pub(super) struct Times {
    kept: Kept,
    count: u64,
    sum: u128,
    longest: u64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            kept: Kept::All(Vec::new()),
            count: 0,
            sum: 0,
            longest: 0,
        }
    }
}

impl Times {
    pub(super) fn add(&mut self, nanos: u64) {
        self.count += 1;
        self.sum += u128::from(nanos);
        self.longest = self.longest.max(nanos);
        match &mut self.kept {
            Kept::Ranges(ranges) => *ranges.entry(range_of(nanos)).or_default() += 1,
            Kept::All(all) if all.len() < EXACT => all.push(nanos),
            Kept::All(all) => {
                let mut ranges = BTreeMap::new();
                for nanos in all.iter().copied().chain([nanos]) {
                    *ranges.entry(range_of(nanos)).or_default() += 1;
                }
                self.kept = Kept::Ranges(ranges);
            }
        }
    }

    pub(super) fn quantiles(mut self) -> Option<Quantiles> {
        if self.count == 0 {
            return None;
        }
        if let Kept::All(all) = &mut self.kept {
            all.sort_unstable();
        }
        let mean = u64::try_from(self.sum / u128::from(self.count)).unwrap_or(u64::MAX);
        Some(Quantiles {
            count: self.count,
            p50: self.at(50),
            p90: self.at(90),
            p99: self.at(99),
            longest: Duration::from_nanos(self.longest),
            mean: Duration::from_nanos(mean),
        })
    }

    /// The least length that so many per cent do not exceed.
    fn at(&self, per_cent: u64) -> Duration {
        let rank = (self.count * per_cent).div_ceil(100).max(1);
        let nanos = match &self.kept {
            Kept::All(all) => usize::try_from(rank - 1)
                .ok()
                .and_then(|i| all.get(i).copied()),
            Kept::Ranges(ranges) => {
                let mut before = 0;
                let range = ranges.iter().find(|(_, count)| {
                    before += **count;
                    before >= rank
                });
                range.map(|(range, _)| middle_of(*range))
            }
        };
        Duration::from_nanos(nanos.unwrap_or(self.longest).min(self.longest))
    }
}

fn range_of(nanos: u64) -> u32 {
    let parts = 1 << PARTS;
    if nanos < parts {
        return u32::try_from(nanos).unwrap_or_default();
    }
    let doubling = nanos.ilog2() - PARTS;
    let part = u32::try_from((nanos >> doubling) - parts).unwrap_or_default();
    ((doubling + 1) << PARTS) + part
}

fn middle_of(range: u32) -> u64 {
    let parts = 1_u64 << PARTS;
    let Some(doubling) = (range >> PARTS).checked_sub(1) else {
        return u64::from(range);
    };
    let part = u64::from(range) & (parts - 1);
    ((parts + part) << doubling) + ((1 << doubling) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_are_exact() {
        let mut times = Times::default();
        for n in (1..=100).rev() {
            times.add(n * 1000);
        }
        let all = times.quantiles().unwrap();
        let micros = Duration::from_micros;
        assert_eq!((all.p50, all.p90), (micros(50), micros(90)));
        assert_eq!((all.p99, all.longest), (micros(99), micros(100)));
        assert_eq!((all.mean.as_nanos(), all.count), (50_500, 100));
        assert_eq!(Times::default().quantiles(), None);
    }

    #[test]
    fn many_are_within_their_range() {
        let mut times = Times::default();
        for n in 0..100_000_u64 {
            times.add(n * 7919 % 100_000 * 1000 + 1);
        }
        let all = times.quantiles().unwrap();
        for (found, expected) in [(all.p50, 50_000), (all.p90, 90_000), (all.p99, 99_000)] {
            let expected = Duration::from_micros(expected);
            assert!(
                found.abs_diff(expected) <= expected / 64,
                "{found:?} {expected:?}"
            );
        }
    }

    proptest! {
        /// The error that the guide states.
        #[test]
        fn a_range_is_a_64th_wide_from_its_middle(nanos in any::<u64>(), shift in 0..64_u32) {
            let nanos = nanos >> shift;
            let middle = middle_of(range_of(nanos));
            prop_assert!(middle.abs_diff(nanos) <= nanos / 64, "{nanos} {middle}");
        }
    }
}
