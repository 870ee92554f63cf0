//! Finding executions: listing, counting, and deleting those that have ended.

use jiff::Timestamp;

use super::{row::Row, rows::Rows};
use crate::store::{Cursor, ExecutionInfo, ExecutionQuery};

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
            && ended.is_none_or(|range| during(range, info.done_at))
            && self
                .refused
                .is_none_or(|refused| refused == info.refused.is_some())
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
        self.found_from(query, query.after)
    }

    fn found_from(
        &self,
        query: &ExecutionQuery,
        after: Option<Cursor>,
    ) -> impl DoubleEndedIterator<Item = &Row> {
        let one = query.id.as_ref().map(|id| self.ids.get(id).copied());
        let made = match after {
            None => self.made.range(..),
            Some(place) => self.made.range(..(place.created_at, place.key)),
        };
        let all = one.is_none().then(|| made.map(|(_, key)| *key));
        let keys = one.flatten().into_iter().chain(all.into_iter().flatten());
        keys.filter_map(|key| self.by_key.get(&key))
            .filter(move |row| {
                query.finds(&row.info) && after.is_none_or(|place| row.info.cursor() < place)
            })
    }

    pub(super) fn list(&self, query: &ExecutionQuery) -> Vec<ExecutionInfo> {
        let newest_first = self.found_after(query).rev();
        newest_first
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
        let keys: Vec<i64> = self
            .found_after(query)
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
