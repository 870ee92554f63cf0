//! One execution, and the changes to it: nodes, leases, messages.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use crate::base::{
    clock::{Moment, Now},
    json::Json,
};
use crate::model::status::Status;
use crate::store::{
    Due, ExecutionInfo, HeldExecution, Lease, LeaseAfter, Message, NodeRow, NoteChange, Past,
    RowRanges, Share, StoredExecution, bytes_of,
};

/// From when on an execution may be claimed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// From this moment on: the end of a lease, or when the execution became due.
    From(Moment),
    /// Once the wall clock shows this time.
    Waits(Timestamp),
}

impl Turn {
    pub(super) fn has_come(self, now: Now) -> bool {
        match self {
            Self::From(moment) => moment <= now.moment,
            Self::Waits(until) => until <= now.wall,
        }
    }

    /// Returns whether a lease that ends then goes on.
    pub(super) fn goes_on(self, now: Now) -> bool {
        matches!(self, Self::From(_)) && !self.has_come(now)
    }

    /// Returns the time, as the wall clock shows it now.
    pub(super) fn time(self, now: Now) -> Timestamp {
        match self {
            Self::From(moment) => now.wall_at(moment),
            Self::Waits(until) => until,
        }
    }
}

/// One execution.
pub(super) struct Row {
    /// What is known of it, but for when it is due.
    pub(super) info: ExecutionInfo,
    /// When it may be claimed; never if missing. If it has a worker, its lease ends then.
    pub(super) turn: Option<Turn>,
    pub(super) input: Json,
    pub(super) fence: i64,
    pub(super) nodes: BTreeMap<u32, NodeRow>,
    /// Which of them a claim leaves out.
    pub(super) past: Option<Past>,
    pub(super) inbox: BTreeMap<i64, Message>,
    /// What is kept of transactions, by their names.
    pub(super) transactions: BTreeMap<String, Option<Json>>,
    /// Behind which gate it waits until it begins, if its flow has limits.
    pub(super) gate: Option<String>,
}

impl Row {
    /// Returns whether a lease on it has not ended.
    pub(super) fn is_held(&self, now: Now) -> bool {
        self.info.worker.is_some() && self.turn.is_some_and(|turn| !turn.has_come(now))
    }

    /// Returns whether it may be claimed now.
    pub(super) fn is_free(&self, now: Now) -> bool {
        self.turn.is_some_and(|turn| turn.has_come(now))
    }

    /// Returns the gate that it waits behind.
    pub(super) fn closed_gate(&self) -> Option<&String> {
        let gate = self.gate.as_ref();
        gate.filter(|_| self.info.status == Status::Pending)
    }

    /// Puts it behind a gate, if it needs room to begin: to stop, it needs none.
    pub(super) fn put_behind(&mut self, gate: Option<String>) {
        let mut inbox = self.inbox.values();
        let is_to_stop = inbox.any(|message| matches!(message, Message::Stop | Message::Undo));
        let needs_none = self.info.status == Status::Pending && is_to_stop;
        self.gate = gate.filter(|_| !needs_none);
    }

    /// Returns the gate that it has come through, if it has not ended.
    pub(super) fn open_gate(&self) -> Option<&String> {
        let has_begun = matches!(
            self.info.status,
            Status::Running | Status::Waiting | Status::Undoing
        );
        self.gate.as_ref().filter(|_| has_begun)
    }

    /// Returns what is known of it without looking at its steps.
    pub(super) fn told(&self, now: Now) -> ExecutionInfo {
        let mut info = self.info.clone();
        info.due = self.turn.map(|turn| turn.time(now));
        info
    }

    /// Returns what is known of it, with its steps.
    pub(super) fn counted(&self, now: Now) -> ExecutionInfo {
        let mut info = self.told(now);
        info.count(self.nodes.values());
        info
    }

    /// Makes changes of what is noted.
    pub(super) fn note(&mut self, changes: &[NoteChange], now: Now) {
        if changes.is_empty() {
            return;
        }
        let mut notes = self.info.notes();
        notes.change(changes);
        self.info.set_notes(notes);
        self.info.updated_at = now.wall;
    }

    /// Returns the messages after this one, oldest first.
    pub(super) fn since(&self, seen: i64) -> Vec<(i64, Message)> {
        let newer = self.inbox.range(seen.saturating_add(1)..);
        newer.map(|(n, message)| (*n, message.clone())).collect()
    }

