//! The state that all parts of an engine share, and its invariants.
//!
//! # Who changes what, and when
//!
//! * **Settings** (`store`, `owns_store`, `worker`, `lease`, `poll`, `poll_if_told`, `ageing`, `limits`, `build`,
//!   `clock`, `propagator`, `runtime`, `handle`) are set by the builder and never change.
//! * **`limiter`** counts the running turns. A turn gets its permit before it begins, and returns
//!   it when it ends, before anyone is notified of the end. While a step of it waits for another
//!   execution, the permit is lent (`turn_place`). Only one task changes the bound
//!   (`concurrency/adapt.rs`).
//! * **`running`** has an entry for each turn: inserted before the turn's task is spawned, and
//!   removed when the task's guard is dropped, even after a panic. Without an entry there is no
//!   work. One execution has two turns in the table only while the later turn waits for the end of
//!   the earlier one, whose lease had ended.
//! * **`running`'s undelivered messages** are kept from just before a claim until the claimed
//!   executions are in the table. Only the dispatcher begins and ends this.
//! * **`schedule`** is set by everything that makes an execution due. Only the dispatcher clears
//!   it, just before a claim. Its waits are noted by whoever begins one, and by the dispatcher, who
//!   alone forgets them.
//! * **`news`** gets each record from the turn's journal and each turn's end from its task. Whoever
//!   makes the execution continue clears the end.
//! * **`logs`** gets the lines of running turns, at any time. Whoever holds its `writing` takes them out and
//!   writes them: the task for it, a turn before its end, and a shutdown.
//! * **`suspects`** has the turns of executions at which processes have died more than once in a
//!   row. Such a turn gets its place before its first pass, and returns it when it ends.
//! * **`heard`** is set by the task that takes in what the store tells, and asked by the dispatcher and the
//!   heartbeat.
//! * **`refused`** and **`forms`** only grow.
//! * **`has_claimed`** is notified once, by the dispatcher, when its first claim was answered.
//! * **`panics`** counts the turns of an execution that ended by a panic, until one ends otherwise.
//! * **`trouble`** is set by the first of such turns, and cleared after each other turn.
//! * **`failed_turns`** grows with each turn that ended because the store took no more records, and
//!   is set to 0 after each other turn.
//! * **`draining`** is set once, by the first of drain, shutdown and the drop of the last handle,
//!   and never cleared. From then on nothing is claimed or started; running turns continue.
//!
//! # Locks
//!
//! Each lock is held only for a moment, and never across an `await`. If two are held, they were
//! taken in this order: first a turn's mailbox or the table `running`; then, one at a time, the
//! lock of a turn's journal, of the news, of the schedule, or one of the run's.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    forms::{Build, Forms},
    heard::Heard,
    log::Logs,
    running::Running,
    runtime::Runtime,
    schedule::Schedule,
    suspects::Suspects,
    trouble::Trouble,
};
use crate::{
    base::{clock::Clock, sync::lock, telemetry::Propagator},
    engine::{
        concurrency::{Concurrency, Limiter},
        news::News,
        retention::rules::Rules,
    },
    interpreter::RunLimits,
    language::children::RunEngine,
    model::log::LogLimits,
    store::Store,
};

/// How long to wait after a failure of the store before the next attempt: the first pause, and the
/// longest.
pub(crate) const STORE_PAUSES: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_secs(5));

/// The state that all parts of an engine share.
pub(crate) struct EngineCore {
    pub(crate) store: Arc<dyn Store>,
    /// Whether the store is closed when the engine is shut down.
    pub(crate) owns_store: bool,
    /// This engine's unique name in the store.
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    /// How often the store is checked for work from other processes.
    pub(crate) poll: Duration,
    /// The same while the store tells what others leave there.
    pub(crate) poll_if_told: Duration,
    /// How long one is due until it counts as one of the next higher priority.
    pub(crate) ageing: Option<Duration>,
    pub(crate) limits: RunLimits,
    /// What tells this build of the program from others.
    pub(crate) build: Build,
    pub(crate) clock: Clock,
    /// The way to a tracing system.
    propagator: Option<Arc<dyn Propagator>>,
    /// The runtime that the engine works on; `None` if it serves no flow, and has no tasks.
    pub(super) runtime: Option<Runtime>,
    /// The rules of retention, once the engine's flows are known.
    retention: OnceLock<Rules>,
    /// The engine as its steps reach it.
    handle: OnceLock<Arc<dyn RunEngine>>,
    /// How many turns may run at once.
    pub(crate) limiter: Limiter,
    /// What steps have logged, and is not written yet.
    pub(crate) logs: Arc<Logs>,
    /// The callers in this process that wait for an execution.
    pub(crate) news: Arc<News>,
    pub(crate) running: Running,
    pub(crate) schedule: Arc<Schedule>,
    /// What the store has told.
    pub(crate) heard: Heard,
    pub(crate) suspects: Suspects,
    pub(crate) forms: Forms,
    /// Wakes the task that makes ticks: a schedule was changed in this process.
    pub(crate) schedules_changed: Notify,
    /// Whether the first claim was answered, for what may wait until then.
    pub(crate) has_claimed: Notify,
    /// The executions that did not fit a flow of this program since it started, and were told of.
    refused: Mutex<HashSet<Arc<str>>>,
    /// In how many turns in a row the engine panicked, by execution.
    panics: Mutex<HashMap<Arc<str>, u32>>,
    /// Whether records can't be written.
    pub(super) trouble: Trouble,
    /// How many turns in a row ended because the store took no more records.
    failed_turns: AtomicU32,
    /// Whether nothing new is claimed or started.
    draining: AtomicBool,
}

