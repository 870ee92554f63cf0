//! The index for claims: which executions are due, and when.
//!
//! Executions are kept in lanes. All executions in one lane have the same flow, the same priority,
//! the same refusals (or none) and the same worker (or none), and are sorted by when they may be
//! claimed: first those that go by moments, then those that wait for a time. So those that are due
//! come first of each of these, and a claim never reads those that wait.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use jiff::Timestamp;

use super::row::{Row, Turn};
use crate::{
    base::clock::Now,
    store::{Claim, FlowClaim, Refuser, Wait},
};

/// The lanes of each flow.
#[derive(Default)]
pub(super) struct Turns(BTreeMap<String, BTreeMap<Lane, Keys>>);

type Keys = BTreeSet<(Turn, i64)>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    priority: Reverse<i32>,
    refused_by: Vec<Refuser>,
    worker: Option<String>,
}

/// An execution that may be claimed, in the order of a claim.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: Reverse<i64>,
    due: Timestamp,
    key: i64,
    /// The index of its flow in the claim.
    flow: usize,
}

impl Lane {
    fn of(row: &Row) -> Self {
        let refused = row.info.refused.as_ref();
        Self {
            priority: Reverse(row.info.priority),
            refused_by: refused
                .map(|refused| refused.by.clone())
                .unwrap_or_default(),
            worker: row.info.worker.clone(),
        }
    }
}

/// Returns those that wait for this time or a later one.
fn waiting(keys: &Keys, from: Timestamp) -> impl Iterator<Item = (Timestamp, i64)> {
    let waiting = keys.range((Turn::Waits(from), i64::MIN)..);
    waiting.filter_map(|&(turn, key)| match turn {
        Turn::Waits(until) => Some((until, key)),
        Turn::From(_) => None,
    })
}

impl Turns {
    pub(super) fn insert(&mut self, row: &Row) {
        let Some(turn) = row.turn else { return };
        if !self.0.contains_key(&row.info.flow) {
            self.0.insert(row.info.flow.clone(), BTreeMap::new());
        }
        if let Some(lanes) = self.0.get_mut(&row.info.flow) {
            let lane = lanes.entry(Lane::of(row)).or_default();
            lane.insert((turn, row.info.key));
        }
    }

    pub(super) fn remove(&mut self, row: &Row) {
        let Some(turn) = row.turn else { return };
        let Some(lanes) = self.0.get_mut(&row.info.flow) else {
            return;
        };
        let lane = Lane::of(row);
        if let Some(keys) = lanes.get_mut(&lane) {
            keys.remove(&(turn, row.info.key));
            if keys.is_empty() {
                lanes.remove(&lane);
            }
        }
        if lanes.is_empty() {
            self.0.remove(&row.info.flow);
        }
    }

    /// Returns the lanes from which a worker with this flow may take executions.
    fn open<'a>(&'a self, flow: &'a FlowClaim) -> impl Iterator<Item = (&'a Lane, &'a Keys)> {
        flow.names
            .iter()
            .filter_map(|name| self.0.get(name.as_ref()))
            .flatten()
            .filter(|(lane, _)| !lane.refused_by.contains(&flow.refuser))
    }

    /// Returns the executions that a claim gets, in order. Those of `waited` are due, too.
    pub(super) fn due<'a>(
        &self,
        claim: &Claim,
        waited: impl Iterator<Item = &'a Row>,
        now: Now,
    ) -> Vec<i64> {
        let mut candidates = BTreeSet::new();
        for (index, flow) in claim.flows.iter().enumerate() {
            let limit = flow.limit.min(claim.limit);
            for (lane, keys) in self.open(flow) {
                let free = keys.iter().copied();
                let free = free.take_while(|(turn, _)| turn.has_come(now));
                let free = free.map(|(turn, key)| (turn.time(now), key));
                let waiting = waiting(keys, Timestamp::MIN);
                let waited = waiting.take_while(|(until, _)| *until <= now.wall);
                let due = free.take(limit).chain(waited.take(limit));
                candidates.extend(due.map(|(due, key)| Candidate {
                    rank: Reverse(claim.rank(lane.priority.0, due, now.wall)),
                    due,
                    key,
                    flow: index,
                }));
            }
        }
        for row in waited {
            let lane = Lane::of(row);
            let flow = claim.flows.iter().position(|flow| {
                let name = flow.names.iter().any(|name| *name == row.info.flow);
                name && !lane.refused_by.contains(&flow.refuser)
            });
            candidates.extend(flow.map(|flow| Candidate {
                rank: Reverse(i64::from(lane.priority.0)),
                due: now.wall,
                key: row.info.key,
                flow,
            }));
        }
        let mut left: Vec<usize> = claim.flows.iter().map(|flow| flow.limit).collect();
        let mut chosen = Vec::new();
        // Two of the claim's flows may share a name.
        let mut seen = HashSet::new();
        for candidate in candidates {
            if chosen.len() == claim.limit {
                break;
            }
            let left = &mut left[candidate.flow];
            if *left > 0 && seen.insert(candidate.key) {
                *left -= 1;
                chosen.push(candidate.key);
            }
        }
        chosen
    }

    /// Returns when the next execution is due, apart from those that the claim's worker holds
    /// itself.
    pub(super) fn next(&self, claim: &Claim, now: Now) -> Option<Timestamp> {
        let lanes = claim.flows.iter().flat_map(|flow| self.open(flow));
        lanes
            .filter_map(|(lane, keys)| {
                let first = keys.first().map(|(turn, _)| *turn)?;
                let waits = waiting(keys, Timestamp::MIN).next();
                let waits = waits.map(|(until, _)| Turn::Waits(until));
                let own = lane.worker.as_ref() == Some(&claim.worker);
                let open = [Some(first), waits].into_iter().flatten();
                let open = open.filter(|turn| !own || turn.has_come(now));
                open.map(|turn| turn.time(now)).min()
            })
            .min()
    }

    /// Returns the execution that waits for the earliest time after now.
    pub(super) fn next_wait(&self, claim: &Claim, now: Now) -> Option<Wait> {
        let lanes = claim.flows.iter().flat_map(|flow| self.open(flow));
        let next = lanes
            .filter_map(|(_, keys)| waiting(keys, now.wall).find(|(until, _)| *until > now.wall));
        let (until, key) = next.min()?;
        Some(Wait { key, until })
    }
}
