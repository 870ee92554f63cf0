//! Where a process was when it was killed or stopped, by its marks in the log.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::log::{What, records};

/// A place where a process can be killed or stopped. It may be in several at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Opening the database, before the engine worked.
    Opening,
    /// In a step, before its effect.
    StepBefore,
    /// In a step, after its effect.
    StepAfter,
    /// In an undo.
    Rollback,
    /// Between handing a write to the store and hearing of it.
    Commit,
    /// In a claim.
    Claim,
    /// Holding what it took over from a process that is gone, before its first write to that.
    TakeOver,
    /// In none of these.
    Elsewhere,
}

/// How often each place was struck.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts(BTreeMap<Place, u64>);

impl Counts {
    pub(crate) fn add(&mut self, places: BTreeSet<Place>) {
        for place in places {
            *self.0.entry(place).or_default() += 1;
        }
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (place, count) in &other.0 {
            *self.0.entry(*place).or_default() += count;
        }
    }

    pub(crate) fn of(&self, place: Place) -> u64 {
        self.0.get(&place).copied().unwrap_or_default()
    }

    /// Those of these places that were never struck.
    pub(crate) fn missing(&self, places: &[Place]) -> Vec<Place> {
        let never = |place: &&Place| self.of(**place) == 0;
        places.iter().filter(never).copied().collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|(place, count)| format!("{place:?} {count}"))
            .collect();
        f.write_str(&words.join(", "))
    }
}

/// Where the process was at the end of this part of the log.
pub(crate) fn places(text: &str, pid: u32) -> BTreeSet<Place> {
    let mut ready = false;
    // Steps: whether the effect is there.
    let mut steps = BTreeMap::new();
    let mut undos = BTreeSet::new();
    let mut writes = BTreeSet::new();
    let mut claims = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for record in records(text).filter(|record| record.pid == pid) {
        let at = (record.execution, record.first());
        match record.what {
            What::Ready => ready = true,
            What::Begin => {
                steps.insert(at, false);
            }
            What::Did => {
                steps.insert(at, true);
            }
            What::End | What::Fail => {
                steps.remove(&at);
            }
            What::Unbegin => {
                undos.insert(at);
            }
            What::Unend | What::Unfail => {
                undos.remove(&at);
            }
            What::Write => {
                writes.insert(record.first());
            }
            What::Written | What::Lost => {
                writes.remove(record.first());
                taken.remove(&(record.execution, record.second()));
            }
            What::Claim => {
                claims.insert(record.first());
            }
            What::Claimed => {
                claims.remove(record.first());
            }
            What::Got if !record.second().is_empty() => {
                taken.insert((record.execution, record.first()));
            }
            _ => {}
        }
    }
    let mut places = BTreeSet::new();
    let mut put = |place, is| {
        if is {
            places.insert(place);
        }
    };
    put(Place::Opening, !ready);
    put(Place::StepBefore, steps.values().any(|did| !did));
    put(Place::StepAfter, steps.values().any(|did| *did));
    put(Place::Rollback, !undos.is_empty());
    put(Place::Commit, !writes.is_empty());
    put(Place::Claim, !claims.is_empty());
    put(Place::TakeOver, !taken.is_empty());
    if places.is_empty() {
        places.insert(Place::Elsewhere);
    }
    places
}
