//! How an attempt ends without a value: another one follows, the step has failed, or it is given up.

use std::time::Duration;

use jiff::Timestamp;

use super::{End, Kept, Pass, enter::At, records::Id, retry::pause};
use crate::{
    base::error::StepError,
    language::cx::CancelReason,
    model::{
        failure::ChildFailed,
        state::{FailureCause, old_form::reads_like_a_mark},
        table::StepMeta,
    },
};

impl Pass<'_> {
    /// Records that an attempt failed: another one follows, or the step has failed.
    pub(super) fn failed(self, meta: &StepMeta, id: Id, error: &StepError, now: Timestamp) -> End {
        // The attempt is not over: it is made again, as after a crash.
        if self.run.committer.is_stopped() {
            return End::Waiting(None);
        }
        match self.run.cancel_reason(id) {
            None
            | Some(
                CancelReason::Undo
                | CancelReason::SiblingFailed
                | CancelReason::LostRace
                | CancelReason::TimedOut,
            ) => {}
            // It is made again, without a pause, when the execution goes on.
            Some(reason @ (CancelReason::Stop | CancelReason::Shutdown)) => {
                let (path, error) = (self.run.records().path(id), error.text());
                let execution = &**self.run.execution();
                tracing::info!(
                    execution,
                    path,
                    error,
                    ?reason,
                    "an attempt ended early, and is not a failure"
                );
                return self.wait_until(id, now, Duration::ZERO);
            }
        }
        self.note(id, error);
        let failures = self.run.records()[id].cold().error_count();
        match pause(meta.policy.retry.as_ref(), error, failures) {
            Some(pause) if !self.run.is_cancelled(id) => {
                self.count_retry(id);
                self.wait_until(id, now, pause)
            }
            // The attempt may have succeeded, so this is not reported as a cause of failure.
            Some(_) if self.run.requests.all().undoes() => self.interrupt(id),
            _ => {
                self.run.change(id, |record| record.fail(now));
                End::Failed
            }
        }
    }

    pub(super) fn note(self, id: Id, error: &StepError) {
        self.run.failures.keep(id, error);
        let text = error.text();
        let mut records = self.run.records();
        let cold = records[id].cold_mut();
        let is_ambiguous = !cold.verify_owed && reads_like_a_mark(&text);
        cold.cause = if error.is::<ChildFailed>() {
            Some(FailureCause::Child)
        } else {
            is_ambiguous.then_some(FailureCause::Own)
        };
        cold.add_error(text);
    }

    /// Records that a node has failed, whatever its policy.
    pub(super) fn fail(self, id: Id, error: &StepError, now: Timestamp) -> End {
        self.note(id, error);
        self.run.change(id, |record| record.fail(now));
        End::Failed
    }

    /// Gives up a step that waits for its next attempt, because a sibling failed or an undo was
    /// requested. The effect may have happened in the last attempt, so `#[verify]` is asked.
    pub(super) async fn give_up(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        self.ask_to_stop(at, meta, id).await?;
        if meta.verify {
            let cx = self.cx(id, self.run.records()[id].attempts);
            if let Ok(end) = self.verified(at, meta, id, &cx, now).await {
                return Ok(end);
            }
        }
        Ok(self.interrupt(id))
    }

    fn interrupt(self, id: Id) -> End {
        let (now, cause) = (self.now(), self.given_up_because(id));
        self.run.change(id, |record| {
            record.give_up(cause);
            record.fail(now);
        });
        End::Interrupted
    }
}
