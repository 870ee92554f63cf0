//! What a step did: asks `#[verify]` whether its effect is there, looks at it with `#[observe]`, and
//! takes it back at once where its output can't be recorded.

use jiff::Timestamp;

use super::{End, Kept, Pass, enter::At, records::Id, retry::pause};
use crate::{
    base::{error::StepError, json::Json},
    language::{
        cx::Cx,
        scope::{Answer, Op, Undo, Unkept},
    },
    model::{status::Transition, table::StepMeta},
};

/// What `#[verify]` found.
enum Effect {
    /// The effect is there; this is the saved output.
    There(Option<Json>),
    /// The effect is there, and the output can't be recorded.
    Unkept(Unkept),
    /// The effect is not there.
    Missing,
    /// The verify failed.
    Unknown(StepError),
}

impl Pass<'_> {
    /// Asks the step's `#[verify]` whether its effect happened.
    async fn verify(self, at: At<'_>, meta: &StepMeta, cx: &Cx) -> Effect {
        let op = Op::Verify(self.run.options.limits.payload);
        match self.op(at, op, cx, meta.policy.timeout).await {
            Ok(Answer::Done(saved)) => Effect::There(saved),
            Ok(Answer::Unkept(unkept)) => Effect::Unkept(unkept),
            Ok(Answer::NotYet | Answer::Wait(_) | Answer::Seen(_) | Answer::Undone) => {
                Effect::Missing
            }
            Err(error) => {
                let text = format!("its verify failed: {}", error.text());
                Effect::Unknown(StepError::user(text).retry_if(error.retry))
            }
        }
    }

    /// Asks the step's `#[verify]`, and ends the step if its effect is there. Otherwise returns the
    /// error if the verify failed.
    pub(super) async fn verified(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        cx: &Cx,
        now: &mut Timestamp,
    ) -> Result<End, Option<StepError>> {
        match self.verify(at, meta, cx).await {
            Effect::There(saved) => Ok(self.look_after(at, meta, id, cx, saved, now).await),
            Effect::Unkept(unkept) => Ok(self.take_back(at, meta, id, unkept, now).await),
            Effect::Missing => Err(None),
            Effect::Unknown(error) => Err(Some(error)),
        }
    }

    /// Looks before the first attempt, and saves what is seen.
    pub(super) async fn look_before(
        self,
        at: At<'_>,
        meta: &StepMeta,
        id: Id,
        cx: &Cx,
    ) -> Result<(), StepError> {
        if let Some(before) = self.seen(at, meta, cx).await? {
            self.run
                .change(id, |record| record.cold_mut().before = Some(before));
        }
        Ok(())
    }

    /// Ends a step whose effect is there, after a look at it. The step is done even if that fails.
    pub(super) async fn look_after(
        self,
        at: At<'_>,
        meta: &StepMeta,
        id: Id,
        cx: &Cx,
        saved: Option<Json>,
        now: &mut Timestamp,
    ) -> End {
        if meta.observe {
            match self.seen(at, meta, cx).await {
                Ok(after) => self.run.records()[id].cold_mut().after = after,
                Err(error) => {
                    let (execution, path, error) = (cx.execution(), cx.path(), error.text());
                    tracing::warn!(execution, path, error, "the look after a step failed");
                    self.run.records()[id].cold_mut().after_err = Some(error);
                }
            }
        }
        *now = self.now();
        self.done(id, saved, *now)
    }

    async fn seen(self, at: At<'_>, meta: &StepMeta, cx: &Cx) -> Result<Option<Json>, StepError> {
        let answer = self.op(at, Op::Observe, cx, meta.policy.timeout).await?;
        let Answer::Seen(seen) = answer else {
            return Ok(None);
        };
        let limits = &self.run.options.limits;
        limits.check("observed value", Some(&seen))?;
        Ok(Some(seen))
    }

    /// Ends a step whose output can't be recorded: the effect is there, unless the step's
    /// `#[verify]` knows better or finds an output that can be.
    pub(super) async fn unkept(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        cx: &Cx,
        mut unkept: Unkept,
        now: &mut Timestamp,
    ) -> Kept<End> {
        if meta.verify {
            match self.verify(at, meta, cx).await {
                Effect::There(saved) => {
                    return Ok(self.look_after(at, meta, id, cx, saved, now).await);
                }
                Effect::Missing => {
                    *now = self.now();
                    return Ok(self.fail(id, &unkept.why, *now));
                }
                Effect::Unkept(found) => unkept = found,
                Effect::Unknown(other) => unkept.why = unkept.why.and(&other.text()),
            }
        }
        Ok(self.take_back(at, meta, id, unkept, now).await)
    }

    /// Fails a step, after its undo was called with the output that can't be recorded. Later, or in
    /// another process, that output would be gone. Until the undo has ended, the record says that
    /// the step is running: after a crash it is made again, as any step.
    pub(super) async fn take_back(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        unkept: Unkept,
        now: &mut Timestamp,
    ) -> End {
        if !meta.undo {
            let why = unkept.why.and("what it did stays, as it has no undo");
            *now = self.now();
            return self.fail(id, &why, *now);
        }
        let before = self.run.records()[id].cold().before.clone();
        let op = Op::Undo(Undo {
            before: before.as_ref(),
            unkept: Some(&unkept),
        });
        let policy = &meta.undo_policy;
        let started = self.now();
        let mut attempts = 0;
        let failed = loop {
            attempts += 1;
            let cx = self.cx(id, attempts);
            let Err(error) = self.op(at, op, &cx, policy.timeout).await else {
                break None;
            };
            let Some(pause) = pause(policy.retry.as_ref(), &error, attempts) else {
                break Some(error);
            };
            let clock = &self.run.options.clock;
            clock.sleep_until(clock.moment().after(pause)).await;
        };
        *now = self.now();
        self.fail(id, &unkept.why, *now);
        self.run.change(id, |record| {
            record.on(Transition::Undo);
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.started_at = Some(started);
            undo.attempts = attempts;
        });
        self.run.change(id, |record| {
            let undo = record.cold_mut().undo.get_or_insert_default();
            undo.done_at = Some(*now);
            undo.err = failed.as_ref().map(StepError::text).unwrap_or_default();
            record.on(match failed {
                None => Transition::UndoFinish,
                Some(_) => Transition::UndoFail,
            });
        });
        End::Failed
    }
}
