//! Whether the writing thread waits a little before its next commit.
//!
//! A caller that has been answered often comes back at once, with its next step. A commit that
//! begins before that contains only the calls that arrived during the last commit; the callers that
//! were just answered wait for the commit after it, so that the same callers need twice as many
//! syncs. Waiting for most of them halves the number of syncs.
//!
//! Where much of the time goes into writing rows and not into the sync, waiting for half of many callers
//! is enough: the other half prepares its next steps during the commit, so that callers and commits
//! work at the same time. On a disk that syncs in 0.2 ms, 64 and 256 callers are a tenth faster so; on
//! one that takes milliseconds, a sync less is worth more.

use std::time::{Duration, Instant};

use super::{group_commit::GROUP, queue::Queue};

/// How many commits follow without a wait, at most, after waits that were in vain.
const MOST_SKIPPED: u32 = 31;

/// Up to this many callers are all waited for: with so few, a commit costs a sync and little else.
const FEW: usize = 8;

/// Decides after each commit how long to wait for the next calls.
#[derive(Default)]
pub(super) struct Pacing {
    /// How many commits still follow without a wait, as callers did not come back in time.
    skip: u32,
    /// To how many commits `skip` was last set: 0 once callers have come back in time.
    last_skip: u32,
}

/// What the last commit says about the next one.
pub(super) struct LastCommit {
    /// How many callers it answered, and how many calls arrived during it.
    pub(super) callers: usize,
    /// How long it took in all.
    pub(super) took: Duration,
    /// How long of that `COMMIT` took, which is mostly the sync.
    pub(super) end: Duration,
}

impl LastCommit {
    /// How many of its callers to wait for.
    fn wanted(&self) -> usize {
        let callers = self.callers.min(GROUP);
        if self.end > self.took / 4 * 3 {
            callers - callers / 8
        } else {
            callers.min(FEW).max(callers / 2)
        }
    }
}

impl Pacing {
    /// Waits until enough of the last commit's callers are back, for half as long as that commit
    /// took at most. Does not wait for a single caller.
    pub(super) fn wait<T>(&mut self, queue: &Queue<T>, last: &LastCommit) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        if last.callers == 1 {
            return;
        }
        let wanted = last.wanted();
        let all = queue.wait_for(wanted, Instant::now() + last.took / 2) >= wanted;
        self.last_skip = if all {
            0
        } else {
            (2 * self.last_skip + 1).min(MOST_SKIPPED)
        };
        self.skip = self.last_skip;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than the machine may delay a test: a wait for it would be noticed.
    const LONG: Duration = Duration::from_mins(1);

    fn last(callers: usize, took: Duration, end: Duration) -> LastCommit {
        LastCommit { callers, took, end }
    }

    /// How long it is waited after a commit of `LONG`, of which `COMMIT` took `end`.
    fn waits(queue: &Queue<u32>, callers: usize, end: Duration) -> Duration {
        let begun = Instant::now();
        Pacing::default().wait(queue, &last(callers, LONG, end));
        begun.elapsed()
    }

    fn queue(waiting: u32) -> Queue<u32> {
        let queue = Queue::new();
        for n in 0..waiting {
            queue.push(n).unwrap();
        }
        queue
    }

    #[test]
    fn a_single_caller_is_not_waited_for() {
        assert!(waits(&queue(0), 1, LONG) < LONG / 4);
    }

    #[test]
    fn half_of_them_are_enough_or_most_where_the_sync_takes_longest() {
        assert!(waits(&queue(32), 64, Duration::ZERO) < LONG / 4);
        assert!(waits(&queue(56), 64, LONG) < LONG / 4);
        let wanted = |callers, end| last(callers, LONG, end).wanted();
        assert_eq!((wanted(64, Duration::ZERO), wanted(64, LONG)), (32, 56));
        assert_eq!(
            (wanted(64, LONG / 8 * 5), wanted(64, LONG / 8 * 7)),
            (32, 56)
        );
        assert_eq!((wanted(2, Duration::ZERO), wanted(2, LONG)), (2, 2));
        assert_eq!((wanted(9, Duration::ZERO), wanted(9, LONG)), (8, 8));
    }

    #[test]
    fn the_wait_ends_when_they_are_back() {
        let queue = queue(1);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..7).for_each(|n| assert!(queue.push(n).is_ok())));
            assert!(waits(&queue, 8, LONG) < LONG / 4);
        });
        assert!(queue.len() >= 7);
    }

    #[test]
    fn callers_that_do_not_come_back_are_waited_for_less_and_less_often() {
        let queue = queue(1);
        let mut pacing = Pacing::default();
        let took = Duration::from_millis(20);
        let mut waits = 0;
        for _ in 0..200 {
            let begun = Instant::now();
            pacing.wait(&queue, &last(8, took, took));
            waits += usize::from(begun.elapsed() >= took / 2);
        }
        // After 1, 3, 7, 15 and from then on 31 commits.
        assert!((5..20).contains(&waits), "{waits}");
        assert_eq!(pacing.last_skip, MOST_SKIPPED);
    }
}
