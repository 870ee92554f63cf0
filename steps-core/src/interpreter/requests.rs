//! What somebody outside asks of a run: to stop, to be undone, or to make way as its process is
//! shutting down. It is asked at any time, from any task; the run looks where something would
//! begin.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::{Pass, Shared, records::Id};
use crate::model::status::Status;

/// What a run can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
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
pub(crate) struct Asked(u8);

impl Asked {
    const SUSPEND: u8 = 1;
    const STOP: u8 = 2;
    const UNDO: u8 = 4;

    fn with(self, ask: Ask) -> Self {
        Self(self.0 | Self::bit(ask))
    }

    const fn bit(ask: Ask) -> u8 {
        match ask {
            Ask::Suspend => Self::SUSPEND,
            Ask::Stop => Self::STOP,
            Ask::Undo => Self::UNDO,
        }
    }

    pub(crate) const fn is_nothing(self) -> bool {
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

    pub(crate) const fn is_more_than(self, other: Self) -> bool {
        self.0 & !other.0 != 0
    }
}

/// Where requests are left.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    asked: AtomicU8,
    given: Notify,
}

impl Requests {
    pub(crate) fn ask(&self, ask: Ask) {
        self.asked.fetch_or(Asked::bit(ask), Ordering::Relaxed);
        self.given.notify_waiters();
    }

    #[inline]
    fn asked(&self) -> Asked {
        Asked(self.asked.load(Ordering::Relaxed))
    }

    /// Ends when more is asked for than this.
    async fn more_than(&self, seen: Asked) {
        loop {
            let next = self.given.notified();
            if self.asked().is_more_than(seen) {
                return;
            }
            next.await;
        }
    }
}

/// Where the requests of a run come from.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    pub(crate) requests: std::sync::Arc<Requests>,
    /// Whether it is to be undone from the start.
    pub(crate) undo: bool,
    /// What the last pass has heeded.
    heeded: AtomicU8,
    /// How many signals were given to their steps.
    signals: AtomicUsize,
}

impl Asking {
    pub(crate) fn new(requests: std::sync::Arc<Requests>, undo: bool) -> Self {
        Self {
            requests,
            undo,
            heeded: AtomicU8::default(),
            signals: AtomicUsize::default(),
        }
    }
}

impl Shared {
    /// Asks the run for something, now or when it begins.
    pub(crate) fn ask(&self, ask: Ask) {
        self.asking.requests.ask(ask);
    }

    /// What it is asked for.
    #[inline]
    pub(crate) fn asked(&self) -> Asked {
        let asked = self.asking.requests.asked();
        if self.asking.undo {
            asked.with(Ask::Undo)
        } else {
            asked
        }
    }

    /// A signal was given to a step.
    pub(super) fn signalled(&self) {
        self.asking.signals.fetch_add(1, Ordering::Relaxed);
        self.asking.requests.given.notify_waiters();
    }

    /// What branches at once have to take note of while they wait.
    pub(super) fn news(&self) -> News {
        News {
            asked: self.asked(),
            signals: self.asking.signals.load(Ordering::Relaxed),
        }
    }

    /// Ends when there is other news than this.
    pub(super) async fn other_news(&self, than: News) {
        loop {
            let next = self.asking.requests.given.notified();
            if self.news() != than {
                return;
            }
            next.await;
        }
    }

    /// A pass has heeded this.
    pub(crate) fn heeded(&self, asked: Asked) {
        self.asking.heeded.store(asked.0, Ordering::Relaxed);
    }

    /// Ends when another pass is to be made, as more is asked for.
    pub(crate) async fn roused(&self) {
        let heeded = Asked(self.asking.heeded.load(Ordering::Relaxed));
        self.asking.requests.more_than(heeded).await;
    }

    /// Whether anything may keep a step from beginning: saves most of them a closer look.
    #[inline]
    pub(super) fn is_held_up(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || !self.asked().is_nothing()
    }

    /// Whether what has not begun at `id` never will.
    pub(crate) fn is_cancelled(&self, id: Id) -> bool {
        self.asked().undoes()
            || self.cancelled.load(Ordering::Relaxed) && self.tree().is_cancelled(id)
    }

    /// Whether the step at `id` had better end early.
    pub(crate) fn had_better_end(&self, id: Id) -> bool {
        if !self.is_held_up() {
            return false;
        }
        let status = self.tree()[id].status;
        match status {
            // A rollback goes on to its end.
            Status::Undoing => self.asked().suspends(),
            _ => !self.asked().is_nothing() || self.is_cancelled(id),
        }
    }
}

/// What came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) asked: Asked,
    pub(super) signals: usize,
}

/// Whether something may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// It never will: what has not begun is skipped, what waits is given up.
    Cancelled,
    /// Not now: everything stays as it is.
    Halted,
}

impl Pass<'_> {
    /// Whether something may begin at `id`. A failure beside it goes before a stop: it leads to the
    /// rollback, which is not stopped.
    #[inline]
    pub(super) fn gate(self, id: Id) -> Gate {
        if self.run.is_held_up() {
            self.closed(id)
        } else {
            Gate::Open
        }
    }

    #[cold]
    fn closed(self, id: Id) -> Gate {
        let asked = self.run.asked();
        if asked.suspends() {
            Gate::Halted
        } else if self.run.is_cancelled(id) {
            Gate::Cancelled
        } else if asked.stops() {
            Gate::Halted
        } else {
            Gate::Open
        }
    }

    /// Whether not even an undo may begin.
    pub(super) fn is_suspended(self) -> bool {
        self.run.asked().suspends()
    }
}
