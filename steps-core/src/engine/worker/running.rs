//! The table of the turns that run in this process.
//!
//! One lock covers both looking up an execution and keeping a message for one that is just being
//! claimed, so that no message is lost between the two.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use futures_util::future::AbortHandle;
use tokio::sync::Notify;

use super::{mailbox::Mailbox, turn_journal::TurnJournal};
use crate::{
    base::sync::lock,
    language::threads::Threads,
    store::{Lease, Message, Queue},
};

/// The turns that run in this process, each from before its task is spawned until the task has
/// ended.
#[derive(Default)]
pub(crate) struct Running {
    table: Mutex<Table>,
    /// Notified when a turn has left the table.
    turn_ended: Notify,
}

#[derive(Default)]
struct Table {
    /// By the turn's number. One execution may have two turns for a while.
    turns: HashMap<u64, RunningTurn>,
    /// How many turns have begun, which is also the number of the next one.
    begun: u64,
    /// Messages for executions that do not run here. Kept during a claim, because the claim may
    /// return that execution. `None` if no claim is running.
    undelivered: Option<Vec<Undelivered>>,
}

/// A turn that runs in this process.
#[derive(Clone)]
pub(crate) struct RunningTurn {
    pub(crate) journal: Arc<TurnJournal>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// Aborts its task.
    pub(crate) abort: AbortHandle,
    /// The threads of its blocking steps.
    pub(crate) threads: Arc<Threads>,
}

/// A message for an execution without a turn here.
pub(crate) struct Undelivered {
    pub(crate) id: Arc<str>,
    pub(crate) number: i64,
    pub(crate) message: Message,
    pub(crate) queue: Queue,
}

impl Running {
    /// Inserts a turn, and returns its number.
    pub(crate) fn insert(&self, turn: RunningTurn) -> u64 {
        let mut table = lock(&self.table);
        let number = table.begun;
        table.begun += 1;
        table.turns.insert(number, turn);
        number
    }

    /// Returns a turn of the same execution that began before this number and still runs, with its
    /// number.
    pub(crate) fn earlier(&self, id: &str, number: u64) -> Option<(u64, RunningTurn)> {
        let table = lock(&self.table);
        let mut turns = table.turns.iter();
        turns
            .find(|(other, turn)| **other < number && *turn.journal.id == *id)
            .map(|(other, turn)| (*other, turn.clone()))
    }

    /// Returns whether a turn of the same execution runs under a later lease than this one.
    pub(crate) fn has_later(&self, id: &str, than: Lease) -> bool {
        let table = lock(&self.table);
        let mut turns = table.turns.values();
        turns.any(|turn| {
            let lease = turn.journal.lease();
            *turn.journal.id == *id && lease.is_some_and(|lease| lease.fence > than.fence)
        })
    }

    /// Removes a turn.
    pub(crate) fn remove(&self, number: u64) {
        // Drop the turn only after the lock is released.
        let removed = lock(&self.table).turns.remove(&number);
        drop(removed);
        self.turn_ended.notify_waiters();
    }

    /// Returns all turns as clones: turns take this lock when they end, so callers must not hold
    /// it.
    pub(crate) fn all(&self) -> Vec<RunningTurn> {
        lock(&self.table).turns.values().cloned().collect()
    }

    /// Returns the turns of one execution.
    pub(crate) fn of(&self, id: &str) -> Vec<RunningTurn> {
        let table = lock(&self.table);
        let turns = table.turns.values();
        turns
            .filter(|turn| *turn.journal.id == *id)
            .cloned()
            .collect()
    }

    /// Returns all turns that hold a lease, i.e. without those whose first write has not been made.
    pub(crate) fn leased(&self) -> Vec<(Lease, RunningTurn)> {
        let table = lock(&self.table);
        let turns = table.turns.values();
        turns
            .filter_map(|turn| Some((turn.journal.lease()?, turn.clone())))
            .collect()
    }

