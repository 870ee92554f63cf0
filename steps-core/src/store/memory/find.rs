//! Finding executions: listing, counting, and deleting those that have ended.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{row::Row, rows::Rows};
use crate::store::{Column, Cursor, ExecutionInfo, ExecutionQuery, Field};

impl ExecutionQuery {
    /// Returns whether an execution meets every condition that is set, apart from `limit` and
    /// `after`.
    fn finds(&self, info: &ExecutionInfo) -> bool {
        let any_flow = self.flows.is_empty();
        let any_status = self.status.is_empty();
        let during = |range: &std::ops::Range<Timestamp>, time: Option<Timestamp>| {
            time.is_some_and(|time| range.contains(&time))
        };
        let created = self.created.as_ref();
        let ended = self.ended.as_ref();
        self.id.as_ref().is_none_or(|id| *id == info.id)
            && (any_flow || self.flows.contains(&info.flow))
            && (any_status || self.status.contains(&info.status))
            && self
                .labels
                .iter()
                .all(|(name, value)| info.labels.get(name) == Some(value))
            && created.is_none_or(|range| during(range, Some(info.created_at)))
            && self
                .parent
                .as_ref()
                .is_none_or(|parent| info.parent.as_ref() == Some(parent))
            && ended.is_none_or(|range| during(range, info.done_at))
            && self
                .refused
                .is_none_or(|refused| refused == info.refused.is_some())
    }

    /// Returns whether it asks when executions were last changed.
    fn asks_for_updates(&self) -> bool {
        let is = |condition: &Field| *condition == Field::Column(Column::Updated);
        self.conditions.iter().any(|condition| is(&condition.field))
            || self.sort.iter().any(|sort| sort.column == Column::Updated)
    }

    /// Returns the maximum number of executions.
    fn most(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }
}

impl Rows {
    /// Returns the executions that match on all pages, those created last at the end.
    fn found(&self, query: &ExecutionQuery) -> impl DoubleEndedIterator<Item = &Row> {
        self.found_from(query, None)
    }

    /// Returns the executions that match after the query's place in the list, those created last at
    /// the end.
    fn found_after(&self, query: &ExecutionQuery) -> impl DoubleEndedIterator<Item = &Row> {
        self.found_from(query, query.after.as_ref())
    }

    fn found_from(
        &self,
        query: &ExecutionQuery,
        after: Option<&Cursor>,
    ) -> impl DoubleEndedIterator<Item = &Row> {
        let one = query.id.as_ref().map(|id| self.ids.get(id).copied());
        let children = query.parent.as_ref().filter(|_| one.is_none());
        let children = children.map(|parent| self.children.get(parent).into_iter().flatten());
        let made = match after {
            None => self.made.range(..),
            Some(place) => self.made.range(..(place.created_at, place.key)),
        };
        let all = (one.is_none() && children.is_none()).then(|| made.map(|(_, key)| *key));
        let some = children.into_iter().flatten().map(|(_, key)| *key);
        let keys = one.flatten().into_iter().chain(some);
        let keys = keys.chain(all.into_iter().flatten());
        let asks_for_updates = query.asks_for_updates();
        keys.filter_map(|key| self.by_key.get(&key))
            .filter(move |row| {
                let place = (row.info.created_at, row.info.key);
                after.is_none_or(|after| place < (after.created_at, after.key))
                    && query.finds(&row.info)
                    && !(query.without_parent && self.has_parent(row))
                    && query
                        .conditions
                        .iter()
                        .all(|condition| condition.holds(&self.asked(row, asks_for_updates)))
            })
    }

    /// Returns whether the execution is there that has started this one.
    fn has_parent(&self, row: &Row) -> bool {
        let parent = row.info.parent.as_ref();
        parent.is_some_and(|parent| self.ids.contains_key(parent))
    }

    /// Returns what a query asks for of an execution.
    fn asked<'a>(&self, row: &'a Row, asks_for_updates: bool) -> Cow<'a, ExecutionInfo> {
        if asks_for_updates {
            Cow::Owned(row.counted(self.now))
        } else {
            Cow::Borrowed(&row.info)
        }
    }

    /// Returns the executions of a list that is sorted.
    fn sorted(&self, query: &ExecutionQuery) -> Vec<&Row> {
        let asks_for_updates = query.asks_for_updates();
        let found = self.found(query).map(|row| {
            let place = query.place_of(&self.asked(row, asks_for_updates));
            (place, row)
        });
        let after = query.after.as_ref();
        let mut found: Vec<(Cursor, &Row)> = found
            .filter(|(place, _)| after.is_none_or(|after| query.compare(place, after).is_gt()))
            .collect();
        found.sort_by(|one, other| query.compare(&one.0, &other.0));
        found.into_iter().map(|(_, row)| row).collect()
    }

    pub(super) fn list(&self, query: &ExecutionQuery) -> Vec<ExecutionInfo> {
        let rows: Vec<&Row> = if query.sort.is_empty() {
            self.found_after(query).rev().take(query.most()).collect()
        } else {
            self.sorted(query)
        };
        rows.into_iter()
            .take(query.most())
            .map(|row| {
                if query.brief {
                    row.told(self.now)
                } else {
                    row.counted(self.now)
                }
            })
            .collect()
    }

    pub(super) fn count(&self, query: &ExecutionQuery) -> u64 {
        self.found(query).fold(0, |count, _| count + 1)
    }

    pub(super) fn delete(&mut self, query: &ExecutionQuery) -> u64 {
        let now = self.now;
        let rows: Vec<&Row> = if query.sort.is_empty() {
            self.found_after(query).collect()
        } else {
            self.sorted(query)
        };
        let keys: Vec<i64> = rows
            .into_iter()
            .filter(|row| row.info.status.is_final() && !row.is_held(now))
            .take(query.most())
            .map(|row| row.info.key)
            .collect();
        let count = keys.iter().fold(0, |count, _| count + 1);
        for key in keys {
            self.remove(key);
        }
        count
    }
}
