//! External tasks: how a step takes the reports on its task, and how the task is asked to stop.
//!
//! A task's id is recorded with the beginning of the attempt that submits it, so a report can't come before
//! its task is known. A report is taken in the batch that has what it changes, and then is no longer in the
//! inbox; one on a task that nobody waits for any more is only taken out of it. The messages about the
//! progress are handed on before that batch, so each at least once.

use std::sync::atomic::Ordering;

use super::{
    Kept, Pass, RunCore,
    enter::At,
    gate::Gate,
    notify::is_observing,
    records::{Id, ROOT, Record},
    report_queue::QueuedReport,
    retry::pause,
    signal_queue::SignalQueue,
};
use crate::{
    base::{error::StepError, json::Json},
    language::scope::Op,
    model::{
        status::Status,
        table::StepMeta,
        task::{Gone, Reported, Task, TaskId, TaskReport},
    },
};

impl RunCore {
    /// Lets a step that begins an attempt have a task: the one that it has, unless that has ended.
    pub(super) fn keep_task(&self, record: &mut Record) {
        let goes_on = record
            .task()
            .is_some_and(|task| !task.status.is_final() && !task.stop_asked);
        if !goes_on {
            let cold = record.cold_mut();
            cold.task = Some(Box::new(Task::new(TaskId::new(self.execution()))));
            cold.stop_settled = false;
            self.tasked.store(true, Ordering::Relaxed);
        }
    }

    /// Takes reports on tasks that nobody waits for out of the queue. Returns whether a step that waits has
    /// new ones.
    pub(super) fn reports_came(&self, queue: &SignalQueue) -> bool {
        if queue.reports.is_empty() {
            return false;
        }
        let records = self.records();
        let mut open = Vec::new();
        records.open_tasks(ROOT, &mut open);
        let is_of = |id: &Id, task: &str| {
            let own = records[*id].task();
            own.is_some_and(|own| own.id.as_str() == task)
        };
        let gone = queue
            .reports
            .remove_gone(|task| open.iter().any(|id| is_of(id, task)));
        for report in gone {
            let execution = &**self.execution();
            tracing::debug!(
                execution,
                task = report.task,
                "a report on a task that is gone"
            );
            self.committer.mark_signal(ROOT, report.number);
        }
        open.retain(|id| records[*id].status == Status::Waiting);
        queue
            .reports
            .tell(|task| open.iter().any(|id| is_of(id, task)))
    }

    /// Returns whether there is a report for a step to take.
    pub(super) fn has_report(&self, record: &Record) -> bool {
        let queue = self.signals.as_ref();
        let task = queue.and_then(|queue| Some((queue, record.open_task()?)));
        record.is_reported() || task.is_some_and(|(queue, task)| queue.reports.has(&task.id))
    }

    /// Returns whether the execution is to be stopped, and a task below this node was not asked to.
    pub(super) fn asks_to_stop(&self, id: Id) -> bool {
        let requested = self.requests.all();
        let has_tasks = self.tasked.load(Ordering::Relaxed);
        if !has_tasks || !requested.stops() || requested.suspends() {
            return false;
        }
        let records = self.records();
        let mut open = Vec::new();
        records.open_tasks(id, &mut open);
        open.iter().any(|id| {
            let record = &records[*id];
            record.status == Status::Waiting
                && !record.is_asked_to_stop()
                && !record.cold().stop_settled
        })
    }
}

