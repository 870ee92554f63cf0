//! Whether to wait a little before the next commit.
//!
//! Who has been answered is often back at once, with the next step. A commit that begins before
//! that has in it only those who came during the last one, and the others wait for the commit after
//! it: as many callers need twice as many syncs. Of many, half are enough: while their commit is
//! under way, the others come, so that callers and commits work at the same time.

use std::time::{Duration, Instant};

use super::GROUP;
use crate::queue::Queue;

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

impl Crowd {
    /// After a commit that took so long: `callers` have been answered, or came meanwhile. Waits
    /// until a few or half of them are there, but only half as long as the commit took. One alone is not
    /// waited for.
    pub(super) fn gather<T>(&mut self, queue: &Queue<T>, callers: usize, took: Duration) {
        if self.rounds > 0 {
            self.rounds -= 1;
            return;
        }
        let callers = callers.min(GROUP);
        if callers == 1 {
            return;
        }
        let wanted = callers.min(FEW).max(callers / 2);
        let all = queue.gather(wanted, Instant::now() + took / 2) >= wanted;
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

    /// Time is not waited for: this long would show.
    fn gathers(crowd: &mut Crowd, queue: &Queue<u32>, callers: usize) -> Duration {
        let begun = Instant::now();
        crowd.gather(queue, callers, LONG);
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
        assert!(gathers(&mut Crowd::default(), &queue(0), 1) < LONG / 4);
    }

    #[test]
    fn half_of_them_are_enough() {
        assert!(gathers(&mut Crowd::default(), &queue(32), 64) < LONG / 4);
    }

    #[test]
    fn it_ends_when_they_are_back() {
        let queue = queue(1);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..7).for_each(|n| assert!(queue.push(n).is_ok())));
            assert!(gathers(&mut Crowd::default(), &queue, 8) < LONG / 4);
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
            crowd.gather(&queue, 8, took);
            waits += usize::from(begun.elapsed() >= took / 2);
        }
        // After 1, 3, 7, 15 and from then on 31 commits.
        assert!((5..20).contains(&waits), "{waits}");
        assert_eq!(crowd.next, ROUNDS);
    }
}
