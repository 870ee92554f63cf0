//! The index for claims: which executions are due, and when.
//!
//! Executions are kept in lanes. All executions in one lane have the same flow, the same priority,
//! the same refusals (or none), the same worker (or none) and the same gate that they wait behind (or
//! none), and are sorted by when they may be claimed: first those that go by moments, then those that wait for a time. So those that are due
//! come first of each of these, and a claim never reads those that wait.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use jiff::Timestamp;

use super::row::{Row, Turn};
use crate::{
    base::clock::Now,
    store::{Claim, FlowClaim, Gates, Refuser, Wait},
};

/// The lanes of each flow.
#[derive(Default)]
pub(super) struct Turns {
    lanes: BTreeMap<String, BTreeMap<Lane, Keys>>,
    /// How many of each flow have come through a gate, and have not ended.
    begun: HashMap<String, HashMap<String, u32>>,
}

type Keys = BTreeSet<(Turn, i64)>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lane {
    priority: Reverse<i32>,
    refused_by: Vec<Refuser>,
    worker: Option<String>,
    gate: Option<String>,
}

/// An execution that may be claimed, in the order of a claim.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Candidate<'a> {
    rank: Reverse<i64>,
    due: Timestamp,
    key: i64,
    /// The index of its flow in the claim.
    flow: usize,
    name: &'a str,
    gate: Option<&'a str>,
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
            gate: row.closed_gate().cloned(),
        }
    }
}

fn time_of(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::MAX)
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
        if let Some(gate) = row.open_gate() {
            let of_flow = self.begun.entry(row.info.flow.clone()).or_default();
            *of_flow.entry(gate.clone()).or_default() += 1;
        }
        let Some(turn) = row.turn else { return };
        if !self.lanes.contains_key(&row.info.flow) {
            self.lanes.insert(row.info.flow.clone(), BTreeMap::new());
        }
        if let Some(lanes) = self.lanes.get_mut(&row.info.flow) {
            let lane = lanes.entry(Lane::of(row)).or_default();
            lane.insert((turn, row.info.key));
        }
    }

    pub(super) fn remove(&mut self, row: &Row) {
        if let Some(gate) = row.open_gate()
            && let Some(of_flow) = self.begun.get_mut(&row.info.flow)
            && let Some(count) = of_flow.get_mut(gate)
        {
            *count -= 1;
            if *count == 0 {
                of_flow.remove(gate);
            }
        }
        let Some(turn) = row.turn else { return };
        let Some(lanes) = self.lanes.get_mut(&row.info.flow) else {
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
            self.lanes.remove(&row.info.flow);
        }
    }

    /// Returns the lanes from which a worker with this flow may take executions, each with the name of
    /// its flow, whether or not there is room for them.
    fn open<'a, 'g>(
        &'a self,
        flow: &'a FlowClaim,
        gates: &'g Gates,
    ) -> impl Iterator<Item = (&'a str, &'a Lane, &'a Keys)> + use<'a, 'g> {
        flow.names
            .iter()
            .filter(|name| !gates.is_paused(name))
            .filter_map(|name| Some((&**name, self.lanes.get(name.as_ref())?)))
            .flat_map(|(name, lanes)| lanes.iter().map(move |(lane, keys)| (name, lane, keys)))
            .filter(|(_, lane, _)| !lane.refused_by.contains(&flow.refuser))
    }

    /// Returns how many executions of a flow take up room, by the gates that they have come through, or
    /// have a lease to come through.
    pub(super) fn begun(&self, flow: &str, now: Now) -> HashMap<String, u32> {
        let mut begun = self.begun.get(flow).cloned().unwrap_or_default();
        for (lane, keys) in self.lanes.get(flow).into_iter().flatten() {
            if let (Some(gate), Some(_)) = (&lane.gate, &lane.worker) {
                let held = keys.iter().filter(|(turn, _)| turn.goes_on(now));
                let held = u32::try_from(held.count()).unwrap_or(u32::MAX);
                *begun.entry(gate.clone()).or_default() += held;
            }
        }
        begun
    }

    /// Returns the executions that a claim gets, in order. Those of `waited` are due, too.
    pub(super) fn due<'a>(
        &self,
        claim: &Claim,
        waited: impl Iterator<Item = &'a Row>,
        gates: &mut Gates,
        now: Now,
    ) -> Vec<i64> {
        let mut candidates = BTreeSet::new();
        for (index, flow) in claim.flows.iter().enumerate() {
            let limit = flow.limit.min(claim.limit);
            for (name, lane, keys) in self.open(flow, gates) {
                let gate = lane.gate.as_deref();
                if !gates.has_room(name, gate) {
                    continue;
                }
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
                    name,
                    gate,
                }));
            }
        }
        for row in waited.filter(|row| !gates.is_paused(&row.info.flow)) {
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
                name: &row.info.flow,
                gate: row.closed_gate().map(String::as_str),
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
            if *left > 0 && seen.insert(candidate.key) && gates.take(candidate.name, candidate.gate)
            {
                *left -= 1;
                chosen.push(candidate.key);
            }
        }
        chosen
    }

    /// Returns when the next execution is due, apart from those that the claim's worker holds
    /// itself.
    pub(super) fn next(&self, claim: &Claim, gates: &Gates, now: Now) -> Option<Timestamp> {
        let flows = claim.flows.iter();
        let lanes = flows.flat_map(|flow| self.open(flow, gates));
        lanes
            .filter_map(|(name, lane, keys)| {
                let gate = lane.gate.as_deref();
                if !gates.has_room(name, gate) {
                    let opens = gates.opens(name, gate).map(time_of);
                    let held = lane.worker.as_ref().is_some_and(|by| *by != claim.worker);
                    let mut ends = keys.iter().filter(|(turn, _)| turn.goes_on(now));
                    let end = ends.next().filter(|_| held);
                    let end = end.map(|(turn, _)| turn.time(now));
                    return [opens, end].into_iter().flatten().min();
                }
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
    pub(super) fn next_wait(&self, claim: &Claim, gates: &Gates, now: Now) -> Option<Wait> {
        let flows = claim.flows.iter();
        let lanes = flows.flat_map(|flow| self.open(flow, gates));
        let next = lanes.filter_map(|(_, _, keys)| {
            waiting(keys, now.wall).find(|(until, _)| *until > now.wall)
        });
        let (until, key) = next.min()?;
        Some(Wait { key, until })
    }
}
