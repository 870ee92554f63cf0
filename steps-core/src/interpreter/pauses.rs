//! Pauses that an earlier run has begun, of a step or of its undo: one that has become shorter in the
//! program since ends earlier, counted from when it began. One that has become longer ends when it was to.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Pass,
    enter::At,
    records::{Id, Record},
};
use crate::{
    base::clock::add,
    language::scope::{Answer, Op},
    model::{
        state::{StepKind, Until},
        table::StepMeta,
    },
};

impl Pass<'_> {
    /// Ends the pause of a step that is to be tried or asked again when it ends by the present policy,
    /// if that is earlier. Returns whether the step sleeps instead: then its argument says how long.
    pub(super) fn asks_again(self, record: &mut Record, id: Id, meta: &StepMeta) -> bool {
        let Some((since, until)) = record.waits_since().zip(record.waits_until()) else {
            return false;
        };
        if !self.run.is_ahead(self.run.deadline(record, until)) {
            return false;
        }
        if meta.kind == Some(StepKind::Sleep) {
            return true;
        }
        // What chance has added or taken away stays as it is.
        let shorter = pauses(meta, record)
            .filter(|(_, longest)| add(since, *longest) < until)
            .map(|(pause, _)| add(since, pause));
        self.ends_by(
            record,
            id,
            shorter.map_or(until, |shorter| shorter.min(until)),
        );
        false
    }

    /// Returns when an undo that has failed is to be tried again: at the end of its pause by the present
    /// policy, if that is earlier than the recorded one.
    pub(super) fn undo_again(
        self,
        record: &mut Record,
        id: Id,
        meta: &StepMeta,
    ) -> Option<Timestamp> {
        let cold = record.cold();
        let undo = cold.undo.as_ref()?;
        let (until, attempts) = (undo.until?, undo.attempts);
        let since = cold.since.filter(|_| cold.wait.is_none());
        let Some((since, retry)) = since.zip(meta.undo_policy.retry) else {
            return Some(until);
        };
        // What chance has added or taken away stays as it is.
        if add(since, retry.pause(attempts, 1.0)) >= until {
            return Some(until);
        }
        let until = add(since, retry.pause(attempts, 0.5)).min(until);
        let cold = record.cold_mut();
        cold.wait = Some(self.run.options.begun.deadline(until));
        if let Some(undo) = &mut cold.undo {
            undo.until = Some(until);
        }
        self.run.committer.mark(id);
        Some(until)
    }

    /// Asks a step that sleeps for how long, and ends its pause by that, if that is earlier.
    pub(super) async fn ask_again(self, at: At<'_>, id: Id) {
        let cx = self.cx(id, self.run.records()[id].attempts);
        let op = Op::Run(self.run.options.limits.payload);
        let answer = self.op(at, op, &cx, None).await;
        let mut records = self.run.records();
        let record = &mut records[id];
        let until = match answer {
            Ok(Answer::Wait(Until::Time(until))) => Some(until),
            // Whatever keeps the argument from being evaluated is told when the pause is over.
            _ => record.waits_until(),
        };
        if let Some(until) = until {
            self.ends_by(record, id, until);
        }
    }

    fn ends_by(self, record: &mut Record, id: Id, until: Timestamp) {
        if record.waits_until() != Some(until) {
            self.run.committer.mark(id);
        }
        record.ends_by(self.run.options.begun.deadline(until));
    }
}

/// Returns the pause before the next attempt or poll by the present policy, and the longest that chance
/// may make it; `None` if the policy has none.
fn pauses(meta: &StepMeta, record: &Record) -> Option<(Duration, Duration)> {
    let failures = record.cold().error_count();
    if failures == 0 {
        let poll = meta.policy.poll?;
        return Some((poll.every, poll.every));
    }
    let retry = meta.policy.retry?;
    Some((retry.pause(failures, 0.5), retry.pause(failures, 1.0)))
}