/// The builder's settings.
pub(crate) struct Settings {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) owns_store: bool,
    pub(crate) worker: String,
    pub(crate) lease: Duration,
    pub(crate) poll: Duration,
    /// The same while the store tells what others leave there.
    pub(crate) poll_if_told: Duration,
    pub(crate) ageing: Option<Duration>,
    pub(crate) limits: RunLimits,
    pub(crate) log_limits: LogLimits,
    pub(crate) build: Build,
    pub(crate) clock: Clock,
    pub(crate) propagator: Option<Arc<dyn Propagator>>,
    pub(crate) concurrency: Concurrency,
    pub(crate) runtime: Option<Runtime>,
}

impl EngineCore {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings {
            store,
            owns_store,
            worker,
            lease,
            poll,
            poll_if_told,
            ageing,
            limits,
            log_limits,
            build,
            clock,
            propagator,
            concurrency,
            runtime,
        } = settings;
        Self {
            store,
            owns_store,
            worker,
            lease,
            poll,
            poll_if_told,
            ageing,
            limits,
            build,
            clock,
            propagator,
            runtime,
            retention: OnceLock::new(),
            handle: OnceLock::new(),
            limiter: Limiter::new(concurrency),
            logs: Arc::new(Logs::new(log_limits)),
            news: Arc::default(),
            running: Running::default(),
            schedule: Arc::default(),
            heard: Heard::default(),
            suspects: Suspects::default(),
            forms: Forms::default(),
            schedules_changed: Notify::new(),
            has_claimed: Notify::new(),
            refused: Mutex::default(),
            panics: Mutex::default(),
            trouble: Trouble::default(),
            failed_turns: AtomicU32::new(0),
            draining: AtomicBool::new(false),
        }
    }

    /// The way to a tracing system, if there is one.
    pub(super) fn propagator(&self) -> Option<&dyn Propagator> {
        self.propagator.as_deref()
    }

    /// Sets what the steps reach the engine by, before any of them runs.
    pub(crate) fn handle_is(&self, handle: Arc<dyn RunEngine>) {
        let _ = self.handle.set(handle);
    }

    pub(super) fn handle(&self) -> Option<Arc<dyn RunEngine>> {
        self.handle.get().cloned()
    }

    /// Notes that something is due now.
    pub(crate) fn due_now(&self) {
        self.schedule.due_at(self.clock.moment());
    }

    /// Keeps the rules of retention.
    pub(in crate::engine) fn retains(&self, rules: Rules) {
        // There is one engine, which says it once.
        let _ = self.retention.set(rules);
    }

    /// The rules of retention; none before the engine has started.
    pub(in crate::engine) fn retention(&self) -> &Rules {
        self.retention.get_or_init(Rules::default)
    }

    /// Returns whether nothing new is claimed or started.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Stops claiming and starting executions.
    pub(crate) fn begin_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Notes that an execution did not fit. Returns whether this is the first time.
    pub(crate) fn refuse(&self, id: &Arc<str>) -> bool {
        lock(&self.refused).insert(Arc::clone(id))
    }

    /// Notes that the engine panicked in a turn of this execution. Returns in how many in a row.
    pub(super) fn panicked(&self, id: &Arc<str>) -> u32 {
        let mut panics = lock(&self.panics);
        let count = panics.entry(Arc::clone(id)).or_default();
        *count += 1;
        *count
    }

    /// Notes that a turn of this execution had an end.
    pub(super) fn did_not_panic(&self, id: &str) {
        let mut panics = lock(&self.panics);
        if !panics.is_empty() {
            panics.remove(id);
        }
    }

    /// Notes that a turn ended and all its records were written.
    pub(crate) fn turn_was_recorded(&self) {
        self.failed_turns.store(0, Ordering::Relaxed);
        self.trouble.worked("records are written");
    }

    /// Notes that a turn ended because the store took no more records. Returns how long its
    /// execution must pause: longer with each such turn in a row.
    pub(crate) fn turn_failed(&self) -> Duration {
        let failed = self.failed_turns.fetch_add(1, Ordering::Relaxed).min(16);
        (STORE_PAUSES.0 * 2_u32.pow(failed)).min(self.lease)
    }
}
