//! Rounds of a `loop keep n` that are let go: their records are taken away, here and in the journal, and
//! later records take the room that they had. So a run that never ends needs no more memory for it.

use std::collections::BTreeMap;

use super::{
    Records,
    id::{Id, NO_ROW, ROOT},
    past::PastRows,
    record::{Name, Record},
};
use crate::{
    base::error::StepError,
    language::scope::Keys,
    model::state::{Kind, Row},
    store::RowRanges,
};

/// What was let go.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// The places of records that are free, as ranges that do not touch: the first, and how many.
    places: BTreeMap<Id, u32>,
    /// How many places that are.
    free: usize,
    /// The numbers of the lists of keys that are free.
    lists: Vec<u32>,
    /// The rows that the journal still has.
    rows: RowRanges,
    /// Whether any were let go in this run.
    any: bool,
}

/// So many records are let go at once, and more only with the next round.
const MOST_AT_ONCE: usize = 5_000;

impl Gone {
    /// Returns how many records can be made without more memory.
    pub(super) fn room(&self) -> usize {
        self.free
    }

    /// Takes places that are next to each other.
    fn take(&mut self, count: usize) -> Option<Id> {
        let count = Id::try_from(count).ok().filter(|count| *count > 0)?;
        let mut places = self.places.iter();
        let (&first, &length) = places.find(|(_, length)| **length >= count)?;
        self.places.remove(&first);
        if length > count {
            self.places.insert(first + count, length - count);
        }
        self.free -= count as usize;
        Some(first)
    }

    fn give(&mut self, mut first: Id, count: u32) {
        self.free += count as usize;
        let mut length = count;
        if let Some(after) = self.places.remove(&(first + count)) {
            length += after;
        }
        if let Some((&before, &its)) = self.places.range(..first).next_back()
            && before + its == first
        {
            (first, length) = (before, its + length);
        }
        self.places.insert(first, length);
    }
}

impl Records {
    /// Checks that so many more records are within the limit.
    pub(super) fn room(&self, more: usize) -> Result<(), StepError> {
        let here = self.all.len() - self.gone.room();
        let nodes = here.saturating_add(self.past.left_out + more);
        if more > 0 && nodes > self.most {
            return Err(StepError::fatal(format!(
                "the execution has {nodes} nodes with it, and the limit is {}",
                self.most
            )));
        }
        Ok(())
    }

    /// Adds records next to each other. Returns the place of the first.
    pub(super) fn add(&mut self, records: impl ExactSizeIterator<Item = Record>) -> Id {
        let Some(first) = self.gone.take(records.len()) else {
            let first = self.next_id();
            self.all.extend(records);
            return first;
        };
        let places = self.all[first as usize..].iter_mut();
        records
            .zip(places)
            .for_each(|(record, place)| *place = record);
        first
    }

    /// Adds the keys of a `for`. Returns the number of the list.
    pub(super) fn add_keys(&mut self, keys: Keys) -> u32 {
        if let Some(list) = self.gone.lists.pop() {
            self.keys[list as usize] = keys;
            return list;
        }
        self.keys.push(keys);
        u32::try_from(self.keys.len() - 1).unwrap_or(u32::MAX)
    }

    /// Lets the oldest rounds of a `loop` go, whose rounds are all done, so that only the newest `keep`
    /// are left. Returns the places of the records that are not there any more.
    pub(crate) fn let_go(&mut self, id: Id, keep: u32) -> Vec<Id> {
        let mut gone = Vec::new();
        let surplus = self[id].cold().rounds.len().saturating_sub(keep as usize);
        let mut rounds = 0;
        while rounds < surplus && gone.len() < MOST_AT_ONCE {
            let mut left = vec![self[id].cold().rounds[rounds]];
            while let Some(id) = left.pop() {
                left.extend(self.below(id));
                gone.push(id);
            }
            rounds += 1;
        }
        let cold = self[id].cold_mut();
        cold.rounds.drain(..rounds);
        cold.rounds_before += rounds;
        cold.let_go += rounds;
        for id in &gone {
            self.drop_record(*id);
        }
        if rounds > 0 && !std::mem::replace(&mut self.gone.any, true) {
            self.past.tell();
        }
        gone.sort_unstable();
        gone
    }

