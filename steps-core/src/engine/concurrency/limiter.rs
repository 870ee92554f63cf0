//! Counts what runs, limits it, and waits for room.

use std::{
    fmt,
    pin::pin,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{Notify, futures::Notified};

use super::Concurrency;
use crate::base::sync::lock;

/// Counts what runs, and limits it. Clones share one count.
///
/// The bound may change at any time, so room that was [`free`](Self::free) a moment ago may be
/// gone. A caller that claims executions must take permits for them first; an execution that was
/// claimed without a permit is [admitted](Self::admit) over the bound.
#[derive(Clone)]
pub(crate) struct Limiter(Arc<Inner>);

struct Inner {
    counts: Mutex<Counts>,
    concurrency: Concurrency,
    /// Notified when there is more room. Shared by an engine's limiter and those of its flows.
    room: Arc<Notify>,
}

#[derive(Clone, Copy)]
struct Counts {
    busy: usize,
    limit: usize,
}

impl Counts {
    fn free(self) -> usize {
        self.limit.saturating_sub(self.busy)
    }
}

impl Limiter {
    /// Creates a limiter with no permit taken and the least number of `concurrency` as its bound.
    /// The bound stays there unless [`adapt`](Self::adapt) runs.
    pub(crate) fn new(concurrency: Concurrency) -> Self {
        Self::telling(concurrency, Arc::default())
    }

    /// A second limiter with its own count, which shares the notification of
    /// [`changed`](Self::changed). Used for one flow's own bound; room in one limiter is not room
    /// in the other.
    pub(crate) fn beside(&self, concurrency: Concurrency) -> Self {
        Self::telling(concurrency, Arc::clone(&self.0.room))
    }

    fn telling(concurrency: Concurrency, room: Arc<Notify>) -> Self {
        let limit = concurrency.least();
        Self(Arc::new(Inner {
            counts: Mutex::new(Counts { busy: 0, limit }),
            concurrency,
            room,
        }))
    }

    /// Takes a permit if there is room.
    pub(crate) fn try_acquire(&self) -> Option<Permit> {
        let mut counts = lock(&self.0.counts);
        if counts.free() == 0 {
            return None;
        }
        counts.busy += 1;
        Some(Permit(self.clone()))
    }

    /// Takes a permit even if there is no room.
    pub(crate) fn admit(&self) -> Permit {
        lock(&self.0.counts).busy += 1;
        Permit(self.clone())
    }

    /// Returns how many permits are free.
    pub(crate) fn free(&self) -> usize {
        lock(&self.0.counts).free()
    }

    /// Returns how many permits are taken.
    pub(crate) fn busy(&self) -> usize {
        lock(&self.0.counts).busy
    }

    /// Returns the bound.
    #[cfg(test)]
    pub(crate) fn limit(&self) -> usize {
        lock(&self.0.counts).limit
    }

    /// Returns the setting that it was created with.
    pub(crate) fn concurrency(&self) -> Concurrency {
        self.0.concurrency
    }

    /// Sets the bound. Permits that are already taken stay valid.
    pub(crate) fn set_limit(&self, limit: usize) {
        let more = {
            let mut counts = lock(&self.0.counts);
            let before = counts.free();
            counts.limit = limit;
            counts.free() > before
        };
        if more {
            self.0.room.notify_waiters();
        }
    }

    /// Waits until there is room. It takes no permit, so another caller may be faster.
    pub(crate) async fn freed(&self) {
        let mut changed = pin!(self.changed());
        while self.free() == 0 {
            changed.as_mut().await;
            changed.set(self.changed());
        }
    }

    /// Waits until there is more room than at this call, here or in a limiter
    /// [`beside`](Self::beside) this one. Room that appears before the future is polled counts too,
    /// so call this before [`free`](Self::free).
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.0.room.notified()
    }

    /// Returns a weak handle: `None` after all clones and permits are dropped.
    pub(super) fn downgrade(&self) -> impl Fn() -> Option<Self> + Send + Sync + use<> {
        let weak: Weak<Inner> = Arc::downgrade(&self.0);
        move || weak.upgrade().map(Self)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { busy, limit } = *lock(&self.0.counts);
        write!(f, "Limiter({busy} of {limit})")
    }
}

/// A permit of a [`Limiter`], released on drop.
#[derive(Debug)]
#[must_use = "it is given back at once"]
pub(crate) struct Permit(Limiter);

impl Drop for Permit {
    fn drop(&mut self) {
        let room = {
            let mut counts = lock(&self.0.0.counts);
            counts.busy -= 1;
            counts.free() > 0
        };
        if room {
            self.0.0.room.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
