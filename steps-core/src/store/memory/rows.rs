//! All executions, and the operations of a store on them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    row::{Row, are_alike},
    turns::Turns,
};
use crate::base::clock::add;
use crate::store::{
    Acquire, Acquired, Claim, Claimed, ErrorKind, ExecutionInfo, Existing, FlowClaim, Lease,
    LeaseAfter, MessageReceipt, NewExecution, NodeRow, Queue, Renew, Renewal, SendMessage,
    StoreError, StoredExecution, TakeOver, Target, Write, Written,
};

/// All data of the store.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) now: Timestamp,
    pub(super) by_key: BTreeMap<i64, Row>,
    pub(super) ids: HashMap<String, i64>,
    /// Ordered by when they were created, like lists.
    pub(super) made: BTreeSet<(Timestamp, i64)>,
    turns: Turns,
    last_key: i64,
    last_message: i64,
}

impl Rows {
    /// Sets the time. It never goes back: an execution that was due stays due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.now = now.max(self.now);
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Changes a row, and updates its place in the index of due executions.
    fn change<T>(&mut self, key: i64, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let row = self.by_key.get_mut(&key)?;
        self.turns.remove(key, &row.info);
        let result = change(row);
        self.turns.insert(key, &row.info);
        Some(result)
    }

    /// Deletes a row with everything that belongs to it.
    pub(super) fn remove(&mut self, key: i64) {
        if let Some(row) = self.by_key.remove(&key) {
            self.turns.remove(key, &row.info);
            self.ids.remove(&row.info.id);
            self.made.remove(&(row.info.created_at, key));
        }
    }

    /// Returns the row, if the lease on it is valid.
    fn held(&self, lease: Lease) -> Option<&Row> {
        let row = self.by_key.get(&lease.key)?;
        (row.fence == lease.fence && row.info.worker.is_some()).then_some(row)
    }

    fn of_id(&self, id: &str) -> Option<(i64, &Row)> {
        let key = *self.ids.get(id)?;
        Some((key, self.by_key.get(&key)?))
    }

    fn until(&self, lease: Duration) -> Timestamp {
        add(self.now, lease)
    }

    pub(super) fn write(&mut self, write: Write) -> Result<Written, StoreError> {
        let Write {
            target,
            nodes,
            replace,
            taken,
            signals,
            then,
        } = write;
        let now = self.now;
        let lease = match target {
            Target::New(new) => return self.create(*new, nodes, then),
            Target::Held(lease) => lease,
        };
        let Some(row) = self.held(lease) else {
            let what = self.by_key.get(&lease.key).map(|row| &row.info.id);
            let what = what.map_or("an execution that is gone".to_owned(), |id| {
                format!("execution {id:?}")
            });
            let message = format!("the lease on {what} is not the newest any more");
            return Err(StoreError::new(ErrorKind::Fenced, message));
        };
        if let Some(number) = signals
            .iter()
            .find(|number| !row.inbox.contains_key(number))
        {
            let id = &row.info.id;
            let message =
                format!("execution {id:?}: the signal {number} was replaced by another one");
            return Err(StoreError::new(ErrorKind::Withdrawn, message));
        }
        let recalled = self.change(lease.key, |row| {
            row.put(nodes, replace);
            for number in taken.iter().chain(&signals) {
                let was_there = row.inbox.remove(number).is_some();
                row.info.messages_taken += u64::from(was_there);
            }
            row.then(then, now)
        });
        Ok(match recalled {
            Some(true) => Written::Recalled,
            _ => Written::Kept,
        })
    }

    fn create(
        &mut self,
        new: NewExecution,
        nodes: Vec<NodeRow>,
        then: LeaseAfter,
    ) -> Result<Written, StoreError> {
        if let Some((_, row)) = self.of_id(&new.id) {
            return Ok(Written::Exists(Box::new(Existing {
                info: row.info.clone(),
                input: row.input.clone(),
            })));
        }
        if new.held.is_none() && then == LeaseAfter::Keep {
            let message = format!("execution {:?}: nobody has a lease to keep", new.id);
            return Err(StoreError::new(ErrorKind::Rejected, message));
        }
        let now = self.now;
        let mut info = ExecutionInfo::new(new.id, new.flow, now);
        info.labels = new.labels;
        info.priority = new.priority;
        if let Some((worker, lease)) = new.held {
            info.worker = Some(worker);
            info.due = Some(self.until(lease));
        }
        self.last_key += 1;
        let key = self.last_key;
        info.key = key;
        let fence = 1;
        let mut row = Row {
            info,
            input: new.input,
            fence,
            nodes: BTreeMap::new(),
            inbox: BTreeMap::new(),
        };
        row.put(nodes, false);
        row.then(then, now);
        self.turns.insert(key, &row.info);
        self.ids.insert(row.info.id.clone(), key);
        self.made.insert((now, key));
        self.by_key.insert(key, row);
        Ok(Written::Created(Lease { key, fence }))
    }

