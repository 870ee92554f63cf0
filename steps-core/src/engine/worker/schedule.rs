//! When the dispatcher must look for work again, and which waits are over by then.

use std::sync::Mutex;

use tokio::sync::{Notify, futures::Notified};

use super::waits::Waits;
use crate::{
    base::{
        clock::{Deadline, Moment},
        sync::lock,
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
}

#[derive(Debug, Default)]
struct Known {
    next_due: Option<Moment>,
    /// Whether something was due when the claim began that is being made.
    claiming_due: bool,
    waits: Waits,
}

impl Known {
    fn is_due(&self, now: Moment) -> bool {
        self.next_due.is_some_and(|due| due <= now)
    }
}

impl Schedule {
    /// Notes that something is due at this moment, and wakes the dispatcher if this is earlier than
    /// the known one.
    pub(crate) fn due_at(&self, moment: Moment) {
        let mut known = lock(&self.known);
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

    /// Clears the moment when a claim begins, because the claim may miss what becomes due from now
    /// on.
    pub(crate) fn claim_begins(&self, now: Moment) {
        let mut known = lock(&self.known);
        known.claiming_due = known.is_due(now);
        known.next_due = None;
    }

    /// Notes that a claim was made, and that what it left was noted.
    pub(crate) fn claim_ended(&self) {
        lock(&self.known).claiming_due = false;
    }

    /// Returns whether something is due, as far as this process knows, and waits for a place.
    pub(crate) fn is_behind(&self, now: Moment) -> bool {
        let known = lock(&self.known);
        known.claiming_due || known.is_due(now)
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
        schedule.claim_begins(moment(8));
        assert_eq!(schedule.next_due(), None);
        schedule.due_at(moment(10));
        assert!(woken());
    }

    #[test]
    fn it_is_behind_from_when_something_is_due_until_a_claim_has_left_nothing() {
        let moment = |second| Moment::default().after(Duration::from_secs(second));
        let schedule = Schedule::default();
        schedule.due_at(moment(9));
        assert!(!schedule.is_behind(moment(8)));
        assert!(schedule.is_behind(moment(9)));
        schedule.claim_begins(moment(9));
        assert!(schedule.is_behind(moment(9)));
        schedule.due_at(moment(8));
        schedule.claim_ended();
        assert!(schedule.is_behind(moment(9)));
        schedule.claim_begins(moment(9));
        schedule.claim_ended();
        assert!(!schedule.is_behind(moment(9)));
        schedule.claim_begins(moment(10));
        assert!(!schedule.is_behind(moment(10)), "a look now and then");
    }
}
