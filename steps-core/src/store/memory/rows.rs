//! All executions, and the operations of a store on them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    changes::Changes,
    limits::Limited,
    row::{Row, Turn, are_alike},
    turns::Turns,
};
use crate::base::clock::Now;
use crate::model::log::LogLine;
use crate::store::{
    Acquire, Acquired, Claim, Claimed, Duty, ErrorKind, ExecutionInfo, Existing, Form, Lease,
    LeaseAfter, MessageReceipt, NewExecution, NodeRow, NoteChange, Notes, Past, Queue, Renew,
    Renewal, SendMessage, Share, StoreError, StoredExecution, TakeOver, Target, Write, Written,
};

/// All data of the store.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) now: Now,
    pub(super) by_key: BTreeMap<i64, Row>,
    pub(super) ids: HashMap<String, i64>,
    /// Ordered by when they were created, like lists.
    pub(super) made: BTreeSet<(Timestamp, i64)>,
    /// The executions that one has started, by its id, in the same order.
    pub(super) children: HashMap<String, BTreeSet<(Timestamp, i64)>>,
    pub(super) turns: Turns,
    /// The forms of flows; the first has the number 1.
    pub(super) forms: Vec<Form>,
    last_key: i64,
    last_message: i64,
    /// Of each flow, which execution has which key, or had it last.
    pub(super) singletons: HashMap<String, HashMap<String, i64>>,
    pub(super) duties: BTreeMap<String, Duty>,
    /// What is kept of flows that are paused or limited, or were.
    pub(super) limited: BTreeMap<String, Limited>,
    pub(super) last_revision: i64,
    pub(super) changes: Changes,
    /// What the steps of each execution have logged.
    pub(super) logs: HashMap<i64, Vec<LogLine>>,
}