    /// Returns the turn that gets a message for this execution. If there is none during a claim,
    /// the message is kept until the claimed executions are in the table.
    pub(crate) fn find_or_keep(
        &self,
        id: &str,
        number: i64,
        message: &Message,
        queue: Queue,
    ) -> Option<RunningTurn> {
        let mut table = lock(&self.table);
        let mut turns = table.turns.values();
        let found = turns.find(|turn| *turn.journal.id == *id && turn.journal.lease().is_some());
        if let Some(found) = found {
            return Some(found.clone());
        }
        if let Some(undelivered) = &mut table.undelivered {
            undelivered.push(Undelivered {
                id: id.into(),
                number,
                message: message.clone(),
                queue,
            });
        }
        None
    }

    /// Keeps undelivered messages from now on, because a claim begins.
    pub(crate) fn keep_undelivered(&self) {
        lock(&self.table).undelivered = Some(Vec::new());
    }

    /// Returns the kept messages, and stops keeping them.
    pub(crate) fn take_undelivered(&self) -> Vec<Undelivered> {
        lock(&self.table).undelivered.take().unwrap_or_default()
    }

    /// Waits until the turn with this number has ended.
    pub(crate) async fn ended(&self, number: u64) {
        self.until(|table| !table.turns.contains_key(&number)).await;
    }

    /// Waits until no turn runs.
    pub(crate) async fn all_ended(&self) {
        self.until(|table| table.turns.is_empty()).await;
    }

    /// Returns whether no turn is under way.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.table).turns.is_empty()
    }

    async fn until(&self, condition: impl Fn(&Table) -> bool) {
        loop {
            let turn_ended = self.turn_ended.notified();
            if condition(&lock(&self.table)) {
                return;
            }
            turn_ended.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::clock::Clock,
        engine::worker::of_engine::OfEngine,
        store::{MemoryStore, Target},
    };

    fn turn(id: &str, key: i64) -> RunningTurn {
        let lease = Target::Held(Lease { key, fence: 1 });
        let store = Arc::new(MemoryStore::new());
        let engine = OfEngine {
            store,
            news: Arc::default(),
            schedule: Arc::default(),
            clock: Clock::default(),
            in_place: false,
        };
        let journal = TurnJournal::new(engine, id.into(), (None, None), lease, None);
        let journal = Arc::new(journal);
        RunningTurn {
            mailbox: Arc::new(Mailbox::new(Arc::clone(&journal))),
            journal,
            abort: AbortHandle::new_pair().0,
            threads: Arc::default(),
        }
    }

    #[tokio::test]
    async fn a_message_is_kept_only_during_a_claim_and_where_nothing_runs() {
        let running = Running::default();
        running.insert(turn("a", 1));
        assert!(
            running
                .find_or_keep("b", 1, &Message::Stop, Queue::Replace)
                .is_none()
        );
        running.keep_undelivered();
        assert!(
            running
                .find_or_keep("a", 2, &Message::Stop, Queue::Replace)
                .is_some()
        );
        assert!(
            running
                .find_or_keep("b", 3, &Message::Stop, Queue::Replace)
                .is_none()
        );
        let kept = running.take_undelivered();
        let kept: Vec<_> = kept.iter().map(|it| (&*it.id, it.number)).collect();
        assert_eq!(kept, [("b", 3)]);
        assert!(
            running
                .find_or_keep("b", 4, &Message::Stop, Queue::Replace)
                .is_none()
        );
        assert!(running.take_undelivered().is_empty());
    }

    #[tokio::test]
    async fn only_an_earlier_turn_of_the_same_execution_is_found() {
        let running = Running::default();
        let first = running.insert(turn("a", 1));
        running.insert(turn("b", 2));
        let second = running.insert(turn("a", 1));
        let found = |number| running.earlier("a", number).map(|(number, _)| number);
        assert_eq!(found(first), None);
        assert_eq!(found(second), Some(first));
        running.remove(first);
        running.ended(first).await;
        assert_eq!(found(second), None);
    }
}
