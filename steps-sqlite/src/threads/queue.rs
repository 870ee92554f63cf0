//! Handing work to a thread.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What waits to be done. It has no bound of its own: who puts something in has a permit for it.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    more: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// Threads that sleep until there is more.
    idle: usize,
    /// How much there has to be for one of them to be woken.
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

    /// Nothing that runs under this lock can panic half way.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something in. Gives it back if the queue is closed, and else whether a thread was idle.
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

    /// Waits until there is something, and takes up to `most` of it. `false` once the queue is
    /// closed and empty.
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

    /// How much waits.
    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether nothing waits, and something could be put in.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && !state.closed
    }

    /// Waits until there is so much, but not longer than that. Gives how much there is. For a queue
    /// that one thread takes from.
    pub(crate) fn gather(&self, wanted: usize, until: Instant) -> usize {
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

    /// Takes nothing more in. What waits is still taken out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    /// Closes, and drops what waits: nobody is going to take it.
    pub(crate) fn abandon(&self) {
        self.close();
        let waiting = std::mem::take(&mut self.lock().waiting);
        drop(waiting);
    }
}
