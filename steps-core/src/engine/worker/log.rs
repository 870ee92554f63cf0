//! What steps log, on its way to the store: the lines of all executions wait in one buffer, and go with one
//! call of the store. A line costs the step that logs it no more than a moment: it is never waited for, and
//! what can't be written is told of and left out, not made an error.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{trouble::Trouble, turn_journal::TurnJournal};
use crate::{
    base::sync::lock,
    interpreter::StepLog,
    language::log::StepLine,
    model::log::{LogLimits, text},
    store::{ErrorKind, NewLine, NewLines, Store},
};

/// How long a line waits for others at most.
const EVERY: Duration = Duration::from_millis(250);

/// How long to wait after a failure of the store before the next attempt: the first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What a line takes in memory beside its texts, roughly.
const LINE: usize = 100;

/// Stands for a line that was left out.
const LEFT_OUT: &str = "(left out: more waited to be written than may)";

/// The lines that wait to be written.
pub(crate) struct Logs {
    pub(crate) limits: LogLimits,
    waiting: Mutex<Waiting>,
    /// What a call of the store has, or had in vain. Whoever calls holds it.
    writing: tokio::sync::Mutex<Vec<NewLine>>,
    /// Notified by the first line that waits, and when there is little room left.
    first: Notify,
    full: Notify,
    /// The turns that may log have numbers.
    turns: AtomicU64,
    trouble: Trouble,
}

#[derive(Default)]
struct Waiting {
    /// By the number of the turn and the step's path.
    steps: HashMap<(u64, String), OfStep>,
    bytes: usize,
    /// How many lines came so far: their order.
    lines: u64,
}

/// What waits of one step.
struct OfStep {
    journal: Arc<TurnJournal>,
    lines: VecDeque<(u64, NewLine)>,
    /// How many were left out before them.
    left_out: u64,
}

impl Logs {
    pub(crate) fn new(limits: LogLimits) -> Self {
        Self {
            limits,
            waiting: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            first: Notify::new(),
            full: Notify::new(),
            turns: AtomicU64::new(0),
            trouble: Trouble::default(),
        }
    }

    fn add(&self, turn: &TurnLog, line: NewLine) {
        let mut waiting = lock(&self.waiting);
        let is_first = waiting.steps.is_empty();
        waiting.add(turn, line, &self.limits);
        let is_full = waiting.bytes > self.limits.waiting / 2;
        drop(waiting);
        if is_first {
            self.first.notify_one();
        }
        if is_full {
            self.full.notify_one();
        }
    }
}

fn bytes(line: &NewLine) -> usize {
    LINE + line.path.len() + line.message.len()
}

impl Waiting {
    /// Adds a line. Where there is no room, it takes that of older lines of its step, or else only what stands
    /// for a line that was left out is kept: so each step that logs has at least one line.
    fn add(&mut self, turn: &TurnLog, mut line: NewLine, limits: &LogLimits) {
        let Self {
            steps,
            bytes: all,
            lines,
        } = self;
        let of_step = steps.entry((turn.number, line.path.clone()));
        let of_step = of_step.or_insert_with(|| OfStep {
            journal: Arc::clone(&turn.journal),
            lines: VecDeque::new(),
            left_out: 0,
        });
        while of_step.lines.len() >= limits.per_step || *all + bytes(&line) > limits.waiting {
            let Some((_, oldest)) = of_step.lines.pop_front() else {
                break;
            };
            *all -= bytes(&oldest);
            of_step.left_out += 1;
        }
        if *all + bytes(&line) > limits.waiting {
            LEFT_OUT.clone_into(&mut line.message);
        }
        *all += bytes(&line);
        *lines += 1;
        of_step.lines.push_back((*lines, line));
    }

