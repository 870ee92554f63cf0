//! The index for claims: which executions are due, and when.
//!
//! Executions are kept in lanes. All executions in one lane have the same flow, the same priority,
//! the same refusal (or none) and the same worker (or none), and are sorted by the time at which
//! they are due. So those that are due come first in each lane, and a claim never reads those that
//! wait.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use jiff::Timestamp;

use crate::store::{Claim, ExecutionInfo, FlowClaim};

/// The lanes of each flow.
#[derive(Default)]
pub(super) struct Turns(BTreeMap<String, BTreeMap<Lane, BTreeSet<(Timestamp, i64)>>>);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    priority: Reverse<i32>,
    refused: Option<u64>,
    worker: Option<String>,
}

/// An execution that may be claimed, in the order of a claim.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    priority: Reverse<i32>,
    due: Timestamp,
    key: i64,
    /// The index of its flow in the claim.
    flow: usize,
}

impl Lane {
    fn of(info: &ExecutionInfo) -> Self {
        Self {
            priority: Reverse(info.priority),
            refused: info.refused.as_ref().map(|refused| refused.fingerprint),
            worker: info.worker.clone(),
        }
    }
}

impl Turns {
    pub(super) fn insert(&mut self, key: i64, info: &ExecutionInfo) {
        let Some(due) = info.due else { return };
        if !self.0.contains_key(&info.flow) {
            self.0.insert(info.flow.clone(), BTreeMap::new());
        }
        if let Some(lanes) = self.0.get_mut(&info.flow) {
            lanes.entry(Lane::of(info)).or_default().insert((due, key));
        }
    }

    pub(super) fn remove(&mut self, key: i64, info: &ExecutionInfo) {
        let Some(due) = info.due else { return };
        let Some(lanes) = self.0.get_mut(&info.flow) else {
            return;
        };
        let lane = Lane::of(info);
        if let Some(keys) = lanes.get_mut(&lane) {
            keys.remove(&(due, key));
            if keys.is_empty() {
                lanes.remove(&lane);
            }
        }
        if lanes.is_empty() {
            self.0.remove(&info.flow);
        }
    }

    /// Returns the lanes from which a worker with this flow may take executions.
    fn open<'a>(
        &'a self,
        flow: &'a FlowClaim,
    ) -> impl Iterator<Item = (&'a Lane, &'a BTreeSet<(Timestamp, i64)>)> {
        flow.names
            .iter()
            .filter_map(|name| self.0.get(name.as_ref()))
            .flatten()
            .filter(|(lane, _)| lane.refused != Some(flow.fingerprint))
    }

    /// Returns the executions that a claim gets, in order.
    pub(super) fn due(&self, claim: &Claim, now: Timestamp) -> Vec<i64> {
        let mut candidates = BTreeSet::new();
        for (index, flow) in claim.flows.iter().enumerate() {
            let limit = flow.limit.min(claim.limit);
            for (lane, keys) in self.open(flow) {
                let due = keys.iter().take_while(|(due, _)| *due <= now).take(limit);
                candidates.extend(due.map(|&(due, key)| Candidate {
                    priority: lane.priority,
                    due,
                    key,
                    flow: index,
                }));
            }
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
    pub(super) fn next(&self, claim: &Claim, now: Timestamp) -> Option<Timestamp> {
        let lanes = claim.flows.iter().flat_map(|flow| self.open(flow));
        lanes
            .filter_map(|(lane, keys)| {
                let (due, _) = *keys.first()?;
                let own = lane.worker.as_ref() == Some(&claim.worker);
                (!own || due <= now).then_some(due)
            })
            .min()
    }
}
