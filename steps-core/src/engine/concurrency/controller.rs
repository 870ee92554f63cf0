//! The rule by which a bound follows the load of the processor. It reads no clock and no system;
//! the caller passes the measurements and their time.
//!
//! * **It decides once per window.** Loads are averaged over [`WINDOW`], and each decision begins a
//!   new window, so that each decision is based on the effect of the previous one.
//! * **It grows only if needed**: if nearly all of the bound was in use at some time in the window,
//!   and the load was clearly below the mark.
//! * **It steps in proportion.** If `n` flows cause a load `l`, the mark `m` is reached with
//!   `n · m / l`, as long as nothing else runs on the machine. Otherwise the step has the right
//!   direction but stops short of the mark, from above and from below: the load comes nearer to the
//!   mark with each window and never oscillates.
//! * **Between [`CALM`] of the mark and the mark it does nothing**, because loads are never exact.
//! * **It shrinks from what is in use**: above the mark it scales the number in use, not the bound,
//!   because a smaller bound above that number has no effect. Flows are not aborted, so more may be
//!   in use than the bound allows; until that changes, it does not shrink further.
//! * **It releases what is not needed**: by an eighth in each window in which a quarter of the
//!   bound was always free. After a quiet time the right bound is found anew.

use std::time::{Duration, Instant};

use super::Concurrency;

/// The time over which a load is averaged before a decision.
const WINDOW: Duration = Duration::from_secs(3);
/// The bound does not grow above this fraction of the mark.
const CALM: f64 = 0.9;
/// The largest factor of one step.
const GROWTH: f64 = 1.5;
/// The smallest factor of one step.
const SHRINKAGE: f64 = 0.5;

/// Decides how many flows may run at once.
#[derive(Debug)]
pub(super) struct Controller {
    min: usize,
    max: usize,
    mark: f64,
    limit: usize,
    window: Option<Window>,
}

/// The measurements since the last decision.
#[derive(Debug)]
struct Window {
    since: Instant,
    loads: f64,
    count: u32,
    most_busy: usize,
}

impl Controller {
    /// Creates a controller at the least number of `concurrency`.
    pub(super) fn new(concurrency: Concurrency) -> Self {
        Self {
            min: concurrency.least(),
            max: concurrency.most(),
            mark: concurrency.cpu().unwrap_or(0.0),
            limit: concurrency.least(),
            window: None,
        }
    }

    /// Returns how many flows may run from now on. `busy` flows are running now; `load`, from 0.0
    /// to 1.0, is the load since the previous call. The first call begins the first window.
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

    /// Returns the bound after a window in which at most `most` flows ran, and `busy` at its end.
    fn decide(&self, most: usize, busy: usize, load: f64) -> usize {
        let (limit, mark) = (self.limit, self.mark);
        if load > mark {
            if busy > limit {
                // The last decision has no effect yet.
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