    /// Takes what can be written: all, but for that of executions that are not made yet.
    fn take(&mut self) -> Vec<NewLine> {
        let mut taken = Vec::new();
        let is_made = |_: &(u64, String), of_step: &mut OfStep| of_step.journal.lease().is_some();
        for (_, of_step) in self.steps.extract_if(is_made) {
            let Some(lease) = of_step.journal.lease() else {
                continue;
            };
            let mut left_out = of_step.left_out;
            for (order, mut line) in of_step.lines {
                self.bytes -= bytes(&line);
                line.key = lease.key;
                line.left_out = std::mem::take(&mut left_out);
                taken.push((order, line));
            }
        }
        taken.sort_unstable_by_key(|(order, _)| *order);
        taken.into_iter().map(|(_, line)| line).collect()
    }

    /// Drops what waits of a turn whose execution was never made.
    fn forget(&mut self, number: u64) {
        for (_, of_step) in self.steps.extract_if(|(turn, _), _| *turn == number) {
            self.bytes -= of_step
                .lines
                .iter()
                .map(|(_, line)| bytes(line))
                .sum::<usize>();
        }
    }
}

/// The log of one turn.
pub(crate) struct TurnLog {
    logs: Arc<Logs>,
    journal: Arc<TurnJournal>,
    number: u64,
    /// Whether something was logged since it was last asked.
    has_logged: AtomicBool,
}

impl TurnLog {
    pub(super) fn new(logs: &Arc<Logs>, journal: &Arc<TurnJournal>) -> Arc<Self> {
        Arc::new(Self {
            logs: Arc::clone(logs),
            journal: Arc::clone(journal),
            number: logs.turns.fetch_add(1, Ordering::Relaxed),
            has_logged: AtomicBool::new(false),
        })
    }

    /// Writes what was logged, before the end of the turn is told: whoever hears of it finds the lines.
    pub(super) async fn write(&self, store: &dyn Store) {
        if self.has_logged.swap(false, Ordering::Relaxed) {
            // An error is told of, and the lines wait for the next call.
            let _ = Box::pin(self.logs.write(store)).await;
        }
    }
}

impl Drop for TurnLog {
    fn drop(&mut self) {
        if self.journal.lease().is_none() {
            lock(&self.logs.waiting).forget(self.number);
        }
    }
}

impl StepLog for TurnLog {
    fn log(&self, path: String, at: Timestamp, line: &StepLine<'_>) {
        let line = NewLine {
            key: 0,
            left_out: 0,
            at,
            level: line.level,
            path,
            attempt: line.attempt,
            is_undo: line.is_undo,
            message: text(line.message, self.logs.limits.line),
        };
        self.logs.add(self, line);
        self.has_logged.store(true, Ordering::Relaxed);
    }
}

/// The store could not be reached: the lines wait on.
pub(in crate::engine) struct NotWritten;

impl Logs {
    /// Writes all lines that wait. Those that a call before could not write come first.
    pub(in crate::engine) async fn write(&self, store: &dyn Store) -> Result<(), NotWritten> {
        let mut writing = self.writing.lock().await;
        if writing.is_empty() {
            *writing = lock(&self.waiting).take();
        }
        while !writing.is_empty() {
            let lines = NewLines {
                lines: writing.clone(),
                per_step: self.limits.per_step,
                per_execution: self.limits.per_execution,
            };
            match store.log(lines).await {
                Ok(()) => self.trouble.worked("what steps log is written"),
                Err(error) if error.kind() == ErrorKind::Rejected => {
                    // It would be refused again, and hold up all that comes.
                    let lines = writing.len();
                    tracing::error!(lines, %error, "what steps have logged is left out");
                }
                Err(error) => {
                    self.trouble
                        .failed("what steps log can't be written", None, &error);
                    return Err(NotWritten);
                }
            }
            *writing = lock(&self.waiting).take();
        }
        Ok(())
    }
}

/// Writes what steps log, a moment after it was logged.
pub(in crate::engine) async fn write_logs(logs: Arc<Logs>, store: Arc<dyn Store>) {
    let mut pause = PAUSES.0;
    loop {
        logs.first.notified().await;
        // With what comes until then, unless there is little room for that.
        let _ = tokio::time::timeout(EVERY, logs.full.notified()).await;
        while logs.write(&*store).await.is_err() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        pause = PAUSES.0;
        // Those of an execution that is not made yet wait on.
        if !lock(&logs.waiting).steps.is_empty() {
            logs.first.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;
