//! The order in which the lines of a scope began, where it is not the order of the flow: lines were
//! exchanged since, or an optional one was added before others that had begun.
//!
//! A line that began after one that stands behind it says so (`begun_after`); a rollback goes by
//! that.

use std::sync::Arc;

use super::{
    Records,
    id::{Id, nth},
};
use crate::model::{
    state::State,
    table::{Line, lookup::Lookup},
};

impl Records {
    /// Notes which lines of a saved scope began, or will begin, after lines that stand behind them.
    /// The saved nodes stand in the order in which they began, if they do not say otherwise.
    pub(super) fn note_order(
        &mut self,
        first: Id,
        nodes: &'static [Line],
        lookup: &Lookup,
        states: &[State],
    ) {
        let mut last: Option<usize> = None;
        let mut newest = None;
        for state in states {
            let line = lookup.line(&state.name);
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
            let id = nth(first, *line);
            self[id].started_at.is_some()
        });
        for line in 0..last.unwrap_or(0) {
            let id = nth(first, line);
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
        let id = nth(first, line);
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
        let name_of = |line: usize| {
            let id = nth(first, line);
            self[id].cold().begun_after.as_deref()
        };
        if (0..nodes.len()).all(|line| name_of(line).is_none()) {
            return (0..nodes.len()).collect();
        }
        let lookup = Lookup::of(nodes);
        let after = |line: usize| lookup.line(name_of(line)?);
        let after: Vec<Option<usize>> = (0..nodes.len()).map(after).collect();
        // Each goes behind its line, in the order of the flow, and each of these has those behind it
        // right after it.
        let mut behind: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        let mut left = Vec::new();
        for (line, after) in after.iter().enumerate().rev() {
            match after {
                Some(after) => behind[*after].push(line),
                None => left.push(line),
            }
        }
        let mut order = Vec::with_capacity(nodes.len());
        while let Some(line) = left.pop() {
            order.push(line);
            left.append(&mut behind[line]);
        }
        // Lines that are said to have begun after each other, as a damaged state may have it.
        order.extend(behind.into_iter().flatten().rev());
        order
    }
}