    pub(super) fn claim(&mut self, claim: &Claim) -> Claimed {
        let until = self.until(claim.lease);
        let due = self.turns.due(claim, self.now);
        let take = |key| self.change(key, |row| row.take(key, &claim.worker, until));
        Claimed {
            taken: due.into_iter().filter_map(take).collect(),
            next_due: self.turns.next(claim, self.now),
            now: self.now,
        }
    }

    pub(super) fn acquire(&mut self, acquire: &Acquire) -> Acquired {
        let Some((key, row)) = self.of_id(&acquire.id) else {
            return Acquired::Unknown;
        };
        if row.is_held(self.now)
            && acquire.over == TakeOver::Ended
            && let (Some(worker), Some(until)) = (row.info.worker.clone(), row.info.due)
        {
            return Acquired::Busy { worker, until };
        }
        let until = self.until(acquire.lease);
        let taken = self.change(key, |row| row.take(key, &acquire.worker, until));
        taken.map_or(Acquired::Unknown, |taken| Acquired::Held(Box::new(taken)))
    }

    pub(super) fn renew(&mut self, renew: &Renew) -> Vec<Renewal> {
        let until = self.until(renew.lease);
        let mut one = |&(lease, seen): &(Lease, i64)| {
            self.held(lease)?;
            self.change(lease.key, |row| {
                row.info.due = Some(until);
                Renewal::Held(row.since(seen))
            })
        };
        let held = renew.held.iter();
        held.map(|held| one(held).unwrap_or(Renewal::Lost))
            .collect()
    }

    pub(super) fn send(&mut self, message: SendMessage) -> MessageReceipt {
        let SendMessage {
            id,
            message,
            if_status: only,
            if_taken,
            queue,
        } = message;
        let Some((key, row)) = self.of_id(&id) else {
            return MessageReceipt::Unknown;
        };
        if !only.is_empty() && !only.contains(&row.info.status) {
            return MessageReceipt::WrongStatus(row.info.status);
        }
        if if_taken.is_some_and(|taken| taken != row.info.messages_taken) {
            return MessageReceipt::Changed;
        }
        if let Queue::Behind(most) = queue {
            let inbox = row.inbox.values();
            if inbox.filter(|other| are_alike(&message, other)).count() >= most {
                return MessageReceipt::Full;
            }
        }
        self.last_message += 1;
        let (number, now) = (self.last_message, self.now);
        self.change(key, |row| {
            if queue == Queue::Replace {
                row.inbox.retain(|_, other| !are_alike(&message, other));
            }
            row.inbox.insert(number, message);
            if !row.is_held(now) {
                row.info.due = Some(row.info.due.map_or(now, |due| due.min(now)));
            }
        });
        MessageReceipt::Stored(number)
    }

    pub(super) fn forget_refusals(&mut self, flows: &[FlowClaim]) {
        let refused = |row: &Row| {
            row.info.refused.as_ref().is_some_and(|refused| {
                let mut flows = flows.iter();
                flows.any(|flow| {
                    flow.fingerprint == refused.fingerprint
                        && flow.names.iter().any(|name| *name == row.info.flow)
                })
            })
        };
        let keys: Vec<i64> = self
            .by_key
            .iter()
            .filter(|(_, row)| refused(row))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.change(key, |row| row.info.refused = None);
        }
    }

    pub(super) fn load(&self, id: &str) -> Option<StoredExecution> {
        let (_, row) = self.of_id(id)?;
        Some(StoredExecution {
            info: row.info.clone(),
            input: row.input.clone(),
            nodes: row.nodes.values().cloned().collect(),
        })
    }
}
