//! What is special about a `race`: the line that is done first, and the end of the others. How its
//! lines run at once, and wait, is in `parallel`.

use std::sync::Arc;

use super::{
    End, Kept, Pass, RollbackEnd, RunCore,
    data_flow::Queue,
    enter::{At, OrStop, Slots, Stop},
    records::{Id, Records, nth},
};
use crate::{
    base::error::StepError,
    language::scope::{Saved, Scope},
    model::{
        status::Status,
        table::{Line, Work},
    },
};

impl Records {
    /// Returns the number and the record of the line that was done first, if the race is decided.
    pub(crate) fn winner(&self, race: Id, lines: &[Line]) -> Option<(usize, Id)> {
        let chosen = self[race].cold().chosen.as_deref()?;
        let line = lines.iter().position(|line| line.name == chosen)?;
        Some((line, self.line_of(race, line)))
    }

    fn line_of(&self, parent: Id, line: usize) -> Id {
        nth(self[parent].children().start, line)
    }

    /// Completes the records of a saved race: the name of its winner is the one it has now, and the
    /// failures of the others do not count.
    pub(crate) fn fill_race(&mut self, race: Id, lines: &'static [Line]) {
        let Some(chosen) = self[race].cold().chosen.clone() else {
            return;
        };
        let Some(line) = lines.iter().position(|line| line.answers_to(&chosen)) else {
            return;
        };
        if lines[line].name != &*chosen {
            self[race].cold_mut().chosen = Some(Arc::from(lines[line].name));
            self.differs(race);
        }
        self.lose_to(race, self.line_of(race, line));
    }

    /// From now on, the failures of the other lines do not count.
    fn lose_to(&mut self, race: Id, winner: Id) {
        for loser in self.losers(race, winner) {
            self[loser].optional = true;
        }
    }

    fn losers(&self, race: Id, winner: Id) -> impl Iterator<Item = Id> + use<> {
        self[race].children().filter(move |id| *id != winner)
    }
}

impl RunCore {
    /// Records that a line of a race is done, if it is the first; the others are cancelled.
    pub(super) fn decide(&self, race: Id, lines: &[Line], line: usize) {
        let mut records = self.records();
        if records[race].cold().chosen.is_some() {
            return;
        }
        records[race].cold_mut().chosen = Some(Arc::from(lines[line].name));
        let winner = records.line_of(race, line);
        records.lose_to(race, winner);
        drop(records);
        self.committer.mark(race);
        self.cancel_losers(race, winner);
    }

    fn cancel_losers(&self, race: Id, winner: Id) {
        let losers = self.records().losers(race, winner);
        losers.for_each(|loser| self.cancel(loser));
    }
}

