//! Deadlines: when one is recorded, how it limits what runs and waits below it, and how a line fails
//! that has not ended by its own.
//!
//! A deadline is a time of the wall clock, recorded when its line begins; within a process it goes by how
//! much time passes, as each wait does. It holds for all that is below the line, but an `#[atomic]` line
//! there is not cut off. A line whose deadline has passed is [late](Pass::is_late) and fails by itself;
//! what is below it is given up.

use std::{sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;

use super::{
    End, Kept, Pass, RunCore,
    enter::At,
    records::{Id, ROOT, Record, Records},
    user_code::TimedOut,
};
use crate::{
    base::{clock::Deadline, error::StepError},
    language::{
        cx::Cx,
        scope::{Op, OpResult},
    },
    model::{failure::DeadlinePassed, state::FailureCause, status::Status, table::StepMeta},
};

/// A deadline, and the node whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) deadline: Deadline,
    holder: Id,
}

/// The error of an attempt that was cut off at the deadline of this node.
#[derive(Debug, thiserror::Error)]
#[error("cut off at a deadline")]
struct CutOff(Id);

/// Returns the node whose deadline cut the attempt off, if one did.
pub(super) fn cut_off(answer: &OpResult) -> Option<Id> {
    let error = answer.as_ref().err()?;
    error.error.downcast_ref().map(|CutOff(holder)| *holder)
}

impl RunCore {
    /// Returns whether any node has a deadline. Mostly none has; and in a run that only looks, none counts.
    #[inline]
    pub(super) fn is_timed(&self) -> bool {
        self.timed.load(Ordering::Relaxed) && !self.options.looks
    }

    /// Returns a node's own deadline.
    fn own(&self, record: &Record) -> Option<Deadline> {
        let cold = record.cold();
        let until = cold.data().deadline?;
        Some(match cold.limit {
            Some(limit) if limit.until == until => limit,
            _ => self.options.begun.deadline(until),
        })
    }

    /// Returns the earliest deadline that holds for a node; of equal ones the outermost.
    pub(super) fn limit(&self, records: &Records, id: Id) -> Option<Limit> {
        if !self.is_timed() {
            return None;
        }
        let mut limit: Option<Limit> = None;
        for at in records.around(id) {
            if let Some(deadline) = self.own(&records[at])
                && limit.is_none_or(|limit| deadline.moment <= limit.deadline.moment)
            {
                let holder = at;
                limit = Some(Limit { deadline, holder });
            }
            if records[at].atomic {
                break;
            }
        }
        limit
    }

    /// Returns the node around this one whose deadline has passed, if there is one.
    pub(super) fn late_around(&self, records: &Records, id: Id) -> Option<Id> {
        if !self.is_timed() || id == ROOT || records[id].atomic {
            return None;
        }
        let limit = self.limit(records, records[id].parent)?;
        (!self.is_ahead(limit.deadline)).then_some(limit.holder)
    }

    /// Returns whether a node's own deadline has passed.
    pub(super) fn is_past_own(&self, record: &Record) -> bool {
        self.is_timed() && self.own(record).is_some_and(|own| !self.is_ahead(own))
    }

    /// Returns whether a signal that gives up has waited for its time, or has none yet.
    pub(super) fn is_to_give_up(&self, record: &Record) -> bool {
        self.own(record).is_none_or(|own| !self.is_ahead(own))
    }

    /// Records the deadline of a node that has begun, or forgets one that its line has no longer. Returns
    /// whether this changed anything. A signal that `gives_up` has one of its own.
    #[inline]
    pub(super) fn keep_time(
        &self,
        record: &mut Record,
        within: Option<Duration>,
        gives_up: bool,
    ) -> bool {
        let is_recorded = record.cold().data().deadline.is_some();
        match within {
            Some(within) if !is_recorded => {
                self.set_deadline(record, within);
            }
            None if is_recorded && !gives_up => record.cold_mut().deadline = None,
            _ => return false,
        }
        true
    }

    /// Records a node's own deadline, if it has none yet. Returns it.
    pub(super) fn set_deadline(&self, record: &mut Record, within: Duration) -> Deadline {
        if let Some(own) = self.own(record) {
            return own;
        }
        let clock = &self.options.clock;
        let deadline = clock.deadline(clock.now(), within);
        let cold = record.cold_mut();
        cold.deadline = Some(deadline.until);
        cold.limit = Some(deadline);
        self.timed.store(true, Ordering::Relaxed);
        deadline
    }
}

impl Pass<'_> {
    /// Records the deadline of a line that has begun, or forgets one that the line has no longer.
    pub(super) fn keep_time(self, id: Id, within: Option<Duration>) {
        if within.is_some() || self.run.is_timed() {
            let mut records = self.run.records();
            if self.run.keep_time(&mut records[id], within, false) {
                self.run.committer.mark(id);
            }
        }
    }

    /// Returns whether a line has not ended by its own deadline, and is to fail by it. One that has failed
    /// otherwise, as a race does whose loser could not be undone, keeps that failure. One that is below another
    /// such line is given up with that.
    pub(super) fn is_late(self, id: Id) -> bool {
        if !self.run.is_timed() || self.run.requests.all().undoes() {
            return false;
        }
        let records = self.run.records();
        let record = &records[id];
        record.status != Status::Failed
            && self.run.is_past_own(record)
            && self.run.late_around(&records, id).is_none()
    }

    /// Records that a line has failed, because its deadline has passed.
    pub(super) fn fail_late(self, id: Id, within: Option<Duration>, now: Timestamp) -> End {
        let error = StepError::fatal(DeadlinePassed { within });
        self.note(id, &error);
        self.run.change(id, |record| {
            record.cold_mut().cause = Some(FailureCause::Deadline);
            record.fail(now);
        });
        End::Failed
    }

    /// Makes an attempt, for no longer than the step's timeout and the deadlines that hold for it.
    pub(super) async fn in_time(self, at: At<'_>, meta: &StepMeta, id: Id, cx: &Cx) -> OpResult {
        let op = Op::Run(self.run.options.limits.payload);
        let timeout = meta.policy.timeout;
        // A wait ends by itself.
        let limit = if meta.waits() {
            None
        } else {
            self.run.limit(&self.run.records(), id)
        };
        let Some(Limit { deadline, holder }) = limit else {
            return self.op(at, op, cx, timeout).await;
        };
        let left = deadline.moment.since(self.run.options.clock.moment());
        if timeout.is_some_and(|timeout| timeout < left) {
            return self.op(at, op, cx, timeout).await;
        }
        match self.op(at, op, cx, Some(left)).await {
            Err(error) if error.error.is::<TimedOut>() => Err(StepError::fatal(CutOff(holder))),
            answer => answer,
        }
    }

    /// Ends a step at the deadline of `holder`, unless its `#[verify]` finds its effect: as failed, if the
    /// deadline is its own, or else given up.
    pub(super) async fn end_late(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        within: Option<Duration>,
        holder: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        if holder != id {
            self.run.cancel(holder);
            return self.give_up(at, meta, id, now).await;
        }
        self.ask_to_stop(at, meta, id).await?;
        if meta.verify {
            let cx = self.cx(id, self.run.records()[id].attempts);
            if let Ok(end) = self.verified(at, meta, id, &cx, now).await {
                return Ok(end);
            }
            *now = self.now();
        }
        Ok(self.fail_late(id, within, *now))
    }
}
