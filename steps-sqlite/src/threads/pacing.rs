//! Whether to wait a little before the next commit.
//!
//! Who has been answered is often back at once, with the next step. A commit that begins before
//! that has in it only those who came during the last one, and the others wait for the commit after
//! it: as many callers need twice as many syncs. Where it is not the sync that takes the time but the
//! rows, half of many callers are enough: while their commit is under way, the others come, so that
//! callers and commits work at the same time.

use std::time::{Duration, Instant};

use super::{group_commit::GROUP, queue::Queue};

/// After this many commits at most it is tried again.
const ROUNDS: u32 = 31;

/// So few are all waited for: what a commit costs is the sync.
const FEW: usize = 8;

/// The callers that are expected back.
#[derive(Default)]
pub(super) struct Crowd {
    /// How many commits follow without a wait, as they did not come back in time.
    rounds: u32,
    /// How many it will be if that happens again.
    next: u32,
}

/// One commit.
pub(super) struct Round {
    /// Who has been answered, or came meanwhile.
    pub(super) callers: usize,
    /// How long it took in all.
    pub(super) took: Duration,
    /// How long of that was its end, with the sync.
    pub(super) end: Duration,
}

impl Round {
    /// How many of its callers are waited for.
    fn wanted(&self) -> usize {
        let callers = self.callers.min(GROUP);
        if self.end > self.took / 2 {
            callers - callers / 8
        } else {
            callers.min(FEW).max(callers / 2)
        }
    }
}

impl Crowd {
    /// After a commit: waits until enough of its callers are there, but only half as long as it
    /// took. One alone is not waited for.
    pub(super) fn gather<T>(&mut self, queue: &Queue<T>, round: &Round) {
        if self.rounds > 0 {
            self.rounds -= 1;
            return;
        }
        if round.callers == 1 {
            return;
        }
        let wanted = round.wanted();
        let all = queue.gather(wanted, Instant::now() + round.took / 2) >= wanted;
        self.next = if all {
            0
        } else {
            (2 * self.next + 1).min(ROUNDS)
        };
        self.rounds = self.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    /// One in which the rows took all the time; or the sync.
    fn round(callers: usize, took: Duration, end: Duration) -> Round {
        Round { callers, took, end }
    }

    /// Time is not waited for: this long would show.
    fn gathers(queue: &Queue<u32>, callers: usize, end: Duration) -> Duration {
        let begun = Instant::now();
        Crowd::default().gather(queue, &round(callers, LONG, end));
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
    fn one_alone_is_not_waited_for() {
        assert!(gathers(&queue(0), 1, LONG) < LONG / 4);
    }

    #[test]
    fn half_of_them_are_enough_or_most_where_the_sync_takes_longest() {
        assert!(gathers(&queue(32), 64, Duration::ZERO) < LONG / 4);
        assert!(gathers(&queue(56), 64, LONG) < LONG / 4);
        let wanted = |callers, end| round(callers, LONG, end).wanted();
        assert_eq!((wanted(64, Duration::ZERO), wanted(64, LONG)), (32, 56));
        assert_eq!((wanted(2, Duration::ZERO), wanted(2, LONG)), (2, 2));
        assert_eq!((wanted(9, Duration::ZERO), wanted(9, LONG)), (8, 8));
    }

    #[test]
    fn it_ends_when_they_are_back() {
        let queue = queue(1);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..7).for_each(|n| assert!(queue.push(n).is_ok())));
            assert!(gathers(&queue, 8, LONG) < LONG / 4);
        });
        assert!(queue.len() >= 7);
    }

    #[test]
    fn those_who_do_not_come_back_are_waited_for_less_and_less_often() {
        let queue = queue(1);
        let mut crowd = Crowd::default();
        let took = Duration::from_millis(2);
        let mut waits = 0;
        for _ in 0..200 {
            let begun = Instant::now();
            crowd.gather(&queue, &round(8, took, took));
            waits += usize::from(begun.elapsed() >= took / 2);
        }
        // After 1, 3, 7, 15 and from then on 31 commits.
        assert!((5..20).contains(&waits), "{waits}");
        assert_eq!(crowd.next, ROUNDS);
    }
}
