//! Duties.

use std::{collections::BTreeSet, ops::Bound};

use super::rows::Rows;
use crate::store::{Duty, DutyQuery, DutySet, NewDuty, SetDuty, StoreError};

impl DutyQuery {
    /// Returns whether a duty whose name has the prefix is in the list, on this page or a later one.
    fn finds(&self, duty: &Duty) -> bool {
        let place = |duty: &Duty| (duty.due, duty.name.clone());
        match (self.due_until, &self.after) {
            (Some(until), after) => {
                duty.due.is_some_and(|due| due <= until)
                    && after
                        .as_ref()
                        .is_none_or(|after| place(duty) > place(after))
            }
            (None, after) => after.as_ref().is_none_or(|after| duty.name > after.name),
        }
    }
}

impl Rows {
    pub(super) fn duty(&self, name: &str) -> Option<Duty> {
        self.duties.get(name).cloned()
    }

    pub(super) fn duties(&self, query: &DutyQuery) -> Vec<Duty> {
        let from = (Bound::Included(query.prefix.as_str()), Bound::Unbounded);
        let named = self.duties.range::<str, _>(from);
        let named = named.take_while(|(name, _)| name.starts_with(&query.prefix));
        let mut found: Vec<&Duty> = named
            .map(|(_, duty)| duty)
            .filter(|duty| query.finds(duty))
            .collect();
        if query.due_until.is_some() {
            found.sort_by_key(|duty| duty.due);
        }
        found.truncate(query.limit.unwrap_or(usize::MAX));
        found.into_iter().cloned().collect()
    }

    pub(super) fn set_duty(&mut self, set: SetDuty) -> Result<DutySet, StoreError> {
        let there = self.duties.get(&set.name);
        if there.map(|duty| duty.revision) != set.revision {
            return Ok(DutySet::Changed(there.cloned()));
        }
        let mut given = BTreeSet::new();
        for child in &set.start {
            let id = &child.new.id;
            if !given.insert(id) || self.ids.contains_key(id) {
                return Ok(DutySet::Exists(id.clone()));
            }
        }
        self.go_with(set.start, Vec::new())?;
        let Some(NewDuty { due, value }) = set.to else {
            self.duties.remove(&set.name);
            return Ok(DutySet::Set(None));
        };
        self.last_revision += 1;
        let revision = self.last_revision;
        let duty = Duty {
            name: set.name.clone(),
            revision,
            due,
            value,
        };
        self.duties.insert(set.name, duty);
        Ok(DutySet::Set(Some(revision)))
    }
}
