//! What somebody outside asks of a run: to stop, to be undone, or to make way as its process is
//! shutting down.
//!
//! A [`Request`] is left in a [`RequestInbox`] at any time, from any task. The run looks there where
//! something would begin (see [`gate`](super::gate)); what waits is woken.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// What a run can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Request {
    /// Nothing new begins, neither a step nor an undo; it goes on in another process.
    Suspend,
    /// No step begins; it is stopped. A rollback goes on.
    Stop,
    /// No step begins, and what was done is undone.
    Undo,
}

/// All that a run was asked for. To be undone is more than to be stopped; to suspend goes with
/// either.
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

    /// Whether nothing new may begin, not even an undo.
    pub(crate) const fn suspends(self) -> bool {
        self.0 & Self::SUSPEND != 0
    }

    /// Whether it is to be stopped, and not undone.
    pub(crate) const fn stops(self) -> bool {
        self.0 & (Self::STOP | Self::UNDO) == Self::STOP
    }

    pub(crate) const fn undoes(self) -> bool {
        self.0 & Self::UNDO != 0
    }

    /// Whether it holds a request that `other` does not.
    pub(crate) const fn is_more_than(self, other: Self) -> bool {
        self.0 & !other.0 != 0
    }
}

/// Where requests are left.
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

/// The requests of one run, and what it has made of them.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    inbox: Arc<RequestInbox>,
    /// Whether it is to be undone from the start.
    undo: bool,
    /// A [`RequestSet`]: what the last pass has acted on.
    acknowledged: AtomicU8,
    /// How many signals were given to their steps.
    signals: AtomicUsize,
}

/// What may have come from outside since one last looked.
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

    /// Asks the run for something, now or when it begins.
    pub(crate) fn send(&self, request: Request) {
        self.inbox.send(request);
    }

    /// All that it was asked for.
    #[inline]
    pub(crate) fn all(&self) -> RequestSet {
        let requested = self.inbox.requested();
        if self.undo {
            requested.with(Request::Undo)
        } else {
            requested
        }
    }

    /// Notes that a pass has acted on these.
    pub(crate) fn acknowledge(&self, requested: RequestSet) {
        self.acknowledged.store(requested.0, Ordering::Relaxed);
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

    /// Wakes what waits, as a signal was given to a step.
    pub(super) fn signal_given(&self) {
        self.signals.fetch_add(1, Ordering::Relaxed);
        self.inbox.changed.notify_waiters();
    }

    /// What has come from outside so far.
    pub(super) fn wakeup(&self) -> Wakeup {
        Wakeup {
            requested: self.all(),
            signals: self.signals.load(Ordering::Relaxed),
        }
    }

    /// Returns when more has come from outside than this.
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
