//! Finding executions: listing, counting, and deleting those that have ended.

use jiff::Timestamp;

use super::rows::Rows;
use crate::store::{ExecutionInfo, ExecutionQuery};

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
        match self.limit {
            0 => usize::MAX,
            limit => limit,
        }
    }
}

impl Rows {
    /// Returns the keys of the executions that match, those created last at the end.
    fn found(&self, query: &ExecutionQuery) -> impl Iterator<Item = i64> {
        let one = query.id.as_ref().map(|id| self.ids.get(id).copied());
        let all = one.is_none().then(|| self.made.iter().map(|(_, key)| *key));
        let keys = one.flatten().into_iter().chain(all.into_iter().flatten());
        keys.filter(|key| {
            self.by_key
                .get(key)
                .is_some_and(|row| query.finds(&row.info))
        })
    }

    pub(super) fn list(&self, query: &ExecutionQuery) -> Vec<ExecutionInfo> {
        // The position in the list after which the page begins.
        let after = match &query.after {
            None => None,
            Some(id) => match self
                .ids
                .get(id)
                .and_then(|key| Some((*key, self.by_key.get(key)?)))
            {
                Some((key, row)) => Some((row.info.created_at, key)),
                None => return Vec::new(),
            },
        };
        let made = match after {
            None => self.made.range(..),
            Some(place) => self.made.range(..place),
        };
        made.rev()
            .filter_map(|(_, key)| self.by_key.get(key))
            .map(|row| &row.info)
            .filter(|info| query.finds(info))
            .take(query.most())
            .cloned()
            .collect()
    }

    pub(super) fn count(&self, query: &ExecutionQuery) -> u64 {
        self.found(query).fold(0, |count, _| count + 1)
    }

    pub(super) fn delete(&mut self, query: &ExecutionQuery) -> u64 {
        let now = self.now;
        let gone = |key: &i64| {
            self.by_key
                .get(key)
                .is_some_and(|row| row.info.status.is_final() && !row.is_held(now))
        };
        let keys: Vec<i64> = self.found(query).filter(gone).take(query.most()).collect();
        let count = keys.iter().fold(0, |count, _| count + 1);
        for key in keys {
            self.remove(key);
        }
        count
    }
}
