//! Requests to a run from outside: to stop, to undo, or to suspend because the process is shutting
//! down.
//!
//! A [`Request`] can be sent to a [`RequestInbox`] at any time, from any task. The run checks the
//! inbox before new work begins (see [`gate`](super::gate)); a run that waits is woken.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// A request to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Request {
    /// Nothing new begins, neither a step nor an undo; the execution goes on in another process.
    Suspend,
    /// No step begins, and the execution is stopped. A rollback goes on, but does not wait.
    Stop,
    /// No step begins, and what was done is undone.
    Undo,
}

/// All requests to a run. An undo takes precedence over a stop; a suspension goes with either.
///
/// The upper bits count the undos, because each ends the pauses of a rollback anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestSet(u32);

impl RequestSet {
    const SUSPEND: u32 = 1;
    const STOP: u32 = 2;
    const UNDO: u32 = 4;
    /// A stop that came after an undo.
    const STOP_LATER: u32 = 8;
    const ONE_UNDO: u32 = 16;

    const fn with(self, request: Request) -> Self {
        Self(match request {
            Request::Suspend => self.0 | Self::SUSPEND,
            Request::Stop if self.undoes() => self.0 | Self::STOP_LATER,
            Request::Stop => self.0 | Self::STOP,
            Request::Undo => (self.0 & !Self::STOP_LATER | Self::UNDO).wrapping_add(Self::ONE_UNDO),
        })
    }

    /// Returns an undo, followed by these requests.
    const fn after_undo(self) -> Self {
        let stop = if self.stops() { Self::STOP_LATER } else { 0 };
        Self((self.0 | Self::UNDO | stop).wrapping_add(Self::ONE_UNDO))
    }

    /// Returns the set without the undos.
    const fn without_undo(self) -> Self {
        let stops = self.0 & (Self::STOP | Self::STOP_LATER) != 0;
        let stop = if stops { Self::STOP } else { 0 };
        Self(self.0 & Self::SUSPEND | stop)
    }

    const fn undos(self) -> u32 {
        self.0 / Self::ONE_UNDO
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

    /// Returns whether a rollback may not wait: an undo that would be tried again later has failed.
    pub(crate) const fn ends_pauses(self) -> bool {
        self.stops() || self.0 & Self::STOP_LATER != 0
    }

    pub(crate) const fn undoes(self) -> bool {
        self.0 & Self::UNDO != 0
    }

    /// Returns whether this set holds a request that `other` does not.
    pub(crate) const fn is_more_than(self, other: Self) -> bool {
        const BITS: u32 = RequestSet::ONE_UNDO - 1;
        self.0 & BITS & !other.0 != 0 || self.undos() != other.undos()
    }
}

/// Receives requests, for one run or several.
#[derive(Debug, Default)]
pub(crate) struct RequestInbox {
    /// A [`RequestSet`].
    requested: AtomicU32,
    changed: Notify,
}

impl RequestInbox {
    pub(crate) fn send(&self, request: Request) {
        let with = |bits| Some(RequestSet(bits).with(request).0);
        let _ = self
            .requested
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, with);
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
    /// Whether the run is past its pivot and has not failed: then it is not undone any more.
    past_pivot: AtomicBool,
    /// A [`RequestSet`]: the requests that the last pass has acted on.
    acknowledged: AtomicU32,
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

    /// Returns all requests so far, without an undo that comes after the pivot.
    #[inline]
    pub(crate) fn all(&self) -> RequestSet {
        let requested = self.requested();
        if requested.undoes() && self.past_pivot.load(Ordering::Relaxed) {
            return requested.without_undo();
        }
        requested
    }

    #[inline]
    fn requested(&self) -> RequestSet {
        let requested = self.inbox.requested();
        if self.undo {
            requested.after_undo()
        } else {
            requested
        }
    }

    /// Notes whether the run is past its pivot.
    pub(super) fn set_past_pivot(&self, is_past: bool) {
        self.past_pivot.store(is_past, Ordering::Relaxed);
    }

    /// Returns whether an undo is not carried out, because the run is past its pivot.
    pub(crate) fn refuses_undo(&self) -> bool {
        self.past_pivot.load(Ordering::Relaxed) && self.requested().undoes()
    }

    /// Returns whether an undo was requested that no pass has acted on.
    pub(super) fn has_new_undo(&self) -> bool {
        let acknowledged = RequestSet(self.acknowledged.load(Ordering::Relaxed));
        let all = self.all();
        all.undoes() && all.undos() != acknowledged.undos()
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
            if self.all().is_more_than(acknowledged) {
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
