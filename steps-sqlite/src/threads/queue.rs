//! The queue in front of a thread.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Items that wait for a thread. The queue itself has no bound: the permits of those who push bound
/// it.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    more: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// Threads that sleep until items arrive.
    idle: usize,
    /// How many items must wait before one of these threads is woken.
    wanted: usize,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                idle: 0,
                wanted: 1,
                closed: false,
            }),
            more: Condvar::new(),
        }
    }

    /// A poisoned lock is taken all the same: nothing under it can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, and returns whether a thread was idle. If the queue is closed, the item comes
    /// back as the error.
    pub(crate) fn push(&self, item: T) -> Result<bool, T> {
        let mut state = self.lock();
        if state.closed {
            return Err(item);
        }
        state.waiting.push_back(item);
        let idle = state.idle > 0;
        let wake = idle && state.waiting.len() >= state.wanted;
        drop(state);
        if wake {
            self.more.notify_one();
        }
        Ok(idle)
    }

    /// Waits until there are items, and moves up to `most` of them into `into`. Returns `false`
    /// once the queue is closed and empty.
    pub(crate) fn take(&self, most: usize, into: &mut Vec<T>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return false;
            }
            state.idle += 1;
            state = self
                .more
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        let count = state.waiting.len().min(most);
        into.extend(state.waiting.drain(..count));
        true
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether no item waits, and the queue is open.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && !state.closed
    }

    /// Waits until at least `wanted` items wait, or the time is `until`, or the queue is closed.
    /// Returns how many items wait. Only for a queue that a single thread takes from.
    pub(crate) fn wait_for(&self, wanted: usize, until: Instant) -> usize {
        let mut state = self.lock();
        while state.waiting.len() < wanted && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.wanted = wanted;
            state.idle += 1;
            (state, _) = self
                .more
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        state.wanted = 1;
        state.waiting.len()
    }

    /// Refuses new items. Those that wait can still be taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    /// Closes the queue and drops the items that wait, as nobody will take them.
    pub(crate) fn abandon(&self) {
        self.close();
        let waiting = std::mem::take(&mut self.lock().waiting);
        drop(waiting);
    }
}
