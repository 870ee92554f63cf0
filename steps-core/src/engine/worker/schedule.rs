//! When the dispatcher must look for work again, and which waits are over by then.

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::{Notify, futures::Notified};

use super::{backlog::Backlog, waits::Waits};
use crate::{
    base::{
        clock::{Deadline, Moment},
        sync::lock,
        telemetry::COUNTS,
    },
    store::Wait,
};

/// The earliest moment at which something is due, as far as this process knows.
///
/// It may be too early, e.g. if another process was faster; the claim then returns nothing. It must
/// not be later than anything that this process has made due.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    known: Mutex<Known>,
    wake: Notify,
    backlog: Backlog,
}

/// The most waits that are counted for metrics.
const MOST_COUNTED: usize = 10_000;

#[derive(Debug, Default)]
struct Known {
    next_due: Option<Moment>,
    /// The same without the starts that this process has left in the store.
    other_due: Option<Moment>,
    /// How many starts this process has left in the store, due, since the last claim began.
    starts: usize,
    /// Whether more may have been due when the claim began that is being made than it has places for.
    claiming_due: bool,
    waits: Waits,
}

impl Known {
    /// Returns whether more may be due than so many places are for.
    fn exceeds(&self, places: usize, now: Moment) -> bool {
        self.other_due.is_some_and(|due| due <= now) || self.starts > places
    }
}

impl Schedule {
    /// Notes that something is due at this moment, and wakes the dispatcher if this is earlier than
    /// the known one.
    pub(crate) fn due_at(&self, moment: Moment) {
        let mut known = lock(&self.known);
        if known.other_due.is_none_or(|due| moment < due) {
            known.other_due = Some(moment);
        }
        self.wake_at(known, moment);
    }

    /// Notes that a start was left in the store, and is due now.
    pub(crate) fn start_left(&self, now: Moment) {
        let mut known = lock(&self.known);
        known.starts += 1;
        self.wake_at(known, now);
        self.backlog.grows(now);
    }

    fn wake_at(&self, mut known: MutexGuard<'_, Known>, moment: Moment) {
        if known.next_due.is_none_or(|due| moment < due) {
            known.next_due = Some(moment);
            drop(known);
            self.wake.notify_one();
        }
    }

    /// Notes that an execution waits.
    pub(crate) fn waits(&self, key: i64, deadline: Deadline) {
        lock(&self.known).waits.put(key, deadline);
        self.due_at(deadline.moment);
    }

    /// Notes that this process has taken an execution, and returns the wait that was known of it.
    pub(crate) fn taken(&self, key: i64) -> Option<Deadline> {
        lock(&self.known).waits.remove(key)
    }

    /// Returns the waits that are over, up to `most`.
    pub(crate) fn over(&self, now: Moment, most: usize) -> Vec<Wait> {
        lock(&self.known).waits.over(now, most)
    }

    /// Returns when the next wait is over that is not yet.
    pub(crate) fn next_over(&self, now: Moment) -> Option<Moment> {
        lock(&self.known).waits.next_after(now)
    }

    /// Returns how many of the free places a claim should take now. While it is made, nobody else has
    /// them: one that is made only for starts that were left takes no more than these need, or the
    /// starts that come meanwhile would find none, and be left as well.
    pub(crate) fn wanted(&self, now: Moment) -> usize {
        let known = lock(&self.known);
        let is_other_due = known.other_due.is_some_and(|due| due <= now);
        match known.starts {
            starts if starts > 0 && !is_other_due => starts,
            _ => usize::MAX,
        }
    }

    /// Clears what is known when a claim with so many places begins, because the claim may miss what
    /// becomes due from now on.
    pub(crate) fn claim_begins(&self, places: usize, now: Moment) {
        let mut known = lock(&self.known);
        known.claiming_due = known.exceeds(places, now);
        known.next_due = None;
        known.other_due = None;
        known.starts = 0;
    }

    /// Notes that a claim was made, and that what it left was noted.
    pub(crate) fn claim_ended(&self) {
        lock(&self.known).claiming_due = false;
    }

