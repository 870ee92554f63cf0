//! Requests to a run from outside: to stop, to undo, or to suspend because the process is shutting
//! down.
//!
//! A [`Request`] can be sent to a [`RequestInbox`] at any time, from any task. The run checks the
//! inbox before new work begins (see [`gate`](super::gate)); a run that waits is woken.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// A request to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Request {
    /// Nothing new begins, neither a step nor an undo; the execution goes on in another process.
    Suspend,
    /// No step begins, and the execution is stopped. A rollback goes on.
    Stop,
    /// No step begins, and what was done is undone.
    Undo,
}

/// All requests to a run. An undo takes precedence over a stop; a suspension goes with either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestSet(u8);

impl RequestSet {
    const SUSPEND: u8 = 1;
    const STOP: u8 = 2;
    const UNDO: u8 = 4;

    fn with(self, request: Request) -> Self {
        Self(self.0 | Self::bit(request))
    }

    const fn bit(request: Request) -> u8 {
        match request {
            Request::Suspend => Self::SUSPEND,
            Request::Stop => Self::STOP,
            Request::Undo => Self::UNDO,
        }
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether nothing new may begin, not even an undo.
    pub(crate) const fn suspends(self) -> bool {
        self.0 & Self::SUSPEND != 0
    }

    /// Returns whether the run must stop, and not undo.
    pub(crate) const fn stops(self) -> bool {
        self.0 & (Self::STOP | Self::UNDO) == Self::STOP
    }

    pub(crate) const fn undoes(self) -> bool {
        self.0 & Self::UNDO != 0
    }

    /// Returns whether this set holds a request that `other` does not.
    pub(crate) const fn is_more_than(self, other: Self) -> bool {
        self.0 & !other.0 != 0
    }
}

/// Receives requests, for one run or several.
#[derive(Debug, Default)]
pub(crate) struct RequestInbox {
    /// A [`RequestSet`].
    requested: AtomicU8,
    changed: Notify,
}

impl RequestInbox {
    pub(crate) fn send(&self, request: Request) {
        self.requested
            .fetch_or(RequestSet::bit(request), Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    #[inline]
    fn requested(&self) -> RequestSet {
        RequestSet(self.requested.load(Ordering::Relaxed))
    }
}

/// The requests to one run, and which of them it has acted on.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    inbox: Arc<RequestInbox>,
    /// Whether an undo was requested when the run was built.
    undo: bool,
    /// A [`RequestSet`]: the requests that the last pass has acted on.
    acknowledged: AtomicU8,
    /// The number of signals that have come.
    signals: AtomicUsize,
}

/// What has come from outside so far. It differs from an older one if there is something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wakeup {
    pub(super) requested: RequestSet,
    signals: usize,
}

impl Requests {
    pub(crate) fn new(inbox: Arc<RequestInbox>, undo: bool) -> Self {
        Self {
            inbox,
            undo,
            ..Self::default()
        }
    }

    /// Sends a request to the run, also before it begins.
    pub(crate) fn send(&self, request: Request) {
        self.inbox.send(request);
    }

    /// Returns all requests so far.
    #[inline]
    pub(crate) fn all(&self) -> RequestSet {
        let requested = self.inbox.requested();
        if self.undo {
            requested.with(Request::Undo)
        } else {
            requested
        }
    }

    /// Notes that a pass has acted on these requests.
    pub(crate) fn acknowledge(&self, requested: RequestSet) {
        self.acknowledged.store(requested.0, Ordering::Relaxed);
    }

    /// Returns when the requests so far have an answer.
    pub(super) async fn until<T>(&self, answer: impl Fn(RequestSet) -> Option<T>) -> T {
        loop {
            let next = self.inbox.changed.notified();
            if let Some(answer) = answer(self.all()) {
                return answer;
            }
            next.await;
        }
    }

    /// Returns when there is a request that no pass has acted on.
    pub(crate) async fn until_request(&self) {
        let acknowledged = RequestSet(self.acknowledged.load(Ordering::Relaxed));
        loop {
            let next = self.inbox.changed.notified();
            if self.inbox.requested().is_more_than(acknowledged) {
                return;
            }
            next.await;
        }
    }

    /// Wakes a waiting run, because a signal has come.
    pub(crate) fn signal_came(&self) {
        self.signals.fetch_add(1, Ordering::Relaxed);
        self.inbox.changed.notify_waiters();
    }

    /// Returns what has come from outside so far.
    pub(super) fn wakeup(&self) -> Wakeup {
        Wakeup {
            requested: self.all(),
            signals: self.signals.load(Ordering::Relaxed),
        }
    }

    /// Returns when more has come from outside than `seen`.
    pub(super) async fn until_wakeup(&self, seen: Wakeup) {
        loop {
            let next = self.inbox.changed.notified();
            if self.wakeup() != seen {
                return;
            }
            next.await;
        }
    }
}
