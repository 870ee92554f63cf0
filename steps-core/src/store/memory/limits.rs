//! Flows that are paused or limited, and which executions a claim may give because of that.

use jiff::Timestamp;

use super::rows::Rows;
use crate::store::{
    Claim, FlowLimited, FlowLimits, Gates, LimitFlow, LimitedFlow, NewExecution, NewLimits,
};

/// What is kept of a flow.
pub(super) struct Limited {
    flow: LimitedFlow,
    /// What is kept of its rate.
    next: i64,
}

fn nanos(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

impl Rows {
    /// Returns the limits of a flow that is paused or limited now.
    fn limits(&self, flow: &str) -> Option<&LimitedFlow> {
        let limited = self.limited.get(flow).map(|limited| &limited.flow);
        limited.filter(|limited| limited.is_in_force())
    }

    pub(super) fn is_limited(&self, flow: &str) -> bool {
        self.limits(flow).is_some()
    }

    /// Returns the gate that a new execution waits behind.
    pub(super) fn gate(&self, new: &NewExecution) -> Option<String> {
        self.limits(&new.flow)?.limits.gate(&new.labels)
    }

    pub(super) fn limited_flows(&self) -> Vec<LimitedFlow> {
        let all = self.limited.values();
        all.map(|limited| limited.flow.clone()).collect()
    }

    pub(super) fn limit_flow(&mut self, limit: LimitFlow) -> FlowLimited {
        let LimitFlow {
            flow: name,
            revision,
            to,
        } = limit;
        let there = self.limited.get(&name);
        if there.map(|limited| limited.flow.revision) != revision {
            return FlowLimited::Changed(there.map(|limited| limited.flow.clone()));
        }
        let NewLimits {
            is_paused,
            limits,
            value,
        } = to;
        let before = there.map(|limited| limited.flow.limits.clone());
        let before = before.unwrap_or_default();
        let next = there.filter(|_| before.rate == limits.rate);
        let next = next.map_or(0, |limited| limited.next);
        self.last_revision += 1;
        let flow = LimitedFlow {
            flow: name.clone(),
            revision: self.last_revision,
            is_paused,
            limits,
            value,
        };
        if before != flow.limits {
            self.put_behind_gates(&name, &flow.limits);
        }
        let limited = Limited { flow, next };
        self.limited.insert(name, limited);
        FlowLimited::Set(self.last_revision)
    }

    /// Puts what has not ended behind the gates of these limits.
    fn put_behind_gates(&mut self, flow: &str, limits: &FlowLimits) {
        let rows = self.by_key.iter();
        let rows = rows.filter(|(_, row)| row.info.flow == flow);
        let gates: Vec<_> = rows
            .map(|(key, row)| (*key, limits.gate(&row.info.labels)))
            .collect();
        for (key, gate) in gates {
            self.change(key, |row| row.put_behind(gate));
        }
    }

    /// Returns which of a claim's flows are paused or limited, and what room there is.
    pub(super) fn gates(&self, claim: &Claim) -> Gates {
        if self.limited.is_empty() {
            return Gates::default();
        }
        let mut gates = Gates::default();
        for name in claim.flows.iter().flat_map(|flow| &flow.names) {
            if let Some(limited) = self.limited.get(&**name) {
                gates.add(&limited.flow, limited.next, nanos(self.now.wall));
                for (gate, begun) in self.turns.begun(name, self.now) {
                    gates.count(name, &gate, begun);
                }
            }
        }
        gates
    }

    /// Keeps what of the rates was used by a claim.
    pub(super) fn begun(&mut self, gates: &Gates) {
        for (name, next) in gates.used() {
            if let Some(limited) = self.limited.get_mut(name) {
                limited.next = next;
            }
        }
    }
}
