//! Which change is told next. Changes of one execution are told one after the other, in their order; those of
//! others do not wait for them. It knows no store and no time.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::store::{Change, FailedChange};

/// How many changes are in memory at most before more are read.
const ENOUGH: usize = 256;

/// The changes of one function that were read.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The number of the last new change that was read: the next are read after it.
    pub(super) after: i64,
    /// The numbers of all that were read and are not settled in the store.
    read: HashSet<i64>,
    /// What waits, by execution, in order.
    waiting: HashMap<String, VecDeque<Change>>,
    /// The executions of which something waits and nothing is being told.
    ready: VecDeque<String>,
    /// The executions of which something is being told.
    telling: HashSet<String>,
    /// What is to be settled.
    pub(super) done: Vec<i64>,
    pub(super) failed: Vec<FailedChange>,
}

impl Queue {
    /// Returns how many more may be read.
    pub(super) fn room(&self) -> usize {
        ENOUGH.saturating_sub(self.read.len())
    }

    /// Returns whether something could be told now.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Adds new changes, in order.
    pub(super) fn add_new(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.after = self.after.max(change.number);
            self.add(change);
        }
    }

    /// Adds a change, unless it was read before.
    pub(super) fn add(&mut self, change: Change) {
        if !self.read.insert(change.number) {
            return;
        }
        let waiting = self.waiting.entry(change.execution.clone()).or_default();
        if waiting.is_empty() && !self.telling.contains(&change.execution) {
            self.ready.push_back(change.execution.clone());
        }
        waiting.push_back(change);
    }

    /// Returns the change to tell next.
    pub(super) fn next(&mut self) -> Option<Change> {
        let execution = self.ready.pop_front()?;
        let waiting = self.waiting.get_mut(&execution)?;
        let change = waiting.pop_front()?;
        if waiting.is_empty() {
            self.waiting.remove(&execution);
        }
        self.telling.insert(execution);
        Some(change)
    }

    /// Notes that a change was told, or is given up.
    pub(super) fn is_done(&mut self, change: &Change) {
        self.done.push(change.number);
        if change.attempts > 0 {
            // Those behind it were not listed while it was told in vain.
            self.after = self.after.min(change.number);
        }
        self.telling.remove(&change.execution);
        if self.waiting.contains_key(&change.execution) {
            self.ready.push_back(change.execution.clone());
        }
    }

    /// Notes that a change was told in vain: those behind it are read again when it was told.
    pub(super) fn has_failed(&mut self, change: &Change, failed: FailedChange) {
        self.failed.push(failed);
        self.telling.remove(&change.execution);
        for behind in self.waiting.remove(&change.execution).unwrap_or_default() {
            self.read.remove(&behind.number);
        }
    }

    /// Notes that these are settled in the store.
    pub(super) fn settled(&mut self, done: &[i64], failed: &[FailedChange]) {
        let failed = failed.iter().map(|failed| failed.number);
        for number in done.iter().copied().chain(failed) {
            self.read.remove(&number);
        }
    }

    /// Forgets what waits, and begins to read anew: another process may have told some of it.
    pub(super) fn restart(&mut self) {
        for change in self.waiting.drain().flat_map(|(_, waiting)| waiting) {
            self.read.remove(&change.number);
        }
        self.ready.clear();
        self.after = 0;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::status::Status;

    fn change(number: i64, execution: &str) -> Change {
        let at = Timestamp::UNIX_EPOCH;
        Change::new(number, execution, "flow", None, Status::Running, at)
    }

    fn numbers(queue: &mut Queue) -> Vec<i64> {
        std::iter::from_fn(|| queue.next())
            .map(|change| change.number)
            .collect()
    }

    fn failed(number: i64) -> FailedChange {
        FailedChange {
            number,
            attempts: 1,
            due: Timestamp::UNIX_EPOCH,
            failure: "no".to_owned(),
        }
    }

    #[test]
    fn those_of_one_execution_wait_for_each_other_and_for_no_other() {
        let mut queue = Queue::default();
        queue.add_new(vec![change(1, "a"), change(2, "b"), change(3, "a")]);
        assert_eq!(numbers(&mut queue), [1, 2]);
        queue.is_done(&change(2, "b"));
        assert!(!queue.is_ready());
        queue.is_done(&change(1, "a"));
        assert_eq!(numbers(&mut queue), [3]);
        assert_eq!((queue.done.as_slice(), queue.after), (&[2, 1][..], 3));
    }

    #[test]
    fn what_was_read_is_not_told_twice() {
        let mut queue = Queue::default();
        queue.add_new(vec![change(1, "a"), change(2, "a")]);
        assert_eq!(numbers(&mut queue), [1]);
        queue.restart();
        queue.add_new(vec![change(1, "a"), change(2, "a")]);
        assert_eq!(numbers(&mut queue), [0; 0]);
        queue.is_done(&change(1, "a"));
        queue.add_new(vec![change(1, "a")]);
        assert_eq!(numbers(&mut queue), [2]);
    }

    #[test]
    fn what_is_behind_a_failure_is_read_again_when_that_is_over() {
        let mut queue = Queue::default();
        queue.add_new(vec![change(4, "a"), change(5, "a"), change(6, "b")]);
        assert_eq!(numbers(&mut queue), [4, 6]);
        queue.has_failed(&change(4, "a"), failed(4));
        queue.is_done(&change(6, "b"));
        assert!(!queue.is_ready());
        queue.settled(&[6], &[failed(4)]);
        assert_eq!(queue.room(), ENOUGH);
        let mut again = change(4, "a");
        again.attempts = 1;
        queue.add(again.clone());
        assert_eq!(numbers(&mut queue), [4]);
        queue.is_done(&again);
        assert_eq!(queue.after, 4);
        queue.add_new(vec![change(5, "a")]);
        assert_eq!(numbers(&mut queue), [5]);
    }
}
