//! The rule by which a bound follows the load of the processor. It knows no clock and no system:
//! it is told what was measured, and when.
//!
//! * **It decides on a window, not a moment.** Loads are averaged over [`WINDOW`], and a window
//!   begins anew after each decision, so that each is made on what the one before it led to.
//! * **It grows what is used up**: while nearly all of the bound was taken at some time of the
//!   window, and the load was clearly below the mark.
//! * **It steps in proportion.** Where `n` flows make a load `l`, the mark `m` is reached with
//!   `n · m / l`, if nothing else runs on the machine. If something does, that is a step in the right
//!   direction which stops short of the mark, from above as from below: so it comes nearer with each
//!   window and never swings.
//! * **Between [`CALM`] of the mark and the mark it does nothing**, as loads are never exact.
//! * **It shrinks what has no effect**: above the mark it counts from what was taken, not from the
//!   bound; and while more is taken than a smaller bound allows, as flows are not cut off, it waits
//!   and does not go on shrinking.
//! * **It gives back what is not needed**, by an eighth in each window in which a quarter of the
//!   bound was free all the time: what was right for last night's load is found anew.

use std::time::{Duration, Instant};

use super::Concurrency;

/// Over how long a load is averaged before a decision.
const WINDOW: Duration = Duration::from_secs(3);
/// The part of the mark from which on the bound does not grow.
const CALM: f64 = 0.9;
/// The most that a bound is multiplied by in one step.
const GROWTH: f64 = 1.5;
/// The least that it is multiplied by.
const SHRINKAGE: f64 = 0.5;

/// Says how many flows may run at once.
#[derive(Debug)]
pub(super) struct Controller {
    min: usize,
    max: usize,
    mark: f64,
    limit: usize,
    window: Option<Window>,
}

/// What was measured since the last decision.
#[derive(Debug)]
struct Window {
    since: Instant,
    loads: f64,
    count: u32,
    most_busy: usize,
}

impl Controller {
    /// At the least number of `concurrency`.
    pub(super) fn new(concurrency: Concurrency) -> Self {
        Self {
            min: concurrency.least(),
            max: concurrency.most(),
            mark: concurrency.cpu().unwrap_or(0.0),
            limit: concurrency.least(),
            window: None,
        }
    }

    /// How many flows may run from now on, after `busy` were found running, and a `load` from 0.0
    /// to 1.0 since the call before. The first call begins the first window.
    pub(super) fn step(&mut self, busy: usize, load: f64, now: Instant) -> usize {
        let Some(window) = &mut self.window else {
            self.window = Some(Window::new(now));
            return self.limit;
        };
        window.loads += load;
        window.count += 1;
        window.most_busy = window.most_busy.max(busy);
        if now.saturating_duration_since(window.since) >= WINDOW {
            let (most, load) = (window.most_busy, window.loads / f64::from(window.count));
            self.limit = self.decide(most, busy, load).clamp(self.min, self.max);
            self.window = Some(Window::new(now));
        }
        self.limit
    }

    /// The bound after a window in which at most `most` ran, and `busy` at its end.
    fn decide(&self, most: usize, busy: usize, load: f64) -> usize {
        let (limit, mark) = (self.limit, self.mark);
        if load > mark {
            if busy > limit {
                // What was decided has no effect yet.
                return limit;
            }
            let from = limit.min(most);
            return scaled(from, (mark / load).max(SHRINKAGE)).min(limit);
        }
        if most >= limit - limit / 8 {
            if load < mark * CALM {
                let factor = if load > 0.0 { mark / load } else { GROWTH };
                return scaled(limit, factor.min(GROWTH)).max(limit + 1);
            }
        } else if most < limit - limit / 4 {
            return limit - limit.div_ceil(8);
        }
        limit
    }
}

impl Window {
    fn new(since: Instant) -> Self {
        Self {
            since,
            loads: 0.0,
            count: 0,
            most_busy: 0,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of flows is far below 2^52, and what is beyond is cut to the bounds"
)]
fn scaled(flows: usize, factor: f64) -> usize {
    (flows as f64 * factor).floor() as usize
}

#[cfg(test)]
mod tests;
