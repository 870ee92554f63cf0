//! Counts the attempts that ended with the death of their process, and ends a step with too many.
//!
//! An attempt is recorded before it is made. So what is recorded as running, in an execution whose
//! lease was never given back, is what its process died of, or at. An attempt that ends in any other
//! way sets the count back to 0.

use jiff::Timestamp;

use super::{
    End, Kept, Pass, RunCore,
    enter::At,
    records::{Id, ROOT, Record},
};
use crate::{
    base::error::StepError,
    model::{state::Kind, status::Status, table::StepMeta},
};

/// Returns the error of something that died this often.
fn died(deaths: u32) -> StepError {
    StepError::fatal(match deaths {
        1 => "its process died".to_owned(),
        _ => format!("its process died {deaths} times"),
    })
}

/// Counts one more death at a node, if one of its attempts was under way.
fn count(record: &mut Record) -> bool {
    match record.status {
        Status::Running if record.kind == Kind::Step => {
            let deaths = &mut record.cold_mut().deaths;
            *deaths = deaths.saturating_add(1);
        }
        Status::Undoing if record.kind == Kind::Step => {
            let undo = record.cold_mut().undo.get_or_insert_default();
            if undo.attempts == 0 || undo.until.is_some() {
                return false;
            }
            undo.deaths = undo.deaths.saturating_add(1);
        }
        _ => return false,
    }
    true
}

impl RunCore {
    /// Counts the death of the process that ran the execution before, for each attempt that was
    /// under way. If there is none, it died at the flow itself: at a handler, at the code after the
    /// steps, or while the execution was taken up.
    pub(crate) fn count_deaths(&self) {
        let mut records = self.records();
        let mut found = false;
        for id in records.ids().skip(1) {
            if count(&mut records[id]) {
                found = true;
                self.committer.mark(id);
            }
        }
        let cold = records[ROOT].cold_mut();
        cold.deaths = if found {
            0
        } else {
            cold.deaths.saturating_add(1)
        };
        self.committer.mark(ROOT);
    }

    /// Returns how many deaths in a row an attempt that is under way has had: the most of all.
    pub(crate) fn most_deaths(&self) -> u32 {
        let records = self.records();
        let all = records.ids().map(|id| {
            let (status, cold) = (records[id].status, records[id].cold());
            match status {
                Status::Undoing if id != ROOT => cold.undo.as_ref().map_or(0, |undo| undo.deaths),
                Status::Running => cold.deaths,
                _ if id == ROOT => cold.deaths,
                _ => 0,
            }
        });
        all.max().unwrap_or(0)
    }

    /// Notes that a turn has ended, and so its process has not died.
    pub(crate) fn survived(&self) {
        let mut records = self.records();
        if records[ROOT].cold().deaths > 0 {
            records[ROOT].cold_mut().deaths = 0;
            self.committer.mark(ROOT);
        }
    }
}

impl Pass<'_> {
    /// Returns an error if the process died too often at the flow itself.
    pub(super) fn check_deaths(self) -> Result<(), StepError> {
        let deaths = self.run.records()[ROOT].cold().deaths;
        if deaths >= self.run.options.limits.deaths.max(1) {
            return Err(died(deaths));
        }
        Ok(())
    }

    /// Ends a step whose attempts have died too often: done if its `#[verify]` finds the effect,
    /// and otherwise failed; its task, if it has one, is asked to stop. If the process died of that or of the
    /// `#[verify]`, too, neither is done again.
    pub(super) async fn end_dying(
        self,
        at: At<'_>,
        meta: &'static StepMeta,
        id: Id,
        now: &mut Timestamp,
    ) -> Kept<End> {
        let (deaths, attempt) = {
            let records = self.run.records();
            (records[id].cold().deaths, records[id].attempts)
        };
        let mut error = died(deaths);
        let limit = self.run.options.limits.deaths;
        if deaths == 1 || !meta.policy.dies(deaths - 1, limit) {
            self.ask_to_stop(at, meta, id).await?;
            if meta.verify {
                let cx = self.cx(id, attempt);
                match self.verified(at, meta, id, &cx, now).await {
                    Ok(end) => return Ok(end),
                    Err(None) => {}
                    Err(Some(other)) => error = error.and(&other.text()),
                }
            }
            *now = self.now();
        }
        Ok(self.fail(id, &error, *now))
    }

    /// Ends the undo of a step whose attempts have died too often.
    pub(super) fn end_dying_undo(self, id: Id, deaths: u32) {
        let (now, error) = (self.now(), died(deaths));
        self.run.failures.keep(id, &error);
        self.run.change(id, |record| {
            record.cold_mut().undo.get_or_insert_default().err = error.text();
            record.undo_failed(now);
        });
    }
}
