//! Runs the rounds of a `loop`.

use jiff::Timestamp;

use super::{
    End, Pass, RunCore,
    enter::{At, OrStop, Slots, Stop},
    gate::Gate,
    records::Id,
    user_code::call,
};
use crate::{
    base::error::StepError,
    model::{status::Status, table::Line},
};

/// The lines of a round.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub(super) lines: &'static [Line],
    /// The numbers of those whose code uses the round before.
    pub(super) prev: &'static [usize],
}

/// How many rounds a loop may have, and how many that are done stay recorded; 0 is no bound.
#[derive(Clone, Copy)]
pub(super) struct Rounds {
    pub(super) max: u32,
    pub(super) keep: u32,
}

impl Pass<'_> {
    /// Runs rounds until one is the last, or until there are as many as may be.
    pub(super) async fn rounds(
        self,
        at: At<'_>,
        body: Body,
        Rounds { max, keep }: Rounds,
        id: Id,
        now: &mut Timestamp,
    ) -> OrStop<End> {
        self.run.records()[id].cold_mut().lets_go = keep > 0;
        self.leaves_past(id, body);
        if !std::mem::replace(&mut self.run.records()[id].loaded, true) {
            let done = self.run.records().rounds_done(id);
            self.restore_round(at, body, id, done).await?;
        }
        loop {
            if self.gate_to(id) == Gate::Halted {
                return Ok(End::Waiting(None));
            }
            let round = {
                let mut records = self.run.records();
                let count = records.rounds_begun(id);
                match records[id].cold().rounds.last().copied() {
                    Some(last) if records[last].status != Status::Done => last,
                    Some(last) if records[last].cold().decision == Some(true) => {
                        drop(records);
                        if self.is_late(id) {
                            return Ok(End::Interrupted);
                        }
                        return Ok(self.done(id, None, *now));
                    }
                    _ if max != 0 && count >= max as usize => {
                        drop(records);
                        return Err(Stop::Node(
                            id,
                            StepError::fatal(format!(
                                "its condition did not hold after {max} rounds"
                            )),
                        ));
                    }
                    _ => records.round(id).map_err(|error| Stop::Node(id, error))?,
                }
            };
            match self.round(at, body.lines, round, now).await? {
                End::Done if keep > 0 => self.run.let_go(id, keep),
                End::Done => {}
                other => return Ok(other),
            }
        }
    }

    async fn round(
        self,
        at: At<'_>,
        body: &'static [Line],
        id: Id,
        now: &mut Timestamp,
    ) -> OrStop<End> {
        if let Some(end) = self.open(id, *now) {
            return Ok(end);
        }
        let entry = self.round_entry(id, Slots::Kept, false);
        let Some(scope) = entry.scope(at)? else {
            return Ok(End::Done);
        };
        let first = self.run.records().lines(id, body);
        let first = first.map_err(|error| Stop::Node(id, error))?;
        if !std::mem::replace(&mut self.run.records()[id].loaded, true) {
            self.restore(&*scope, 0, body, id).await?;
        }
        let end = self.sequence(&*scope, 0, body, first, now).await?;
        match end {
            End::Done if self.run.options.looks => return Ok(End::Waiting(None)),
            End::Done => {}
            End::Waiting(_) => return Ok(end),
            End::Failed | End::Interrupted => {
                self.fail_group(id, *now);
                return Ok(end);
            }
        }
        // After a resume, a round with a volatile step goes on again, and has a decision.
        let decided = self.run.records()[id].cold().decision;
        match decided.map_or_else(|| call(|| scope.until(entry.cx())), Ok) {
            Ok(last) => {
                self.run.records()[id].cold_mut().decision = Some(last);
                scope.close(last);
                Ok(self.done(id, None, *now))
            }
            Err(error) => {
                self.fail(id, &error, *now);
                Ok(End::Failed)
            }
        }
    }
}

impl RunCore {
    /// Lets the oldest rounds of a loop go, whose rounds are all done. The journal deletes them with the
    /// record of the end of the last one.
    fn let_go(&self, id: Id, keep: u32) {
        let mut records = self.records();
        let gone = records.let_go(id, keep);
        if gone.is_empty() {
            return;
        }
        if records.is_own(id) {
            self.requests.set_past_pivot(true);
        }
        self.committer.forget(&gone);
        self.failures.forget(&gone);
        if self.committer.has_journal()
            && let Some(known) = records.renumber()
        {
            self.committer.replace(known);
        }
    }
}
