//! The public setting: how many flows may run at once.

use std::{num::NonZero, ops::RangeInclusive, thread::available_parallelism};

/// How many flows run for each core: see [`Concurrency::cores`].
const PER_CORE: usize = 16;

/// The most flows that run at once in one process.
///
/// A flow that waits for a time or a signal, or between two attempts, does not count. Only flows
/// with a running step count.
///
/// ```
/// use steps::engine::Concurrency;
///
/// // The same number on every machine.
/// let fixed = Concurrency::fixed(100);
/// // Sixteen for each core; the same as `Concurrency::default()`.
/// let cores = Concurrency::cores();
/// // 64, and up to 2000 while less than 70 % of the processor is in use.
/// let adaptive = Concurrency::adaptive(64..=2000, 0.7);
///
/// assert_eq!((fixed.least(), fixed.most()), (100, 100));
/// assert_eq!(cores, Concurrency::default());
/// assert_eq!((adaptive.least(), adaptive.most()), (64, 2000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concurrency {
    min: usize,
    max: usize,
    cpu: f64,
}

impl Concurrency {
    /// Always this many. 0 means 1, because an engine that runs nothing would be useless.
    pub const fn fixed(flows: usize) -> Self {
        let flows = if flows == 0 { 1 } else { flows };
        Self {
            min: flows,
            max: flows,
            cpu: 0.0,
        }
    }

    /// Sixteen for each core that this process may use ([`available_parallelism`]; one core if that
    /// is unknown). This is the default.
    ///
    /// The steps of most flows wait for another machine most of the time. Flows that compute for a
    /// sixteenth of their time, such as 5 ms for each call of 80 ms, fill the cores at this number.
    /// Flows that compute less leave some cores idle for other flows, and the number of open
    /// connections stays within what pools and servers accept. For steps that only compute, use
    /// [`fixed`](Self::fixed) with the number of cores; for steps that hardly compute, use
    /// [`adaptive`](Self::adaptive).
    pub fn cores() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self::fixed(PER_CORE.saturating_mul(cores))
    }

    /// At least the first number and at most the second; between them, as many as keep the load of
    /// the processor below `cpu`, from 0.0 (nothing runs) to 1.0 (all cores are busy).
    ///
    /// The number grows while it is fully used and the load is below the mark, by at most half in
    /// three seconds. It shrinks when the load is above the mark, or when fewer are needed. Running
    /// flows are never aborted: a smaller number means that fewer new ones begin. The load is that
    /// of the whole machine, including other programs. 0.7 is a good mark: it leaves room for short
    /// bursts.
    ///
    /// The load is read on Linux only. On other systems the number stays the first one.
    ///
    /// 0 flows mean 1, a second number below the first one means the first, and a mark outside 0.0
    /// to 1.0 means the nearer of the two; not-a-number means 0.0, at which nothing grows.
    pub fn adaptive(flows: RangeInclusive<usize>, cpu: f64) -> Self {
        let min = (*flows.start()).max(1);
        Self {
            min,
            max: (*flows.end()).max(min),
            cpu: if cpu.is_nan() {
                0.0
            } else {
                cpu.clamp(0.0, 1.0)
            },
        }
    }

    /// Returns the number at which it begins, and which is also the minimum.
    pub const fn least(&self) -> usize {
        self.min
    }

    /// Returns the maximum.
    pub const fn most(&self) -> usize {
        self.max
    }

    /// Returns the load to stay below; `None` if the number is fixed.
    pub fn cpu(&self) -> Option<f64> {
        (self.min < self.max).then_some(self.cpu)
    }
}

impl Default for Concurrency {
    /// [`Concurrency::cores`].
    fn default() -> Self {
        Self::cores()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_taken_as_the_nearest_that_does() {
        let numbers = |c: Concurrency| (c.least(), c.most(), c.cpu());
        assert_eq!(numbers(Concurrency::fixed(0)), (1, 1, None));
        let adaptive = |range, cpu| numbers(Concurrency::adaptive(range, cpu));
        assert_eq!(adaptive(0..=0, 0.5), (1, 1, None));
        #[expect(clippy::reversed_empty_ranges, reason = "it is what is tested")]
        let reversed = adaptive(9..=3, 0.5);
        assert_eq!(reversed, (9, 9, None));
        assert_eq!(adaptive(1..=2, 7.0), (1, 2, Some(1.0)));
        assert_eq!(adaptive(1..=2, -1.0), (1, 2, Some(0.0)));
        assert_eq!(adaptive(1..=2, f64::NAN), (1, 2, Some(0.0)));
    }

    #[test]
    fn the_default_is_a_multiple_of_the_cores() {
        let default = Concurrency::default();
        assert!(default.least() >= PER_CORE && default.least().is_multiple_of(PER_CORE));
        assert_eq!(default.cpu(), None);
    }
}