impl Rows {
    /// Sets the time. The wall clock may go back, the other one does not.
    pub(super) fn tick(&mut self, now: Now) {
        self.now = now;
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Changes a row, and updates its place in the index of due executions.
    pub(super) fn change<T>(&mut self, key: i64, change: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let row = self.by_key.get_mut(&key)?;
        self.turns.remove(row);
        let result = change(row);
        self.turns.insert(row);
        Some(result)
    }

    /// Deletes a row with everything that belongs to it.
    pub(super) fn remove(&mut self, key: i64) {
        if let Some(row) = self.by_key.remove(&key) {
            self.turns.remove(&row);
            self.ids.remove(&row.info.id);
            self.logs.remove(&key);
            self.made.remove(&(row.info.created_at, key));
            if let Some(parent) = &row.info.parent
                && let Some(children) = self.children.get_mut(parent)
            {
                children.remove(&(row.info.created_at, key));
                if children.is_empty() {
                    self.children.remove(parent);
                }
            }
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

    pub(super) fn write(&mut self, write: Write) -> Result<Written, StoreError> {
        let Write {
            target,
            nodes,
            new_from,
            removed,
            replace,
            taken,
            signals,
            transactions,
            form,
            past,
            notes,
            children,
            tells,
            then,
        } = write;
        let now = self.now;
        let lease = match target {
            Target::New(new) => {
                let id = &new.id;
                if !self.ids.contains_key(id) {
                    self.check_children(&children, Some(id))?;
                }
                let written = self.create(*new, nodes, past, notes, then)?;
                if matches!(written, Written::Created(_)) {
                    self.go_with(children, tells)?;
                }
                return Ok(written);
            }
            Target::Held(lease) => lease,
        };
        let row = self.need_lease(lease)?;
        if let Some(from) = new_from.filter(|_| !replace)
            && let Some((number, _)) = row.nodes.range(from..).next()
        {
            let id = &row.info.id;
            let message =
                format!("execution {id:?}: node {number} is said to be new, and is there");
            return Err(StoreError::new(ErrorKind::Rejected, message));
        }
        if let Some(number) = signals
            .iter()
            .find(|number| !row.inbox.contains_key(number))
        {
            let id = &row.info.id;
            let message =
                format!("execution {id:?}: the signal {number} was replaced by another one");
            return Err(StoreError::new(ErrorKind::Withdrawn, message));
        }
        let before = self.before(row, &nodes, replace);
        self.check_children(&children, None)?;
        self.need_key(lease.key, &nodes)?;
        let recalled = self.change(lease.key, |row| {
            row.put(nodes, replace, now);
            row.note(&notes, now);
            for range in removed.ranges() {
                row.nodes.retain(|number, _| !range.contains(number));
            }
            if let Some(past) = past {
                row.past = (!past.rows.is_empty()).then_some(past);
            }
            row.info.form = row.info.form.max(form);
            for number in taken.iter().chain(&signals) {
                let was_there = row.inbox.remove(number).is_some();
                row.info.messages_taken += u64::from(was_there);
            }
            row.transactions
                .retain(|name, _| !transactions.contains(name));
            row.then(then, now)
        });
        self.changed(lease.key, before);
        self.has_key(lease.key);
        self.go_with(children, tells)?;
        Ok(match recalled {
            Some(true) => Written::Recalled,
            _ => Written::Kept,
        })
    }

    /// Returns the execution, if the lease may be used to write.
    pub(super) fn need_lease(&self, lease: Lease) -> Result<&Row, StoreError> {
        self.held(lease).ok_or_else(|| {
            let what = self.by_key.get(&lease.key).map(|row| &row.info.id);
            let what = what.map_or("an execution that is gone".to_owned(), |id| {
                format!("execution {id:?}")
            });
            let message = format!("the lease on {what} is not the newest any more");
            StoreError::new(ErrorKind::Fenced, message)
        })
    }

    pub(super) fn create(
        &mut self,
        new: NewExecution,
        nodes: Vec<NodeRow>,
        past: Option<Past>,
        changes: Vec<NoteChange>,
        then: LeaseAfter,
    ) -> Result<Written, StoreError> {
        if let Some((_, row)) = self.of_id(&new.id) {
            return Ok(Written::Exists(Box::new(Existing {
                info: row.told(self.now),
                input: row.input.clone(),
            })));
        }
        if new.held.is_none() && then == LeaseAfter::Keep {
            let message = format!("execution {:?}: nobody has a lease to keep", new.id);
            return Err(StoreError::new(ErrorKind::Rejected, message));
        }
        if let Some(by) = self.taken_by(&new, &nodes) {
            let new = Box::new(new);
            return Ok(Written::Taken { by, new });
        }
        if new.held.is_some() && self.is_limited(&new.flow) {
            return Ok(Written::Limited(Box::new(new)));
        }
        let now = self.now;
        // One with a time of its own was changed elsewhere.
        let is_made_here = new.created_at.is_none();
        let gate = self.gate(&new);
        let created = new.created_at.unwrap_or(now.wall);
        let mut info = ExecutionInfo::new(new.id, new.flow, created);
        info.labels = new.labels;
        info.set_notes(new.notes);
        info.priority = new.priority;
        info.form = new.form;
        info.parent = new.parent;
        info.singleton = new.singleton;
        info.trace = new.trace;
        let mut turn = None;
        if let Some((worker, lease)) = new.held {
            info.worker = Some(worker);
            turn = Some(Turn::From(now.moment.after(lease)));
        }
        self.last_key += 1;
        let key = self.last_key;
        info.key = key;
        let fence = 1;
        let mut row = Row {
            info,
            turn,
            input: new.input,
            fence,
            nodes: BTreeMap::new(),
            past: past.filter(|past| !past.rows.is_empty()),
            inbox: BTreeMap::new(),
            transactions: BTreeMap::new(),
            gate,
        };
        let before = is_made_here.then(|| self.before_new(&row, &nodes));
        row.put(nodes, false, now);
        row.note(&changes, now);
        row.then(then, now);
        self.turns.insert(&row);
        self.ids.insert(row.info.id.clone(), key);
        if let Some(parent) = &row.info.parent {
            let children = self.children.entry(parent.clone()).or_default();
            children.insert((created, key));
        }
        self.made.insert((created, key));
        self.by_key.insert(key, row);
        self.changed(key, before.flatten());
        self.has_key(key);
        Ok(Written::Created(Lease { key, fence }))
    }

    pub(super) fn claim(&mut self, claim: &Claim) -> Claimed {
        let now = self.now;
        let waited = claim.waited.iter().filter_map(|wait| {
            let row = self.by_key.get(&wait.key)?;
            (row.turn == Some(Turn::Waits(wait.until)) && !row.is_free(now)).then_some(row)
        });
        let mut gates = self.gates(claim);
        let due = self.turns.due(claim, waited, &mut gates, now);
        let (mut taken, mut share, mut left) = (Vec::new(), Share::default(), false);
        for key in due {
            let row = self.by_key.get(&key);
            let fits = !left && !share.is_used_up() && row.is_some_and(|row| row.fits(&mut share));
            if !fits && !taken.is_empty() {
                left = true;
                if let Some(row) = row {
                    let behind = row.closed_gate().map(String::as_str);
                    gates.give_back(&row.info.flow, behind);
                }
                continue;
            }
            let take = |row: &mut Row| row.take_open(&claim.worker, claim.lease, now);
            taken.extend(self.change(key, take));
        }
        let claimed = Claimed {
            taken,
            left,
            next_due: self.turns.next(claim, &gates, now),
            next_wait: self.turns.next_wait(claim, &gates, now),
            limited: gates.names(),
            now: now.wall,
        };
        self.begun(&gates);
        claimed
    }

    pub(super) fn acquire(&mut self, acquire: &Acquire) -> Acquired {
        let Some((key, row)) = self.of_id(&acquire.id) else {
            return Acquired::Unknown;
        };
        let now = self.now;
        if row.is_held(now)
            && acquire.over == TakeOver::Ended
            && let (Some(worker), Some(turn)) = (row.info.worker.clone(), row.turn)
        {
            let until = turn.time(now);
            return Acquired::Busy { worker, until };
        }
        let taken = self.change(key, |row| row.take(&acquire.worker, acquire.lease, now));
        taken.map_or(Acquired::Unknown, |taken| Acquired::Held(Box::new(taken)))
    }

    pub(super) fn renew(&mut self, renew: &Renew) -> Vec<Renewal> {
        let until = self.now.moment.after(renew.lease);
        let mut one = |&(lease, seen): &(Lease, i64)| {
            self.held(lease)?;
            self.change(lease.key, |row| {
                row.turn = Some(Turn::From(until));
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
            row.put_behind(row.gate.clone());
            if !row.is_held(now) && !row.is_free(now) {
                row.turn = Some(Turn::From(now.moment));
            }
        });
        MessageReceipt::Stored(number)
    }

    pub(super) fn annotate(&mut self, id: &str, changes: &[NoteChange]) -> Option<Notes> {
        let (key, _) = self.of_id(id)?;
        let now = self.now;
        self.change(key, |row| {
            row.note(changes, now);
            row.info.notes()
        })
    }

    pub(super) fn load(&self, id: &str) -> Option<StoredExecution> {
        let (_, row) = self.of_id(id)?;
        Some(row.stored(row.nodes.values(), self.now))
    }

    pub(super) fn load_open(&self, id: &str) -> Option<StoredExecution> {
        let (_, row) = self.of_id(id)?;
        Some(row.stored(row.open(), self.now))
    }
}