impl Pass<'_> {
    /// Returns whether there is something for a step to do that has just submitted its task.
    pub(super) fn has_news_of_task(self, id: Id) -> bool {
        let has_report = {
            let records = self.run.records();
            records[id].waits_for_report() && self.run.has_report(&records[id])
        };
        has_report && self.gate(id) != Gate::Halted || self.run.asks_to_stop(id)
    }

    /// Takes the reports on a step's task, up to the first that ends it.
    pub(super) async fn take_reports(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
    ) -> Kept<()> {
        let Some(queue) = &self.run.signals else {
            return Ok(());
        };
        while self.gate(id) != Gate::Halted {
            let task = self.run.records()[id].open_task().cloned();
            let Some(task) = task else { break };
            let Some(queued) = queue.reports.first(&task.id) else {
                break;
            };
            let change = queued.report.as_ref().map(|report| task.changes(report));
            if let Some(message) = queued
                .report
                .as_ref()
                .and_then(|report| report.check_in.as_ref())
                && change.is_some_and(|change| change.check_in)
            {
                self.tell_check_in(at, meta, id, message).await?;
            }
            let mut records = self.run.records();
            let record = &mut records[id];
            let waits = record.status == Status::Waiting;
            let cold = record.cold_mut();
            match (&mut cold.task, &queued.report) {
                (Some(own), Some(report)) if own.id == task.id => {
                    own.take(report);
                    if waits {
                        // It was submitted, whatever the attempt to do so has said.
                        cold.wait_for_report();
                    }
                }
                _ => {
                    let (execution, task) = (&**self.run.execution(), &queued.task);
                    tracing::warn!(execution, task, "a report that this version can't read");
                }
            }
            queue.reports.remove(&queued);
            self.run.committer.mark_signal(id, queued.number);
            self.run.notify(&records, id);
        }
        Ok(())
    }

    /// Hands a message about the progress to the step's `#[on_check_in]`.
    async fn tell_check_in(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        message: &Json,
    ) -> Kept<()> {
        if meta.check_in.is_none() {
            return Ok(());
        }
        if self.run.committer.owes() {
            self.run.commit().await?;
        }
        let cx = self.cx(id, self.run.records()[id].attempts);
        if let Err(error) = self.op(at, Op::CheckIn(message), &cx, None).await {
            let (execution, path, error) = (cx.execution(), cx.path(), error.text());
            tracing::warn!(execution, path, error, "an `on_check_in` failed");
        }
        Ok(())
    }

    /// Asks for a step's task to be stopped, if it has one that has not ended, and a `#[stop]`; once.
    pub(super) async fn ask_to_stop(self, at: At<'_>, meta: &'static StepMeta, id: Id) -> Kept<()> {
        if !meta.is_external() {
            return Ok(());
        }
        let attempts = {
            let mut records = self.run.records();
            let record = &mut records[id];
            let was_asked = record.is_asked_to_stop();
            if record.open_task().is_none() {
                return Ok(());
            }
            record.cold_mut().stop_settled = true;
            if was_asked {
                return Ok(());
            }
            record.attempts
        };
        let Some(policy) = &meta.stop else {
            return Ok(());
        };
        if self.run.committer.owes() {
            self.run.commit().await?;
        }
        let cx = self.cx(id, attempts);
        let mut failures = 0;
        let failed = loop {
            let Err(error) = self.op(at, Op::Stop, &cx, policy.timeout).await else {
                break None;
            };
            failures += 1;
            let Some(pause) = pause(policy.retry.as_ref(), &error, failures) else {
                break Some(error);
            };
            let clock = &self.run.options.clock;
            clock.sleep_until(clock.moment().after(pause)).await;
        };
        if let Some(error) = &failed {
            let (execution, path, error) = (cx.execution(), cx.path(), error.text());
            tracing::warn!(
                execution,
                path,
                error,
                "a `stop` failed: its task may go on"
            );
        }
        self.run.change_task(id, |task| {
            task.stop_asked = true;
            task.stop_err = failed.as_ref().map(StepError::text);
        });
        Ok(())
    }
}

impl RunCore {
    /// Adds a report of nobody's journal to the queue, if a step of the run waits for it.
    pub(crate) fn report(
        &self,
        queue: &SignalQueue,
        task: &TaskId,
        report: TaskReport,
    ) -> Reported {
        // An observer is called while the records are locked.
        if !is_observing() {
            let records = self.records();
            let mut open = Vec::new();
            records.open_tasks(ROOT, &mut open);
            let own = open
                .iter()
                .find_map(|id| records[*id].task().filter(|own| own.id == *task));
            match own {
                None => return Reported::Gone(Gone::Over),
                Some(own) if own.changes(&report).is_none() => return Reported::Stale,
                Some(_) => {}
            }
        }
        let report = QueuedReport::new(None, task.to_string(), Some(report));
        queue.reports.push(report);
        queue.came.notify_waiters();
        self.requests.signal_came();
        Reported::Taken
    }

    fn change_task(&self, id: Id, change: impl FnOnce(&mut Task)) {
        if let Some(task) = &mut self.records()[id].cold_mut().task {
            change(task);
        }
        self.committer.mark(id);
    }
}
