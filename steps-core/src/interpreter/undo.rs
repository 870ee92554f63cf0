//! The undo of one step: its attempts, the pauses between them, and its end.

use super::{Kept, Pass, RollbackEnd, enter::At, records::Id, retry::pause, user_code::traced};
use crate::{
    base::telemetry::Begun,
    language::{
        log::span::Doing,
        scope::{Op, Undo},
    },
    model::{
        status::{Status, Transition},
        table::StepMeta,
    },
};

impl Pass<'_> {
    /// Undoes a step, unless there is nothing to undo.
    pub(super) async fn undo(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
    ) -> Kept<RollbackEnd> {
        let (before, attempts) = {
            let mut records = self.run.records();
            let record = &mut records[id];
            match record.status {
                Status::Done | Status::Undoing if meta.undo => {}
                Status::UndoFailed => return Ok(RollbackEnd::Failed),
                _ => return Ok(RollbackEnd::Clean),
            }
            let looks = self.run.options.looks;
            if self.is_suspended() && !looks {
                return Ok(RollbackEnd::Halted);
            }
            let pause = self.undo_again(record, id, meta);
            let pause = pause.map(|until| self.run.deadline(record, until));
            if looks {
                return Ok(pause.map_or(RollbackEnd::Halted, RollbackEnd::Waiting));
            }
            if let Some(deadline) = pause
                && self.run.is_ahead(deadline)
                && !self.run.requests.has_new_undo()
                && !self.run.has_news_of_child(record)
            {
                if !self.run.requests.all().ends_pauses() {
                    return Ok(RollbackEnd::Waiting(deadline));
                }
                record.undo_failed(self.now());
                self.run.changed(&records, id);
                return Ok(RollbackEnd::Failed);
            }
            let now = self.now();
            let undoing = record.status == Status::Undoing;
            let deaths = record.cold().undo.as_ref().map_or(0, |undo| undo.deaths);
            if undoing
                && deaths > 0
                && meta
                    .undo_policy
                    .dies(deaths, self.run.options.limits.deaths)
            {
                drop(records);
                self.end_dying_undo(id, deaths);
                return Ok(RollbackEnd::Failed);
            }
            record.on(Transition::Undo);
            record.cold_mut().since = None;
            let before = record.cold().before.clone();
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.started_at.get_or_insert(now);
            // If an earlier process died during an undo, that attempt has not failed: it is made
            // again, under the same number.
            let cut_off = undoing && undo.attempts > 0 && undo.until.is_none();
            undo.attempts += u32::from(!cut_off);
            undo.until = None;
            let attempts = undo.attempts;
            self.run.changed(&records, id);
            (before, attempts)
        };
        self.run.commit().await?;
        let cx = self.cx(id, attempts);
        let op = Op::Undo(Undo {
            before: before.as_ref(),
            unkept: None,
        });
        let begun = Begun::now();
        let undo = self.op(at, op, &cx, meta.undo_policy.timeout);
        let answer = traced(Doing::Undo, undo, &cx).await;
        self.measure_undo(id, begun, &answer);
        let now = self.now();
        let Err(error) = answer else {
            self.run.change(id, |record| {
                record.on(Transition::UndoFinish);
                let undo = record.cold_mut().undo.get_or_insert_default();
                undo.done_at = Some(now);
                undo.deaths = 0;
                undo.err.clear();
            });
            return Ok(RollbackEnd::Clean);
        };
        if let Some(pause) = error
            .later
            .filter(|_| !self.run.requests.all().ends_pauses())
        {
            return Ok(self.undo_goes_on(id, attempts, now, pause));
        }
        self.run.failures.keep(id, &error);
        let retry = meta.undo_policy.retry.as_ref();
        let again = pause(retry, &error, attempts)
            .filter(|_| !self.run.requests.all().ends_pauses())
            .map(|pause| self.deadline(now, pause));
        self.run.change(id, |record| {
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.err = error.text();
            undo.deaths = 0;
            undo.until = again.map(|deadline| deadline.until);
            record.cold_mut().since = again.map(|_| now);
            if again.is_none() {
                record.undo_failed(now);
            }
            record.cold_mut().wait = again;
        });
        Ok(again.map_or(RollbackEnd::Failed, RollbackEnd::Waiting))
    }

    /// Records that an undo goes on elsewhere: it is asked again when there is news, or after this pause.
    fn undo_goes_on(
        self,
        id: Id,
        attempts: u32,
        now: jiff::Timestamp,
        pause: std::time::Duration,
    ) -> RollbackEnd {
        let deadline = self.deadline(now, pause);
        self.run.change(id, |record| {
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.err.clear();
            undo.deaths = 0;
            undo.until = Some(deadline.until);
            // Asking is no attempt.
            undo.attempts = attempts - 1;
            record.cold_mut().wait = Some(deadline);
        });
        RollbackEnd::Waiting(deadline)
    }
}
