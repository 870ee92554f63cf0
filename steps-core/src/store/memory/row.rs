//! One execution, and the changes to it: nodes, leases, messages.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::base::json::Json;
use crate::store::{Due, ExecutionInfo, HeldExecution, Lease, LeaseAfter, Message, NodeRow};

/// One execution.
pub(super) struct Row {
    /// If the execution has a worker, it is held until the time at which it is due.
    pub(super) info: ExecutionInfo,
    pub(super) input: Json,
    pub(super) fence: i64,
    pub(super) nodes: BTreeMap<u32, NodeRow>,
    pub(super) inbox: BTreeMap<i64, Message>,
}

impl Row {
    /// Returns whether a lease on it has not ended.
    pub(super) fn is_held(&self, now: Timestamp) -> bool {
        self.info.worker.is_some() && self.info.due.is_some_and(|until| until > now)
    }

    /// Returns the messages after this one, oldest first.
    pub(super) fn since(&self, seen: i64) -> Vec<(i64, Message)> {
        let newer = self.inbox.range(seen.saturating_add(1)..);
        newer.map(|(n, message)| (*n, message.clone())).collect()
    }

    /// Stores nodes. The root also updates the execution's own data.
    pub(super) fn put(&mut self, nodes: Vec<NodeRow>, replace: bool) {
        if replace {
            self.nodes.clear();
        }
        for change in nodes {
            if change.id == 0 {
                let root = &change.node;
                self.info.status = root.status;
                self.info.started_at = root.started_at;
                self.info.done_at = root.done_at;
                self.info.error = root.errors.last().cloned();
                self.info.output.clone_from(&root.output);
            }
            self.nodes.insert(change.id, change);
        }
    }

    /// Keeps the lease, or gives it back. Returns whether a message has made the execution due.
    pub(super) fn then(&mut self, then: LeaseAfter, now: Timestamp) -> bool {
        match then {
            LeaseAfter::Keep => {}
            LeaseAfter::Release {
                due,
                last_message: seen,
            } => {
                let recalled = !self.since(seen).is_empty();
                self.info.worker = None;
                self.info.due = match due {
                    _ if recalled => Some(now),
                    Due::Now => Some(now),
                    Due::At(time) => Some(time),
                    Due::Never => None,
                };
                return recalled;
            }
            LeaseAfter::Refuse(refused) => {
                self.info.worker = None;
                self.info.due = Some(now);
                self.info.refused = Some(refused);
            }
        }
        false
    }

    /// Gives the execution to a worker.
    pub(super) fn take(&mut self, key: i64, worker: &str, until: Timestamp) -> HeldExecution {
        self.fence += 1;
        self.info.refused = None;
        self.info.due = Some(until);
        let previous_worker = self.info.worker.replace(worker.to_owned());
        HeldExecution {
            lease: Lease {
                key,
                fence: self.fence,
            },
            info: self.info.clone(),
            input: self.input.clone(),
            nodes: self.nodes.values().cloned().collect(),
            messages: self.since(0),
            previous_worker,
        }
    }
}

/// Returns whether two messages are of the same kind (and path).
pub(super) fn are_alike(new: &Message, old: &Message) -> bool {
    match (new, old) {
        (Message::Signal { path, .. }, Message::Signal { path: other, .. }) => path == other,
        (Message::Stop, Message::Stop) | (Message::Undo, Message::Undo) => true,
        _ => false,
    }
}
