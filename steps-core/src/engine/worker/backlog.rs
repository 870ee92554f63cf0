//! How many executions are due and have no place yet, as far as this process knows, and since when: for
//! metrics, from what the dispatcher learns anyway. The store is not asked for it.

use std::{sync::Mutex, time::Duration};

use crate::base::{
    clock::Moment,
    sync::lock,
    telemetry::{self, COUNTS},
};

/// What is due and was not taken up.
#[derive(Debug, Default)]
pub(crate) struct Backlog(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// At least so many.
    left: u64,
    /// For how long the first of them had been due at this moment.
    first: Option<(Moment, Duration)>,
}

impl Known {
    fn tell(&self, now: Moment) {
        let overdue = self.first.map(|(at, late)| late + now.since(at));
        telemetry::backlog(self.left, overdue.unwrap_or_default());
    }
}

impl Backlog {
    /// One more is due.
    pub(super) fn grows(&self, now: Moment) {
        if COUNTS {
            let mut known = lock(&self.0);
            known.left += 1;
            known.first.get_or_insert((now, Duration::ZERO));
            known.tell(now);
        }
    }

    /// Waits are over: so many, the first of them since this moment.
    pub(super) fn waits_are_over(&self, over: u64, since: Option<Moment>, now: Moment) {
        if COUNTS {
            let mut known = lock(&self.0);
            known.left = known.left.max(over);
            if let Some(since) = since {
                known.first.get_or_insert((since, Duration::ZERO));
            }
            known.tell(now);
        }
    }

    /// A claim has taken so many. If it has left any, the first of those has been due for so long.
    pub(super) fn claimed(&self, taken: usize, left: Option<Duration>, now: Moment) {
        if COUNTS {
            let mut known = lock(&self.0);
            let taken = u64::try_from(taken).unwrap_or(u64::MAX);
            let rest = known.left.saturating_sub(taken).max(1);
            known.left = left.map_or(0, |_| rest);
            known.first = left.map(|late| (now, late));
            known.tell(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(backlog: &Backlog, now: Moment) -> (u64, Option<u64>) {
        let known = lock(&backlog.0);
        let first = known.first.map(|(at, late)| late + now.since(at));
        (known.left, first.map(|late| late.as_secs()))
    }

    #[test]
    fn what_is_left_is_due_for_longer_and_longer_until_a_claim_leaves_nothing() {
        if !COUNTS {
            return;
        }
        let at = |second| Moment::default().after(Duration::from_secs(second));
        let backlog = Backlog::default();
        backlog.grows(at(1));
        backlog.grows(at(2));
        backlog.grows(at(3));
        assert_eq!(known(&backlog, at(5)), (3, Some(4)));
        backlog.claimed(1, Some(Duration::from_secs(7)), at(6));
        assert_eq!(known(&backlog, at(8)), (2, Some(9)));
        // What others have left there is not counted, but that there is some.
        backlog.claimed(5, Some(Duration::from_secs(3)), at(9));
        assert_eq!(known(&backlog, at(9)), (1, Some(3)));
        backlog.claimed(1, None, at(10));
        assert_eq!(known(&backlog, at(11)), (0, None));
        backlog.waits_are_over(2, Some(at(4)), at(12));
        assert_eq!(known(&backlog, at(12)), (2, Some(8)));
    }
}
