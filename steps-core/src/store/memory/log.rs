//! What steps have logged.

use std::collections::HashSet;

use super::rows::Rows;
use crate::{
    model::log::LogLine,
    store::{LogQuery, NewLines, StoredLog},
};

impl Rows {
    pub(super) fn log(&mut self, new: NewLines) {
        let mut changed = HashSet::new();
        for line in new.lines {
            if !self.by_key.contains_key(&line.key) {
                continue;
            }
            let log = self.logs.entry(line.key).or_default();
            changed.insert((line.key, line.path.clone()));
            let last = log.last().map_or(0, |line| line.number);
            let mut of_step = log.iter().rev().filter(|it| it.path == line.path);
            let last_of_step = of_step.next().map_or(0, |line| line.of_step);
            log.push(line.behind(last, last_of_step));
        }
        let bound = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
        for (key, path) in changed {
            let Some(log) = self.logs.get_mut(&key) else {
                continue;
            };
            let last = log.last().map_or(0, |line| line.number);
            let of_step = log.iter().filter(|line| line.path == path);
            let last_of_step = of_step.map(|line| line.of_step).max().unwrap_or_default();
            log.retain(|line| {
                line.number > last.saturating_sub(bound(new.per_execution))
                    && (line.path != path
                        || line.of_step > last_of_step.saturating_sub(bound(new.per_step)))
            });
        }
    }

    pub(super) fn logged(&self, query: &LogQuery) -> Option<StoredLog> {
        let key = *self.ids.get(&query.id)?;
        let is_found = |line: &&LogLine| {
            query.after.is_none_or(|after| line.number > after) && query.is_of_step(&line.path)
        };
        let log = self.logs.get(&key).map(Vec::as_slice).unwrap_or_default();
        let mut lines: Vec<LogLine> = log.iter().filter(is_found).cloned().collect();
        let most = query.limit.unwrap_or(usize::MAX);
        if query.newest {
            lines.drain(..lines.len().saturating_sub(most));
        }
        lines.truncate(most);
        Some(StoredLog { key, lines })
    }
}
