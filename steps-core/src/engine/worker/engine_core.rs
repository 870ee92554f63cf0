//! What all parts of an engine share, and what is true of it.
//!
//! # Who changes what, and when
//!
//! * **Settings** (`store`, `worker`, `lease`, `poll`, `limits`, `clock`) are set by the builder,
//!   and never change.
//! * **`limiter`** counts the turns that run. A turn has its place before it begins, and gives it
//!   back when it ends, before anybody is told of the end. The bound itself is changed by its own
//!   task only (`concurrency/adapt.rs`).
//! * **`running`** has an entry for each turn: entered before the turn's task is spawned, and taken
//!   out by the drop of that task's guard, so however the task ends. No entry means no work.
//!   Two turns of one execution are in it only while the later one waits for the end of the
//!   earlier one, whose lease had ended.
//! * **`running`'s undelivered messages** are kept from just before a claim until its executions
//!   are in the table; only the dispatcher begins and ends that.
//! * **`schedule`** is set by all who make something due; only the dispatcher clears it, just before
//!   a claim.
//! * **`news`** is told of each record by the turn's journal and of each turn's end by its task.
//!   An end is taken back by whoever makes the execution go on.
//! * **`refused`** only grows.
//! * **`failed_turns`** grows with each turn that ended as the store took no more records, and is 0
//!   after each that ended otherwise.
//! * **`draining`** is set once, by the first of drain, shutdown and the drop of the last handle, and
//!   never taken back. From then on nothing is claimed or started; what runs goes on.
//!
//! # Locks
//!
//! Each is held for a moment, and never across an `await`. Where two are held, it is in this order:
//! a turn's mailbox or the table `running`; then, of a turn's journal, of the news, of the schedule,
//! or those of the run, one at a time.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use super::{running::Running, schedule::Schedule};
use crate::{
    base::{clock::Clock, sync::lock},
    engine::{
        concurrency::{Concurrency, Limiter},
        news::News,
    },
    interpreter::RunLimits,
    store::Store,
};

/// How long to wait after the store failed before it is asked again: at first, and at most.
pub(crate) const STORE_PAUSES: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_secs(5));

/// What all parts of an engine share.
pub(crate) struct EngineCore {
    pub(crate) store: Arc<dyn Store>,
    /// This engine's name in the store, which no other has.
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    /// How often the store is asked for what other processes left there.
    pub(crate) poll: Duration,
    pub(crate) limits: RunLimits,
    pub(crate) clock: Clock,
    /// How many turns may run at once.
    pub(crate) limiter: Limiter,
    /// Who waits in this process for which execution.
    pub(crate) news: Arc<News>,
    pub(crate) running: Running,
    pub(crate) schedule: Schedule,
    /// The executions that did not fit a flow of this program, since it started.
    refused: Mutex<HashSet<Arc<str>>>,
    /// How many turns in a row ended as the store took no more records.
    failed_turns: AtomicU32,
    /// Whether nothing is taken up any more.
    draining: AtomicBool,
}

/// What the builder decides.
pub(crate) struct Settings {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    pub(crate) poll: Duration,
    pub(crate) limits: RunLimits,
    pub(crate) clock: Clock,
    pub(crate) concurrency: Concurrency,
}

impl EngineCore {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings {
            store,
            worker,
            lease,
            poll,
            limits,
            clock,
            concurrency,
        } = settings;
        Self {
            store,
            worker,
            lease,
            poll,
            limits,
            clock,
            limiter: Limiter::new(concurrency),
            news: Arc::default(),
            running: Running::default(),
            schedule: Schedule::default(),
            refused: Mutex::default(),
            failed_turns: AtomicU32::new(0),
            draining: AtomicBool::new(false),
        }
    }

    /// Notes that something is due now.
    pub(crate) fn due_now(&self) {
        self.schedule.due_at(self.clock.now());
    }

    /// Notes that something is due at this time, if there is one.
    pub(crate) fn due_at(&self, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.schedule.due_at(time);
        }
    }

    /// Whether nothing is taken up any more.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Takes nothing up any more.
    pub(crate) fn begin_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Notes that an execution did not fit. Returns whether that is the first time.
    pub(crate) fn refuse(&self, id: &Arc<str>) -> bool {
        lock(&self.refused).insert(Arc::clone(id))
    }

    /// Notes that a turn has ended with its records written.
    pub(crate) fn turn_was_recorded(&self) {
        self.failed_turns.store(0, Ordering::Relaxed);
    }

    /// Notes that a turn has ended as the store took no more records. Returns how long its
    /// execution is to pause: longer with each such turn in a row.
    pub(crate) fn turn_failed(&self) -> Duration {
        let failed = self.failed_turns.fetch_add(1, Ordering::Relaxed).min(16);
        (STORE_PAUSES.0 * 2_u32.pow(failed)).min(self.lease)
    }
}