    /// Counts for metrics what a claim has taken. If it has left any that are due, the first of them has
    /// been so for `left`.
    pub(crate) fn count_claimed(&self, taken: usize, left: Option<Duration>, now: Moment) {
        self.backlog.claimed(taken, left, now);
    }

    /// Counts for metrics which waits are over.
    pub(crate) fn count_over(&self, now: Moment) {
        if COUNTS {
            let (over, since) = lock(&self.known).waits.count_over(now, MOST_COUNTED);
            let over = u64::try_from(over).unwrap_or(u64::MAX);
            self.backlog.waits_are_over(over, since, now);
        }
    }

    /// Returns whether something that is due would miss a place that is taken now, as far as this
    /// process knows: so many others are free. Without the count, one start that is left in the store
    /// would send all that follow there as long as there are any.
    pub(crate) fn is_behind(&self, others: usize, now: Moment) -> bool {
        let known = lock(&self.known);
        known.claiming_due || known.exceeds(others, now)
    }

    /// Returns the earliest moment at which something is due, if one is known.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        lock(&self.known).next_due
    }

    /// Wakes the dispatcher.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Resolves when the dispatcher is woken, even if that happened before this call.
    pub(crate) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::{Moment, Schedule};

    #[test]
    fn only_an_earlier_moment_wakes_the_dispatcher() {
        let moment = |second| Moment::default().after(Duration::from_secs(second));
        let schedule = Schedule::default();
        let woken = || schedule.woken().now_or_never().is_some();
        schedule.due_at(moment(9));
        assert!(woken());
        schedule.due_at(moment(10));
        assert!(!woken());
        schedule.due_at(moment(8));
        assert!(woken());
        assert_eq!(schedule.next_due(), Some(moment(8)));
        schedule.claim_begins(5, moment(8));
        assert_eq!(schedule.next_due(), None);
        schedule.due_at(moment(10));
        assert!(woken());
    }

    #[test]
    fn it_is_behind_from_when_something_is_due_until_a_claim_has_left_nothing() {
        let moment = |second| Moment::default().after(Duration::from_secs(second));
        let schedule = Schedule::default();
        schedule.due_at(moment(9));
        assert!(!schedule.is_behind(5, moment(8)));
        assert!(schedule.is_behind(5, moment(9)));
        schedule.claim_begins(5, moment(9));
        assert!(schedule.is_behind(5, moment(9)));
        schedule.due_at(moment(8));
        schedule.claim_ended();
        assert!(schedule.is_behind(5, moment(9)));
        schedule.claim_begins(5, moment(9));
        schedule.claim_ended();
        assert!(!schedule.is_behind(0, moment(9)));
        schedule.claim_begins(5, moment(10));
        assert!(!schedule.is_behind(0, moment(10)), "a look now and then");
    }

    #[test]
    fn it_is_not_behind_while_there_is_a_place_for_each_start_that_was_left() {
        let now = Moment::default();
        let schedule = Schedule::default();
        schedule.start_left(now);
        schedule.start_left(now);
        assert_eq!(schedule.next_due(), Some(now));
        assert!(schedule.is_behind(1, now));
        assert!(!schedule.is_behind(2, now));
        schedule.claim_begins(1, now);
        assert!(schedule.is_behind(9, now), "one more than it takes");
        schedule.claim_ended();
        schedule.start_left(now);
        schedule.claim_begins(1, now);
        assert!(!schedule.is_behind(0, now));
    }

    /// A claim took all free places for one start that was left. Starts that came while it was made
    /// found none and were left, too, and so on for ever.
    #[test]
    fn regression_a_claim_for_starts_leaves_the_other_places_free() {
        let now = Moment::default();
        let schedule = Schedule::default();
        assert_eq!(schedule.wanted(now), usize::MAX, "a look now and then");
        schedule.start_left(now);
        schedule.start_left(now);
        assert_eq!(schedule.wanted(now), 2);
        schedule.due_at(now.after(Duration::from_secs(1)));
        assert_eq!(schedule.wanted(now), 2);
        schedule.due_at(now);
        assert_eq!(schedule.wanted(now), usize::MAX);
    }
}
