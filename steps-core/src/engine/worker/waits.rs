//! The waits that this process has begun or seen: so that none is late here if the wall clock is
//! set back. Without that, the store by itself finds what is due.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    base::clock::{Deadline, Moment},
    store::Wait,
};

/// The most waits that are kept, those that end first.
const MOST: usize = 1 << 16;

/// Executions that wait for a time, and the moments at which their waits are over here.
#[derive(Debug, Default)]
pub(super) struct Waits {
    of_key: HashMap<i64, Deadline>,
    in_order: BTreeSet<(Moment, i64)>,
}

impl Waits {
    /// Notes a wait. What was known of the same wait before is kept: the longer ago that was, the
    /// less can have been done to the wall clock before it.
    pub(super) fn put(&mut self, key: i64, deadline: Deadline) {
        match self.of_key.get(&key) {
            Some(known) if known.until == deadline.until => return,
            _ => drop(self.remove(key)),
        }
        self.of_key.insert(key, deadline);
        self.in_order.insert((deadline.moment, key));
        if self.of_key.len() > MOST
            && let Some((_, last)) = self.in_order.pop_last()
        {
            self.of_key.remove(&last);
        }
    }

    /// Forgets an execution's wait, and returns it.
    pub(super) fn remove(&mut self, key: i64) -> Option<Deadline> {
        let deadline = self.of_key.remove(&key)?;
        self.in_order.remove(&(deadline.moment, key));
        Some(deadline)
    }

    /// Returns those that are over, up to `most`.
    pub(super) fn over(&self, now: Moment, most: usize) -> Vec<Wait> {
        let over = self.in_order.range(..=(now, i64::MAX)).take(most);
        let until = |key: &i64| self.of_key.get(key).map_or(Timestamp::MIN, |it| it.until);
        over.map(|(_, key)| Wait {
            key: *key,
            until: until(key),
        })
        .collect()
    }

    /// Returns how many are over, up to `most`, and since when the first of them is.
    pub(super) fn count_over(&self, now: Moment, most: usize) -> (usize, Option<Moment>) {
        let mut over = self.in_order.range(..=(now, i64::MAX)).take(most);
        let first = over.next().map(|(moment, _)| *moment);
        (over.count() + usize::from(first.is_some()), first)
    }

    /// Returns when the next one is over that is not yet.
    pub(super) fn next_after(&self, now: Moment) -> Option<Moment> {
        let mut later = self.in_order.range((now, i64::MAX)..);
        later.next().map(|(moment, _)| *moment)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn deadline(moment: u64, until: i64) -> Deadline {
        Deadline {
            moment: Moment::default().after(Duration::from_secs(moment)),
            until: Timestamp::from_second(until).unwrap(),
        }
    }

    fn moment(seconds: u64) -> Moment {
        deadline(seconds, 0).moment
    }

    #[test]
    fn a_wait_is_over_by_what_was_first_known_of_it() {
        let mut waits = Waits::default();
        waits.put(1, deadline(10, 100));
        waits.put(2, deadline(20, 110));
        // As it is seen once the wall clock was set back.
        waits.put(1, deadline(3610, 100));
        assert_eq!(waits.over(moment(9), 9), []);
        assert_eq!(waits.next_after(moment(9)), Some(moment(10)));
        let wait = Wait {
            key: 1,
            until: deadline(0, 100).until,
        };
        assert_eq!(waits.over(moment(10), 9), [wait]);
        assert_eq!(waits.next_after(moment(10)), Some(moment(20)));
        assert_eq!(waits.over(moment(20), 1), [wait]);
        // Another wait of the same execution.
        waits.put(1, deadline(30, 130));
        assert_eq!(waits.over(moment(20), 9).len(), 1);
        assert_eq!(waits.remove(1), Some(deadline(30, 130)));
        assert_eq!(waits.next_after(moment(20)), None);
    }

    #[test]
    fn those_that_end_last_are_given_up_where_there_are_too_many() {
        let mut waits = Waits::default();
        let most = i64::try_from(MOST).unwrap();
        for key in 0..most + 10 {
            let end = key.cast_unsigned();
            waits.put(key, deadline(end, key));
        }
        assert_eq!((waits.of_key.len(), waits.in_order.len()), (MOST, MOST));
        assert_eq!(waits.remove(most), None);
        assert!(waits.remove(most - 1).is_some());
    }
}