impl Pass<'_> {
    /// Runs the lines of a race, until one is done and the others have ended and are undone.
    pub(super) async fn race(
        self,
        scope: &dyn Scope,
        lines: &'static [Line],
        race: Id,
        now: jiff::Timestamp,
    ) -> OrStop<End> {
        self.go_on_with(race, lines);
        let end = self.first_of(scope, lines, race, now).await?;
        let winner = self.run.records().winner(race, lines);
        let Some((line, winner)) = winner else {
            return Ok(end);
        };
        if end != End::Done {
            return Ok(end);
        }
        let undone = if self.has_losers_to_undo(lines, race, line) {
            self.undo_losers(scope, lines, race, line).await?
        } else {
            RollbackEnd::Clean
        };
        match undone {
            RollbackEnd::Waiting(until) => return Ok(End::Waiting(Some(until))),
            RollbackEnd::Halted => return Ok(End::Waiting(None)),
            RollbackEnd::Failed => return Err(Stop::Node(race, self.not_undone(race, winner))),
            RollbackEnd::Clean | RollbackEnd::Pivot => {}
        }
        let losers = self.run.records().losers(race, winner);
        losers.for_each(|loser| self.run.end_cancelled(loser));
        load_chosen(scope, race, line)?;
        Ok(End::Done)
    }

    /// Goes on with a race that an earlier run has decided.
    fn go_on_with(self, race: Id, lines: &'static [Line]) {
        let records = self.run.records();
        let done = |id: &Id| records[*id].status == Status::Done;
        let first = records[race].children().filter(done);
        let first = first.min_by_key(|id| records[*id].done_at);
        let first = first.map(|id| (id - records[race].children().start) as usize);
        let winner = records.winner(race, lines);
        drop(records);
        match (winner, first) {
            (Some((_, winner)), _) => self.run.cancel_losers(race, winner),
            (None, Some(line)) => self.run.decide(race, lines, line),
            (None, None) => {}
        }
    }

    /// Returns whether any of the others did something that is not undone.
    fn has_losers_to_undo(self, lines: &[Line], race: Id, winner: usize) -> bool {
        let records = self.run.records();
        lines.iter().enumerate().any(|(line, node)| {
            let status = records[records.line_of(race, line)].status;
            let did = match &node.work {
                Work::Step(meta) => meta.undo && !matches!(status, Status::Failed),
                _ => true,
            };
            let is_over = matches!(status, Status::Pending | Status::Skipped | Status::Undone);
            line != winner && did && !is_over
        })
    }

    /// Undoes what the others did. A failure does not stop the undo of another.
    async fn undo_losers(
        self,
        scope: &dyn Scope,
        lines: &'static [Line],
        race: Id,
        winner: usize,
    ) -> Kept<RollbackEnd> {
        let first = self.run.records()[race].children().start;
        let queue = Queue::of_items(lines.len());
        self.roll_back_at_once(queue, |line| {
            let at = At {
                scope,
                item: 0,
                line,
            };
            let id = nth(first, line);
            Box::pin(async move {
                if line == winner {
                    return Ok(RollbackEnd::Clean);
                }
                self.roll_back_line(at, &lines[line], id).await
            })
        })
        .await
    }

    fn not_undone(self, race: Id, winner: Id) -> StepError {
        let records = self.run.records();
        let failed = |id: &Id| records[*id].status == Status::UndoFailed;
        let mut losers = records.losers(race, winner).filter(failed);
        let name = losers.next().map(|id| records.name(id)).unwrap_or_default();
        let winner = records.name(winner);
        StepError::fatal(format!(
            "`{name}` lost the race to `{winner}`, and what it did could not be undone"
        ))
    }

    /// Restores the value of a race that is done: that of the line that was done first.
    pub(super) async fn restore_race(self, at: At<'_>, lines: &'static [Line], race: Id) -> OrStop {
        let entry = self.open_entry(race, Slots::Fresh);
        let winner = self.run.records().winner(race, lines);
        let (Some(scope), Some((line, id))) = (entry.scope(at)?, winner) else {
            return Ok(());
        };
        let at = At {
            scope: &*scope,
            item: 0,
            line,
        };
        Box::pin(self.restore_line(at, &lines[line], id)).await?;
        load_chosen(&*scope, race, line)?;
        scope.close(true);
        Ok(())
    }

    /// Whether the line is a step that has lost a race and is not undone: its value is not needed.
    pub(super) fn is_over(self, node: &Line, id: Id) -> bool {
        let records = self.run.records();
        let parent = &records[records[id].parent];
        let lost = |chosen: &str| chosen != node.name;
        parent.kind == crate::model::state::Kind::Race
            && parent.cold().chosen.as_deref().is_some_and(lost)
            && matches!(&node.work, Work::Step(meta) if !meta.undo)
    }
}

/// Makes the value of a line that of its race, or of its match.
pub(super) fn load_chosen(scope: &dyn Scope, id: Id, line: usize) -> OrStop {
    let loaded = scope.load(0, line, Saved::Chosen);
    loaded.map_err(|error| Stop::Node(id, StepError::fatal(error)))
}
