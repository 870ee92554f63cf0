//! The critical path: the steps that decided when the execution ended.
//!
//! Lines in order are all on it, one after the other. Of lines at once, the one that ended last is on it,
//! and before it, of the lines whose values it uses, the one that ended last, and so on. Of a `race`, it
//! is the line that was done first. Of the items of a `for … parallel`, before the one that ended last
//! comes one that ended before it began, as if there had been no place for it until then: that is not
//! recorded, so it is marked as assumed.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{Critical, build};
use crate::model::{
    state::{Kind, State},
    status::Status,
};

struct Walk {
    at: Timestamp,
    /// How many nodes there are from each one down, by its number.
    sizes: Vec<usize>,
    path: Vec<Critical>,
    assumed: bool,
}

/// Returns the path, and whether something in it was assumed.
pub(super) fn path(state: &State, at: Timestamp) -> (Vec<Critical>, bool) {
    let mut walk = Walk {
        at,
        sizes: Vec::new(),
        path: Vec::new(),
        assumed: false,
    };
    count(state, &mut walk.sizes);
    walk.below(state, 0, false);
    (walk.path, walk.assumed)
}

/// Adds how many nodes there are from this one down, and from each one below it.
fn count(state: &State, sizes: &mut Vec<usize>) {
    let number = sizes.len();
    sizes.push(1);
    for below in &state.states {
        count(below, sizes);
    }
    sizes[number] = sizes.len() - number;
}

impl Walk {
    /// Adds what is on the path of a node that has this number. If it is assumed, so is all of it.
    fn below(&mut self, state: &State, number: usize, assumed: bool) {
        if state.kind == Kind::Step {
            if let Some(took) = build::took(state, self.at) {
                self.path.push(Critical {
                    node: number,
                    took,
                    assumed,
                });
                self.assumed |= assumed;
            }
            return;
        }
        let mut next = number + 1;
        let children: Vec<(&State, usize)> = (state.states.iter())
            .map(|child| {
                let child = (child, next);
                next += self.sizes[next];
                child
            })
            .collect();
        let chain = match state.kind {
            Kind::Race => self.winner(state, &children),
            Kind::Parallel => self.by_data_flow(&children),
            Kind::For if state.parallel => self.by_time(&children),
            _ => children.iter().map(|child| (*child, false)).collect(),
        };
        for ((child, number), of_child) in chain {
            self.below(child, number, assumed || of_child);
        }
    }

    /// When a child ended, or the moment of the report; `None` if it has not begun.
    fn end(&self, state: &State) -> Option<Timestamp> {
        let from = state.started_at?;
        let took = build::took(state, self.at)?;
        Some(from.checked_add(took).unwrap_or(self.at))
    }

    fn last<'a>(
        &self,
        among: impl Iterator<Item = (&'a State, usize)>,
    ) -> Option<(&'a State, usize)> {
        among
            .filter_map(|child| Some((self.end(child.0)?, child)))
            .max_by_key(|(end, (_, number))| (*end, std::cmp::Reverse(*number)))
            .map(|(_, child)| child)
    }

    fn winner<'a>(&self, race: &State, children: &[(&'a State, usize)]) -> Chain<'a> {
        let chosen = race.chosen.as_deref();
        let is_chosen = |child: &&(&State, usize)| chosen.is_some_and(|name| child.0.name == name);
        let done = |child: &&(&State, usize)| child.0.status == Status::Done;
        let winner = (children.iter().find(is_chosen))
            .or_else(|| {
                children
                    .iter()
                    .filter(done)
                    .min_by_key(|child| child.0.done_at)
            })
            .copied()
            .or_else(|| self.last(children.iter().copied()));
        winner.into_iter().map(|child| (child, false)).collect()
    }

    fn by_data_flow<'a>(&self, children: &[(&'a State, usize)]) -> Chain<'a> {
        let mut chain = Vec::new();
        let mut seen = HashSet::new();
        let mut next = self.last(children.iter().copied());
        while let Some(child) = next {
            // Names that depend on each other in a circle are a damaged tree's.
            if !seen.insert(child.1) {
                break;
            }
            chain.push((child, false));
            let needs = |other: &(&State, usize)| child.0.needs.contains(&other.0.name);
            next = self.last(children.iter().copied().filter(needs));
        }
        chain.reverse();
        chain
    }

    fn by_time<'a>(&self, children: &[(&'a State, usize)]) -> Chain<'a> {
        let first = children.iter().filter_map(|child| child.0.started_at).min();
        let ended = children.iter().copied();
        let ended = ended.filter_map(|child| Some((self.end(child.0)?, child)));
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable_by_key(|(end, (_, number))| (*end, std::cmp::Reverse(*number)));
        let mut chain: Chain<'a> = Vec::new();
        let mut next = ended.last().map(|(_, child)| *child);
        while let Some(child) = next {
            // What stands before it on the path is assumed to, as it is not recorded.
            chain.push((child, !chain.is_empty()));
            let began = child.0.started_at.filter(|began| Some(*began) > first);
            next = began.and_then(|began| {
                let before = |(_, other): &&(Timestamp, (&State, usize))| {
                    other.0.done_at.is_some_and(|done| done <= began)
                        && other.0.started_at < child.0.started_at
                };
                // What was done by then has ended by then.
                let until = ended.partition_point(|(end, _)| *end <= began);
                let last = ended[..until].iter().rev().find(before);
                last.map(|(_, child)| *child)
            });
        }
        chain.reverse();
        chain
    }
}

/// Children, the first first, each with its number and whether it is only assumed that the next one
/// waited for it.
type Chain<'a> = Vec<((&'a State, usize), bool)>;
