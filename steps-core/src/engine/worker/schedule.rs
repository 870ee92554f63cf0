//! When the dispatcher must look for work again.

use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::{Notify, futures::Notified};

use crate::base::sync::lock;

/// The earliest time at which something is due, as far as this process knows.
///
/// It may be too early, e.g. if another process was faster; the claim then returns nothing. It must
/// not be later than anything that this process has made due.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    next_due: Mutex<Option<Timestamp>>,
    wake: Notify,
}

impl Schedule {
    /// Notes that something is due at `time`, and wakes the dispatcher if this is earlier than the
    /// known time.
    pub(crate) fn due_at(&self, time: Timestamp) {
        let mut next_due = lock(&self.next_due);
        if next_due.is_none_or(|due| time < due) {
            *next_due = Some(time);
            drop(next_due);
            self.wake.notify_one();
        }
    }

    /// Clears the time when a claim begins, because the claim may miss what becomes due from now
    /// on.
    pub(crate) fn clear(&self) {
        *lock(&self.next_due) = None;
    }

    /// Returns the earliest time at which something is due, if one is known.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        *lock(&self.next_due)
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
    use futures_util::FutureExt;
    use jiff::Timestamp;

    use super::Schedule;

    #[test]
    fn only_an_earlier_time_wakes_the_dispatcher() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let schedule = Schedule::default();
        let woken = || schedule.woken().now_or_never().is_some();
        schedule.due_at(time(9));
        assert!(woken());
        schedule.due_at(time(10));
        assert!(!woken());
        schedule.due_at(time(8));
        assert!(woken());
        assert_eq!(schedule.next_due(), Some(time(8)));
        schedule.clear();
        assert_eq!(schedule.next_due(), None);
        schedule.due_at(time(10));
        assert!(woken());
    }
}