    /// Gives all records new rows, if the numbers come near their end and all records are here. Returns
    /// those that the journal has: it has to replace all that it has by them.
    pub(crate) fn renumber(&mut self) -> Option<Vec<Id>> {
        if self.next_row <= Row::MOST || self.is_partial() {
            return None;
        }
        let mut known = Vec::new();
        let mut left = vec![ROOT];
        while let Some(id) = left.pop() {
            let below = self.below(id);
            left.extend(below.into_iter().rev());
            let record = &mut self[id];
            if std::mem::replace(&mut record.row, NO_ROW) != NO_ROW || id == ROOT {
                known.push(id);
            }
            if record.kind == Kind::Loop && record.cold.is_some() {
                record.cold_mut().rounds_noted = 0;
            }
        }
        self.next_row = 1;
        self.gone.rows = RowRanges::default();
        self.past = PastRows::default();
        Some(known)
    }

    fn drop_record(&mut self, id: Id) {
        let nothing = Record::new(Name::Number(0), Kind::Step, ROOT);
        let record = std::mem::replace(&mut self[id], nothing);
        if record.row != NO_ROW {
            self.gone.rows.insert(record.row);
        }
        // The items of a `for` have one list.
        if let Name::Key { list, index: 0 } = record.name {
            self.keys[list as usize] = Keys::default();
            self.gone.lists.push(list);
        }
        self.gone.give(id, 1);
    }

    /// Takes the rows that the journal has and that are not there any more.
    pub(crate) fn take_gone(&mut self) -> RowRanges {
        std::mem::take(&mut self.gone.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::{Line, Marks, Work};

    #[test]
    fn places_that_touch_are_one_range_again() {
        let mut gone = Gone::default();
        for place in [4, 9, 6, 5, 8] {
            gone.give(place, 1);
        }
        assert_eq!(gone.places, BTreeMap::from([(4, 3), (8, 2)]));
        assert_eq!((gone.take(4), gone.take(0), gone.room()), (None, None, 5));
        assert_eq!(
            (gone.take(2), gone.take(2), gone.take(2)),
            (Some(4), Some(8), None)
        );
        assert_eq!((gone.take(1), gone.room()), (Some(6), 0));
        gone.give(7, 1);
        gone.give(6, 1);
        assert_eq!(gone.places, BTreeMap::from([(6, 2)]));
    }
    #[test]
    fn rows_are_numbered_anew_before_their_numbers_run_out() {
        let body: &[Line] = &[];
        let line = Line {
            name: "beat",
            aliases: &[],
            calls: "",
            uses: &[],
            marks: Marks::NONE,
            work: Work::Loop {
                body,
                max: 0,
                keep: 1,
                prev: &[],
            },
        };
        let mut records = Records::new("f", 1);
        let beat = records.lines(ROOT, vec![line].leak()).expect("room");
        for _ in 0..3 {
            let round = records.round(beat).expect("room");
            records.row(round);
        }
        assert_eq!(records.row(beat), (1, 0));
        assert_eq!(records.let_go(beat, 1).len(), 2);
        assert!(records.renumber().is_none(), "there are numbers left");
        records.next_row = Row::MOST;
        let newest = records.round(beat).expect("room");
        assert_eq!(records.row(newest).0, Row::MOST);
        let known = records.renumber().expect("they are used up");
        assert_eq!(known.len(), 4, "the root, the loop, and two rounds");
        assert!(records.take_gone().is_empty(), "all are replaced");
        let rows: Vec<_> = known.iter().map(|id| records.row(*id)).collect();
        assert_eq!(rows, [(0, 0), (1, 0), (2, 1), (3, 1)]);
        assert_eq!(records.path(newest), "beat.4");
    }
}
