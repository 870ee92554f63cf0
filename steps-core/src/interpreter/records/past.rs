//! The rounds of a `loop` that are over: going forward, nothing looks at them but for their number, so
//! they need not be read when an execution is taken up. A rollback brings them back.

use super::{
    Records,
    id::{Id, NO_ROW},
};
use crate::{
    base::error::JournalError,
    model::{
        state::{Kind, State},
        status::Status,
        table::Line,
    },
    store::RowRanges,
};

/// Which rows are past, and which of them are not in memory.
#[derive(Debug, Default)]
pub(super) struct PastRows {
    rows: RowRanges,
    /// How many nodes are not in memory.
    pub(super) left_out: usize,
    /// Whether the journal does not know `rows` yet.
    changed: bool,
}

impl PastRows {
    /// Those that a saved tree was read without.
    pub(super) fn left_out(rows: RowRanges) -> Self {
        Self {
            left_out: rows.count(),
            rows,
            changed: false,
        }
    }

    /// The journal is told which rows are past, if there are none: others may have said so of rows
    /// that are not there any more.
    pub(super) fn tell(&mut self) {
        self.changed = true;
    }

    pub(super) fn next_row(&self) -> u32 {
        self.rows.last().map_or(1, |last| last.saturating_add(1))
    }
}

impl Records {
    /// Returns how many rounds a `loop` has begun.
    pub(crate) fn rounds_begun(&self, id: Id) -> usize {
        let cold = self[id].cold();
        cold.rounds_before + cold.rounds.len()
    }

    /// Returns how many rounds of a `loop` are done. They are the first ones.
    pub(crate) fn rounds_done(&self, id: Id) -> usize {
        let cold = self[id].cold();
        let rounds = cold.rounds.iter();
        let done = rounds.filter(|round| self[**round].status == Status::Done);
        cold.rounds_before + done.count()
    }

    /// Returns the record of a round, by its number, which begins with 1; `None` if it has not begun,
    /// or is not in memory.
    pub(crate) fn round_of(&self, id: Id, number: usize) -> Option<Id> {
        let cold = self[id].cold();
        let index = number.checked_sub(cold.rounds_before + 1)?;
        cold.rounds.get(index).copied()
    }

    /// Returns whether rounds of a `loop` were left out when the tree was read.
    pub(crate) fn has_left_out(&self, id: Id) -> bool {
        let cold = self[id].cold();
        cold.rounds_before > cold.let_go
    }

    /// Returns whether rounds of this `loop` may be left out when the tree is read. Of a loop that lets
    /// rounds go, all that are recorded are read, and what is in them: which rows to delete is then known.
    /// One that does so no more would later seem to have left out those that are gone.
    pub(crate) fn may_leave_past(&self, id: Id) -> bool {
        let lets_go = |id: Id| {
            let cold = self[id].cold();
            cold.lets_go || cold.let_go > 0
        };
        !self.has_gaps && !self.around(id).any(lets_go)
    }

    /// Returns whether nodes were left out when the tree was read, and have not been brought back.
    pub(crate) fn is_partial(&self) -> bool {
        self.past.left_out > 0
    }

    /// Returns the rows that are past, if the journal does not know them yet. At the end of a pass,
    /// what is over by now is among them.
    pub(crate) fn take_past(&mut self, is_end: bool) -> Option<RowRanges> {
        if is_end {
            for id in self.ids() {
                self.note_past(id);
            }
        }
        std::mem::take(&mut self.past.changed).then(|| self.past.rows.clone())
    }

    /// Notes the rounds of a loop before the last one that is done, whose value the next one may use, and
    /// before the last one in which a pivot is done, which says that the run is past it.
    fn note_past(&mut self, id: Id) {
        let record = &self[id];
        let cold = record.cold();
        if record.kind != Kind::Loop || !cold.leaves_past {
            return;
        }
        let is_done = |round: &Id| self[*round].status == Status::Done;
        let last = cold.rounds.iter().rposition(is_done).unwrap_or(0);
        let from = cold.rounds_noted;
        let mut rounds = cold.rounds[from..].iter();
        let pivot = rounds.rposition(|round| self.is_past_pivot(*round));
        let last = pivot.map_or(last, |pivot| last.min(from + pivot));
        if from >= last {
            return;
        }
        let mut left = cold.rounds[from..last].to_vec();
        self[id].cold_mut().rounds_noted = last;
        while let Some(id) = left.pop() {
            let row = self[id].row;
            if row != NO_ROW {
                self.past.rows.insert(row);
            }
            left.extend(self.below(id));
        }
        self.past.changed = true;
    }

    /// Makes the records of the rounds of a `loop` that were left out, from the whole tree. The journal
    /// must be told with the next change: from now on nothing is past.
    pub(crate) fn bring_back(
        &mut self,
        id: Id,
        body: &'static [Line],
        tree: &State,
    ) -> Result<(), JournalError> {
        let row = self[id].row;
        let before = self[id].cold().rounds_before;
        let saved = tree.walk().map(|(_, node)| node);
        let saved = saved.into_iter().find(|node| node.row.get() == Some(row));
        let rounds = saved.and_then(|node| node.states.get(..before));
        let Some(rounds) = rounds else {
            let path = self.path(id);
            let why =
                format!("the first {before} rounds of `{path}` are not in the store any more");
            return Err(JournalError::new(why));
        };
        let cold = self[id].cold_mut();
        let in_memory = std::mem::take(&mut cold.rounds);
        (cold.rounds_before, cold.leaves_past) = (0, false);
        let first = self.next_id();
        self.fill_rounds(id, body, rounds);
        let made = (self.next_id() - first) as usize;
        self[id].cold_mut().rounds.extend(in_memory);
        // They are as the journal has them.
        self.take_unsaved();
        self.past = PastRows {
            rows: RowRanges::default(),
            left_out: self.past.left_out.saturating_sub(made),
            changed: true,
        };
        Ok(())
    }
}