    /// Stores nodes. The root also updates the execution's own data.
    pub(super) fn put(&mut self, nodes: Vec<NodeRow>, replace: bool, now: Now) {
        if replace {
            self.nodes.clear();
            self.past = None;
        }
        for change in nodes {
            if change.id == 0 {
                let root = &change.node;
                self.info.updated_at = now.wall;
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
    pub(super) fn then(&mut self, then: LeaseAfter, now: Now) -> bool {
        if then != LeaseAfter::Keep {
            self.info.updated_at = now.wall;
        }
        match then {
            LeaseAfter::Keep => {}
            LeaseAfter::Release {
                due,
                last_message: seen,
            } => {
                let recalled = !self.since(seen).is_empty();
                self.info.worker = None;
                self.turn = match due {
                    _ if recalled => Some(Turn::From(now.moment)),
                    Due::Now => Some(Turn::From(now.moment)),
                    Due::At(time) => Some(Turn::Waits(time)),
                    Due::Never => None,
                };
                return recalled;
            }
            LeaseAfter::Refuse(refused) => {
                self.info.worker = None;
                self.turn = Some(Turn::From(now.moment));
                self.info.refused = Some(refused);
            }
        }
        false
    }

    /// Takes what it holds from a share. Returns whether that was left.
    pub(super) fn fits(&self, share: &mut Share) -> bool {
        let (mut rows, mut bytes) = (0, 0);
        for row in self.open() {
            rows += 1;
            bytes += bytes_of(&row.node);
        }
        let messages = self.inbox.values().map(|message| match message {
            Message::Signal { value, .. } => value.get().len(),
            Message::Report { report, .. } => report.get().len(),
            Message::Stop | Message::Undo | Message::ChildEnded { .. } => 0,
        });
        bytes += messages.sum::<usize>() + self.input.get().len();
        share.take(rows, bytes)
    }

    /// The nodes that a claim gives.
    pub(super) fn open(&self) -> impl Iterator<Item = &NodeRow> {
        let none = RowRanges::default();
        let rows = self.past.as_ref().map_or(&none, |past| &past.rows);
        let gaps: Vec<_> = rows.gaps().collect();
        let nodes = gaps.into_iter().flat_map(|gap| self.nodes.range(gap));
        nodes.map(|(_, row)| row)
    }

    /// Returns it with some of its nodes.
    pub(super) fn stored<'a>(
        &self,
        nodes: impl Iterator<Item = &'a NodeRow>,
        now: Now,
    ) -> StoredExecution {
        StoredExecution {
            info: self.told(now),
            input: self.input.clone(),
            nodes: nodes.cloned().collect(),
            messages: self.since(0),
        }
    }

    /// Gives the execution to a worker that has claimed it, without what is past.
    pub(super) fn take_open(&mut self, worker: &str, lease: Duration, now: Now) -> HeldExecution {
        let nodes = self.open().cloned().collect();
        let past = self.past.clone();
        HeldExecution {
            nodes,
            past,
            ..self.held(worker, lease, now)
        }
    }

    /// Gives the whole execution to a worker.
    pub(super) fn take(&mut self, worker: &str, lease: Duration, now: Now) -> HeldExecution {
        HeldExecution {
            nodes: self.nodes.values().cloned().collect(),
            ..self.held(worker, lease, now)
        }
    }

    fn held(&mut self, worker: &str, lease: Duration, now: Now) -> HeldExecution {
        self.fence += 1;
        let was_due = self.told(now).due;
        let refused = self.info.refused.take();
        self.turn = Some(Turn::From(now.moment.after(lease)));
        let previous_worker = self.info.worker.replace(worker.to_owned());
        HeldExecution {
            lease: Lease {
                key: self.info.key,
                fence: self.fence,
            },
            was_due,
            info: self.told(now),
            input: self.input.clone(),
            nodes: Vec::new(),
            past: None,
            messages: self.since(0),
            previous_worker,
            refused_by: refused.map(|refused| refused.by).unwrap_or_default(),
        }
    }
}

/// Returns whether two messages are of the same kind (and path).
pub(super) fn are_alike(new: &Message, old: &Message) -> bool {
    match (new, old) {
        (Message::Signal { path, .. }, Message::Signal { path: other, .. }) => path == other,
        (Message::Report { task, .. }, Message::Report { task: other, .. }) => task == other,
        (Message::ChildEnded { child }, Message::ChildEnded { child: other }) => child == other,
        (Message::Stop, Message::Stop) | (Message::Undo, Message::Undo) => true,
        _ => false,
    }
}
