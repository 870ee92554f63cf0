//! The order in which the lines of a `parallel` begin: each when those are done whose values it
//! uses. Back, the same against the arrows: each when those are undone that used its value.
//!
//! This module counts lines, and knows nothing of records or of how a line runs.

use std::{collections::VecDeque, ops::Range};

use super::End;
use crate::model::table::Line;

/// The lines, or the items of a `for`, that have not begun in this pass.
#[derive(Debug)]
pub(super) struct Queue {
    /// Those that were not looked at yet.
    fresh: Range<usize>,
    /// Those that were looked at too early, and can begin now.
    released: VecDeque<usize>,
    /// `None` if no line waits for another.
    graph: Option<Box<Graph>>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// The number of the line.
    pub(super) line: usize,
    /// Whether a line whose value it uses has failed, so that there is no value.
    pub(super) lacks_a_value: bool,
}

#[derive(Debug, Default)]
struct Graph {
    /// The lines that wait for each line.
    behind: Vec<Vec<usize>>,
    /// How many lines each line still waits for.
    waits_for: Vec<usize>,
    lacks_a_value: Vec<bool>,
    /// How many lines were looked at too early and wait.
    held: usize,
}

impl Queue {
    /// Items, none of which waits for another.
    pub(super) fn of_items(count: usize) -> Self {
        Self {
            fresh: 0..count,
            released: VecDeque::new(),
            graph: None,
        }
    }

    /// The lines of a `parallel`, forward.
    pub(super) fn of_lines(nodes: &[Line]) -> Self {
        Self::with(nodes, |graph, line, used| {
            graph.behind[used].push(line);
            graph.waits_for[line] += 1;
        })
    }

    /// The lines of a `parallel`, back.
    pub(super) fn back(nodes: &[Line]) -> Self {
        Self::with(nodes, |graph, line, used| {
            graph.behind[line].push(used);
            graph.waits_for[used] += 1;
        })
    }

    fn with(nodes: &[Line], arrow: impl Fn(&mut Graph, usize, usize)) -> Self {
        let mut queue = Self::of_items(nodes.len());
        if nodes.iter().all(|node| node.uses.is_empty()) {
            return queue;
        }
        let mut graph = Graph {
            behind: vec![Vec::new(); nodes.len()],
            waits_for: vec![0; nodes.len()],
            lacks_a_value: vec![false; nodes.len()],
            held: 0,
        };
        for (line, node) in nodes.iter().enumerate() {
            for used in node.uses.iter().filter(|used| **used < line) {
                arrow(&mut graph, line, *used);
            }
        }
        queue.graph = Some(Box::new(graph));
        queue
    }

    /// Returns the next line that can begin.
    pub(super) fn next(&mut self) -> Option<Next> {
        let Some(graph) = &mut self.graph else {
            let line = self.fresh.next()?;
            let lacks_a_value = false;
            return Some(Next {
                line,
                lacks_a_value,
            });
        };
        let line = match self.released.pop_front() {
            Some(line) => line,
            None => loop {
                let line = self.fresh.next()?;
                if graph.waits_for[line] == 0 {
                    break line;
                }
                graph.held += 1;
            },
        };
        let lacks_a_value = graph.lacks_a_value[line];
        Some(Next {
            line,
            lacks_a_value,
        })
    }

    /// Notes how a line has ended. One that waits has not.
    pub(super) fn ended(&mut self, line: usize, end: End) {
        let Some(graph) = self.graph.as_deref_mut() else {
            return;
        };
        if matches!(end, End::Waiting(_)) {
            return;
        }
        for behind in std::mem::take(&mut graph.behind[line]) {
            graph.lacks_a_value[behind] |= end != End::Done;
            graph.waits_for[behind] -= 1;
            // One that was not looked at yet will be.
            if graph.waits_for[behind] == 0 && !self.fresh.contains(&behind) {
                graph.held -= 1;
                self.released.push_back(behind);
            }
        }
    }

    /// Whether every line has begun.
    pub(super) fn is_empty(&self) -> bool {
        let held = self.graph.as_ref().map_or(0, |graph| graph.held);
        self.fresh.is_empty() && self.released.is_empty() && held == 0
    }
}
