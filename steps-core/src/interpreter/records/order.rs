//! The order in which the lines of a scope began, where it is not the order of the flow: lines were
//! exchanged since, or an optional one was added before others that had begun.
//!
//! A line that began after one that stands behind it says so (`begun_after`); a rollback goes by
//! that.

use std::sync::Arc;

use super::{Id, Records};
use crate::model::{state::State, table::Line};

impl Records {
    /// Notes which lines of a saved scope began, or will begin, after lines that stand behind them.
    /// The saved nodes stand in the order in which they began, if they do not say otherwise.
    pub(super) fn note_order(&mut self, first: Id, nodes: &'static [Line], states: &[State]) {
        let mut last: Option<usize> = None;
        let mut newest = None;
        for state in states {
            let line = nodes.iter().position(|node| node.answers_to(&state.name));
            let Some(line) = line.filter(|_| state.started_at.is_some()) else {
                continue;
            };
            if last.is_some_and(|last| line < last) {
                self.begins_after(first, nodes, line, newest);
            }
            last = last.max(Some(line));
            newest = Some(line);
        }
        // What has not begun will begin after all that has.
        let newest = self.in_order(first, nodes).into_iter().rfind(|line| {
            let id = first + Id::try_from(*line).unwrap_or(Id::MAX);
            self[id].started_at.is_some()
        });
        for line in 0..last.unwrap_or(0) {
            let id = first + Id::try_from(line).unwrap_or(Id::MAX);
            if self[id].started_at.is_none() {
                self.begins_after(first, nodes, line, newest);
            }
        }
    }

    fn begins_after(
        &mut self,
        first: Id,
        nodes: &'static [Line],
        line: usize,
        other: Option<usize>,
    ) {
        let id = first + Id::try_from(line).unwrap_or(Id::MAX);
        let Some(other) = other.and_then(|other| nodes.get(other)) else {
            return;
        };
        let has_begun = self[id].started_at.is_some();
        let begun_after = &mut self[id].cold_mut().begun_after;
        if begun_after.is_none() {
            *begun_after = Some(Arc::from(other.name));
            if has_begun {
                self.unsaved.differing.push(id);
            }
        }
    }

    /// Returns the numbers of the lines, in the order in which they began.
    pub(crate) fn in_order(&self, first: Id, nodes: &'static [Line]) -> Vec<usize> {
        let after = |line: usize| {
            let id = first + Id::try_from(line).unwrap_or(Id::MAX);
            let name = self[id].cold().begun_after.as_deref()?;
            nodes.iter().position(|node| node.answers_to(name))
        };
        let (mut order, mut late): (Vec<usize>, Vec<usize>) =
            (0..nodes.len()).partition(|line| after(*line).is_none());
        // Each goes behind its line, and behind those that already went there.
        let mut behind: Vec<usize> = Vec::new();
        while let Some(next) = late
            .iter()
            .position(|line| after(*line).is_some_and(|other| order.contains(&other)))
        {
            let line = late.remove(next);
            let other = after(line);
            let at = order.iter().position(|it| Some(*it) == other).unwrap_or(0) + 1;
            let taken = order[at..]
                .iter()
                .take_while(|it| behind.contains(it) && after(**it) == other);
            let at = at + taken.count();
            order.insert(at, line);
            behind.push(line);
        }
        order.extend(late);
        order
    }
}
