//! Makes one attempt of a step: decides whether it may begin, and records its answer.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    End, Kept, Pass,
    deadlines::cut_off,
    enter::At,
    gate::Gate,
    records::{Id, Records},
    sooner,
    user_code::{Instrumented, is_traced, traced},
};
use crate::{
    base::{clock::Deadline, error::StepError, json::Json, telemetry::Begun},
    language::{
        log::span::Doing,
        scope::{Answer, OpResult},
    },
    model::{state::Until, status::Status, table::StepMeta},
};

/// What to do with a step, by its record.
enum Look {
    /// The step has ended, or can't go on now.
    End(End),
    /// An attempt begins. The step may have been running when an earlier process ended.
    Attempt {
        number: u32,
        verify: bool,
        observe: bool,
    },
    /// It sleeps, and how long is asked once more: see `pauses`.
    Ask,
    /// The process died too often at the step: no further attempt begins.
    Dying,
    /// The step has not ended by its deadline.
    Late,
    /// It waits for a report, and the execution is to stop: its `#[stop]` is called.
    AskToStop,
    /// The step was waiting when a sibling failed or an undo was requested: it makes no further
    /// attempt.
    GiveUp,
}

impl Pass<'_> {
    fn look(self, id: Id, meta: &StepMeta, within: Option<Duration>, now: Timestamp) -> Look {
        let gate = self.gate(id);
        let asks_to_stop = meta.is_external() && self.run.asks_to_stop(id);
        let mut records = self.run.records();
        // The program may have set it, or set it no more.
        if matches!(records[id].status, Status::Running | Status::Waiting)
            && (self.run).keep_time(&mut records[id], within, meta.gives_up())
        {
            self.run.changed(&records, id);
        }
        let (limit, late_around) = (
            self.run.limit(&records, id).map(|limit| limit.deadline),
            self.run.late_around(&records, id).is_some(),
        );
        let record = &mut records[id];
        let is_late = within.is_some() && self.run.is_past_own(record);
        let reported = meta.is_external() && record.is_reported();
        let has_output = reported && record.is_reported_done();
        if gate != Gate::Cancelled && !is_late && self.asks_again(record, id, meta) {
            return Look::Ask;
        }
        let mut verify = false;
        let goes_on = reported || meta.waits() && record.status == Status::Waiting;
        match record.status {
            Status::Done => return Look::End(End::Done),
            Status::Waiting if gate == Gate::Halted && asks_to_stop => return Look::AskToStop,
            Status::Pending | Status::Running | Status::Waiting if gate == Gate::Halted => {
                return Look::End(End::Waiting(None));
            }
            Status::Pending if gate == Gate::Cancelled => {
                record.skip(now);
                self.run.changed(&records, id);
                return Look::End(End::Interrupted);
            }
            Status::Pending => {}
            Status::Running if late_around => return Look::GiveUp,
            Status::Running if is_late => return Look::Late,
            Status::Running
                if record.cold().deaths > 0
                    && (meta.policy).dies(record.cold().deaths, self.run.options.limits.deaths) =>
            {
                return Look::Dying;
            }
            Status::Running => verify = meta.verify && !reported,
            Status::Waiting if gate == Gate::Cancelled && !has_output => return Look::GiveUp,
            Status::Waiting if is_late && !has_output => return Look::Late,
            Status::Waiting => match record.cold().until {
                Some(Until::Time(time)) if self.run.options.looks => {
                    let deadline = self.run.deadline(record, time);
                    return Look::End(End::Waiting(Some(deadline)));
                }
                Some(Until::Signal | Until::Child | Until::Report) | None
                    if self.run.options.looks =>
                {
                    return Look::End(End::Waiting(None));
                }
                Some(Until::Time(time)) if !self.may_ask(meta, record) => {
                    let deadline = self.run.deadline(record, time);
                    if self.run.is_ahead(deadline) {
                        return Look::End(End::Waiting(sooner(Some(deadline), limit)));
                    }
                    verify = meta.verify && std::mem::take(&mut record.cold_mut().verify_owed);
                }
                Some(Until::Signal)
                    if record.cold().input.is_none()
                        && !(meta.gives_up() && self.run.is_to_give_up(record)) =>
                {
                    return Look::End(End::Waiting(limit));
                }
                Some(Until::Child) if !self.run.has_news_of_child(record) => {
                    return Look::End(End::Waiting(limit));
                }
                Some(Until::Report) if !reported && !record.is_asked_to_stop() => {
                    return Look::End(End::Waiting(limit));
                }
                _ => verify = meta.verify && std::mem::take(&mut record.cold_mut().verify_owed),
            },
            _ => return Look::End(End::Failed),
        }
        if meta.is_external() && !reported {
            self.run.keep_task(&mut records[id]);
        }
        records.begin(id, now);
        let record = &mut records[id];
        self.run.keep_time(record, within, meta.gives_up());
        if goes_on {
            // The end of a wait belongs to the attempt that began it.
            record.attempts = record.attempts.saturating_sub(1).max(1);
        }
        let look = Look::Attempt {
            number: record.attempts,
            verify,
            observe: meta.observe && record.cold().before.is_none(),
        };
        self.run.changed(&records, id);
        look
    }

    /// Returns whether a step that waits is one that polls, and may be asked before its time.
    fn may_ask(self, meta: &StepMeta, record: &super::records::Record) -> bool {
        self.run.options.eager && meta.policy.poll.is_some() && record.cold().errors.is_empty()
    }

    /// Runs one step, with at most one attempt in a pass.
    pub(super) async fn step(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        within: Option<Duration>,
        now: &mut Timestamp,
    ) -> Kept<End> {
        loop {
            if meta.is_signal() {
                // Before its time is over.
                self.run.take_signal(id);
            } else if meta.is_external() {
                self.take_reports(at, meta, id).await?;
            }
            let (number, verify, observe) = match self.look(id, meta, within, *now) {
                Look::End(end) => return Ok(end),
                Look::Attempt {
                    number,
                    verify,
                    observe,
                } => (number, verify, observe),
                Look::Ask => {
                    self.ask_again(at, id).await;
                    continue;
                }
                Look::Dying => return self.end_dying(at, meta, id, now).await,
                Look::Late => return self.end_late(at, meta, id, within, id, now).await,
                Look::GiveUp => return self.give_up(at, meta, id, now).await,
                Look::AskToStop => {
                    self.ask_to_stop(at, meta, id).await?;
                    return Ok(End::Waiting(None));
                }
            };
            let attempt = self.attempt(at, meta, id, (number, verify, observe), within, now);
            let (end, is_over) = if is_traced() {
                let path = self.run.records().path(id);
                let span = tracing::debug_span!("step", path);
                Instrumented(span, Box::pin(attempt)).await?
            } else {
                attempt.await?
            };
            if is_over {
                return Ok(end);
            }
            if meta.is_external() && matches!(end, End::Waiting(_)) && self.has_news_of_task(id) {
                continue;
            }
            // A signal that came before its step is taken at once.
            if !(meta.is_signal() && matches!(end, End::Waiting(_)) && self.run.take_signal(id)) {
                return Ok(end);
            }
        }
    }

    /// Makes an attempt, with what comes before and after it. Returns whether the step is over in this pass,
    /// whatever has come for it meanwhile.
    async fn attempt(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        (number, verify, observe): (u32, bool, bool),
        within: Option<Duration>,
        now: &mut Timestamp,
    ) -> Kept<(End, bool)> {
        let cx = self.cx(id, number);
        if (verify || observe)
            && let Some(end) = self.prepare(at, meta, id, &cx, verify, now).await
        {
            return Ok((end, true));
        }
        if self.run.committer.has_journal() {
            if meta.is_external() && self.run.records()[id].is_reported() {
                // It only takes what was reported.
                self.run.committer.owe();
            } else {
                self.commit_beginning(meta).await?;
            }
        }
        let run = self.in_time(at, meta, id, &cx);
        let begun = Begun::now();
        let answer = traced(Doing::Step, run, &cx).await;
        *now = self.now();
        self.measure(meta, id, begun, &answer);
        if let Some(holder) = cut_off(&answer) {
            let late = self.end_late(at, meta, id, within, holder, now).await;
            return Ok((late?, true));
        }
        let end = self.answered(at, meta, id, &cx, answer, now).await?;
        Ok((end, false))
    }

    /// Commits the beginning of an attempt, which must be recorded before the effect can happen. A `let` line
    /// and a sleep have none: what comes of them is committed with what follows, or with the end of the pass
    /// or of the branch. Before a signal is taken, what was done before must be safe: a batch with a signal is
    /// lost if somebody has replaced that. And a `join` asks for a child, which must be safe.
    pub(super) async fn commit_beginning(self, meta: &StepMeta) -> Kept<()> {
        if meta.is_let() || meta.is_sleep() {
            self.run.committer.owe();
            return Ok(());
        }
        self.run.commit().await
    }

    /// Records the result of an attempt.
    pub(super) async fn answered(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        cx: &crate::language::cx::Cx,
        answer: OpResult,
        now: &mut Timestamp,
    ) -> Kept<End> {
        match self.recorded_as(at, meta, id, cx, answer, now).await? {
            // No further attempt will be made.
            End::Waiting(_) if self.run.is_cancelled(id) => self.give_up(at, meta, id, now).await,
            end => Ok(end),
        }
    }

    async fn recorded_as(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        cx: &crate::language::cx::Cx,
        answer: OpResult,
        now: &mut Timestamp,
    ) -> Kept<End> {
        let mut error = match answer {
            Ok(Answer::Done(saved)) => {
                return Ok(self.look_after(at, meta, id, cx, saved, now).await);
            }
            Ok(Answer::Unkept(unkept)) => return self.unkept(at, meta, id, cx, unkept, now).await,
            Ok(Answer::Wait(until)) => return Ok(self.wait(id, until)),
            Ok(Answer::NotYet | Answer::Seen(_) | Answer::Undone) => {
                match self.not_yet(meta, id, *now) {
                    Ok(end) => return Ok(end),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if meta.verify {
            match self.verified(at, meta, id, cx, now).await {
                Ok(end) => return Ok(end),
                Err(None) => {}
                Err(Some(other)) => {
                    self.run.records()[id].cold_mut().verify_owed = true;
                    error = error.and(&other.text());
                }
            }
            *now = self.now();
        }
        Ok(self.failed(meta, id, &error, *now))
    }

    /// Prepares an attempt: asks `#[verify]` whether an earlier one had its effect, and calls
    /// `#[observe]`. Returns the end of the step, if no attempt follows now.
    async fn prepare(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        cx: &crate::language::cx::Cx,
        verify: bool,
        now: &mut Timestamp,
    ) -> Option<End> {
        let prepared = if verify {
            match self.verified(at, meta, id, cx, now).await {
                Ok(end) => return Some(end),
                Err(None) => Ok(()),
                Err(Some(error)) => {
                    self.run.records()[id].cold_mut().verify_owed = true;
                    Err(error)
                }
            }
        } else {
            Ok(())
        };
        let looks = meta.observe && self.run.records()[id].cold().before.is_none();
        let prepared = match prepared {
            Ok(()) if looks => self.look_before(at, meta, id, cx).await,
            other => other,
        };
        let error = prepared.err()?;
        *now = self.now();
        Some(self.failed(meta, id, &error, *now))
    }

    pub(super) fn done(self, id: Id, saved: Option<Json>, now: Timestamp) -> End {
        let mut records = self.run.records();
        records[id].finish(now, saved);
        self.run.changed(&records, id);
        End::Done
    }

    fn wait(self, id: Id, until: Until) -> End {
        let mut records = self.run.records();
        records[id].wait(until);
        self.run.changed(&records, id);
        let until = match until {
            Until::Time(time) => Some(self.run.deadline(&records[id], time)),
            Until::Signal | Until::Child | Until::Report => None,
        };
        self.waiting(&records, id, until)
    }

    pub(super) fn wait_until(self, id: Id, now: Timestamp, pause: Duration) -> End {
        let deadline = self.deadline(now, pause);
        self.run
            .change(id, |record| record.wait_until(now, deadline));
        self.waiting(&self.run.records(), id, Some(deadline))
    }

    /// Returns the end of a step that waits: until then, or until the earliest deadline that holds for it.
    fn waiting(self, records: &Records, id: Id, until: Option<Deadline>) -> End {
        let limit = self.run.limit(records, id);
        End::Waiting(sooner(until, limit.map(|limit| limit.deadline)))
    }

    /// Waits for the next poll. An error if that was the last.
    fn not_yet(self, meta: &StepMeta, id: Id, now: Timestamp) -> Result<End, StepError> {
        let Some(poll) = meta.policy.poll else {
            let error = "it gave `None`, but has no `poll` policy";
            return Err(StepError::fatal(error));
        };
        let polls = {
            let mut records = self.run.records();
            let record = &mut records[id];
            // A failed attempt is no "not yet" and does not count as a poll; `retry` bounds the
            // failures in a row.
            if record.cold().error_count() > 0 {
                let cold = record.cold_mut();
                cold.failures = cold.failures.saturating_add(cold.clear_errors());
            }
            record.attempts.saturating_sub(record.cold().failures)
        };
        if poll.times != 0 && polls >= poll.times {
            let error = format!("not ready after {polls} polls, {:?} apart", poll.every);
            return Err(StepError::fatal(error));
        }
        Ok(self.wait_until(id, now, poll.every))
    }
}
