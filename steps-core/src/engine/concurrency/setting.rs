//! What a user may ask for.

use std::{num::NonZero, ops::RangeInclusive, thread::available_parallelism};

/// How many flows for each core: see [`Concurrency::cores`].
const PER_CORE: usize = 16;

/// How many flows run at once in one process, at most.
///
/// A flow that waits for a time or a signal, or between two attempts, is put aside and counts for
/// nothing. What counts is a flow with a step that is running.
///
/// ```
/// use steps::engine::Concurrency;
///
/// // Whatever the machine.
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
    /// Always this many. 0 is taken as 1: an engine that is to run nothing is not started.
    pub const fn fixed(flows: usize) -> Self {
        let flows = if flows == 0 { 1 } else { flows };
        Self {
            min: flows,
            max: flows,
            cpu: 0.0,
        }
    }

    /// Sixteen for each core that this process may use
    /// ([`available_parallelism`]; one where that is not known). This is the default.
    ///
    /// The steps of most flows wait for another machine most of the time. One that computes for a
    /// sixteenth of its time, such as 5 ms for each call of 80 ms, fills the cores at this number;
    /// one that computes less leaves some of them idle, so that a flow that wants more can have it,
    /// while the number of connections that it opens stays within what pools and servers take. Steps
    /// that do nothing but compute want [`fixed`](Self::fixed), with the number of cores; steps that
    /// hardly compute, [`adaptive`](Self::adaptive).
    pub fn cores() -> Self {
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self::fixed(PER_CORE.saturating_mul(cores))
    }

    /// At least the first number and at most the second; between them, as many as keep the load of
    /// the processor below `cpu`, from 0.0, nothing runs, to 1.0, all cores are busy.
    ///
    /// The number grows while it is used up and the load is below the mark, by half in three seconds
    /// at most, and shrinks again when the load is above it, or when fewer are needed. Flows that
    /// run are never cut off: a smaller number means that fewer new ones begin. The load is that of
    /// the whole machine, whoever causes it, and 0.7 is a good mark: it leaves room for what comes
    /// in short bursts.
    ///
    /// The load is read on Linux only. Elsewhere the number stays the first one.
    ///
    /// 0 flows are taken as 1, a second number below the first one as the first, and a mark that is
    /// not from 0.0 to 1.0 as the nearer of these; not-a-number as 0.0, at which nothing grows.
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

    /// The number it begins with, and never goes below.
    pub const fn least(&self) -> usize {
        self.min
    }

    /// The number it never goes above.
    pub const fn most(&self) -> usize {
        self.max
    }

    /// The load that it stays below; none if the number is fixed.
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
