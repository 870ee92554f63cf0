//! Collects the nodes that changed, and commits them to the journal.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{
    RunCore,
    records::{Id, ROOT, Records, Unsaved},
};
use crate::{
    base::{error::JournalError, sync::lock},
    journal::{Batch, Journal, NodeRow, PassEnd},
    model::{notes::NoteChange, state::NodeData, status::Status},
};

/// The connection to the journal. Without a journal, nothing is collected and nothing is committed.
pub(super) struct Committer {
    journal: Option<Arc<dyn Journal>>,
    /// What the journal does not have yet.
    dirty: Mutex<Dirty>,
    /// Whether the next batch replaces all rows that the journal has of the execution. Set when the
    /// run begins, cleared by its first batch.
    replaces: AtomicBool,
    /// Locked while the journal takes a batch.
    committing: tokio::sync::Mutex<Committed>,
    /// Why the run stopped where it was, without an error of the journal.
    stopped: OnceLock<JournalError>,
    /// Whether there may be a value of a line without an effect that is not in the journal yet. Until it is,
    /// no user's code that can have an effect may run.
    owes: AtomicBool,
    /// The number of regions whose branches run concurrently, nested or side by side.
    parallel_regions: AtomicUsize,
}

/// What the journal has confirmed.
#[derive(Default)]
struct Committed {
    /// How many of the run's changes, counted as in [`Dirty`], were in batches that are safe.
    changes: u64,
    /// The error after which nothing more is committed.
    error: Option<JournalError>,
}

/// What the next batch tells the journal.
#[derive(Default)]
struct Dirty {
    /// How many changes were noted so far, those of earlier batches included.
    noted: u64,
    /// The nodes that changed.
    ids: Vec<Id>,
    /// The numbers of the signals that were given to some of these nodes.
    signals: Vec<i64>,
    /// The transactions that were committed, or may have been, each with its node: until that has ended.
    transactions: Vec<(Id, String)>,
    /// Changes of what is noted of the execution.
    notes: Vec<NoteChange>,
}

impl Dirty {
    /// Takes the names of the transactions whose nodes have ended by what the next batch has of them.
    fn ended_transactions(&mut self, records: &Records) -> Vec<String> {
        let has_ended = |(id, _): &mut (Id, String)| {
            self.ids.contains(id)
                && !matches!(
                    records[*id].status,
                    Status::Running | Status::Waiting | Status::Undoing
                )
        };
        let ended = self.transactions.extract_if(.., has_ended);
        ended.map(|(_, name)| name).collect()
    }
}

impl Committer {
    pub(super) fn new(journal: Option<Arc<dyn Journal>>, unsaved: Unsaved) -> Self {
        Self {
            journal,
            dirty: Mutex::new(Dirty {
                noted: unsaved.ids.len() as u64,
                ids: unsaved.ids,
                signals: Vec::new(),
                transactions: Vec::new(),
                notes: Vec::new(),
            }),
            replaces: AtomicBool::new(unsaved.replaces),
            committing: tokio::sync::Mutex::default(),
            stopped: OnceLock::new(),
            owes: AtomicBool::new(false),
            parallel_regions: AtomicUsize::new(0),
        }
    }

    /// Returns whether there is a journal.
    #[inline]
    pub(super) fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    /// Notes that a node changed.
    #[inline]
    pub(super) fn mark(&self, id: Id) {
        if self.has_journal() {
            self.mark_dirty(id);
        }
    }

    #[cold]
    fn mark_dirty(&self, id: Id) {
        let mut dirty = lock(&self.dirty);
        dirty.noted += 1;
        if dirty.ids.last() != Some(&id) {
            dirty.ids.push(id);
        }
    }

    /// Notes that a node was given the signal with this number. The records are locked, so that one
    /// batch has both.
    pub(super) fn mark_signal(&self, id: Id, number: Option<i64>) {
        if self.has_journal() {
            let mut dirty = lock(&self.dirty);
            dirty.noted += 1;
            dirty.ids.push(id);
            dirty.signals.extend(number);
        }
    }

    /// Notes a change of what is noted of the execution, for the batch with this node.
    pub(super) fn mark_note(&self, id: Id, change: NoteChange) {
        if self.has_journal() {
            let mut dirty = lock(&self.dirty);
            dirty.noted += 1;
            dirty.ids.push(id);
            dirty.notes.push(change);
        }
    }

    /// Notes a transaction of a node that has not ended.
    pub(super) fn mark_transaction(&self, id: Id, name: String) {
        let mut dirty = lock(&self.dirty);
        if dirty.transactions.iter().all(|(_, known)| *known != name) {
            dirty.transactions.push((id, name));
        }
    }

    /// Returns the journal.
    pub(super) fn journal(&self) -> Option<&dyn Journal> {
        self.journal.as_deref()
    }

    /// Forgets the changes of nodes that are not there any more. The records are locked.
    pub(super) fn forget(&self, gone: &[Id]) {
        let mut dirty = lock(&self.dirty);
        let is_there = |id: &Id| gone.binary_search(id).is_err();
        dirty.ids.retain(is_there);
        dirty.transactions.retain(|(id, _)| is_there(id));
    }

    /// Lets the next batch replace all rows by those of these nodes, which have new numbers, and of those
    /// that have changed. The records are locked.
    pub(super) fn replace(&self, mut known: Vec<Id>) {
        let mut dirty = lock(&self.dirty);
        dirty.noted += 1;
        known.append(&mut dirty.ids);
        dirty.ids = known;
        self.replaces.store(true, Ordering::Relaxed);
    }

    /// Stops the run where it is, as if its process had died: from now on each commit fails, and so
    /// nothing more is recorded, and nothing more begins.
    pub(super) fn stop(&self, why: &'static str) {
        let _ = self.stopped.set(JournalError::new(why));
    }

    /// Returns whether the run was stopped where it was.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.get().is_some()
    }

    /// Notes that a line without an effect begins.
    pub(super) fn owe(&self) {
        self.owes.store(true, Ordering::Relaxed);
    }

    /// Returns whether the value of such a line may still be missing in the journal.
    pub(super) fn owes(&self) -> bool {
        self.owes.load(Ordering::Relaxed)
    }

    /// Counts a region of concurrent branches, until the returned guard is dropped.
    pub(super) fn enter_parallel(&self) -> ParallelRegion<'_> {
        self.parallel_regions.fetch_add(1, Ordering::Relaxed);
        ParallelRegion(&self.parallel_regions)
    }
}

/// A region whose branches run concurrently.
pub(super) struct ParallelRegion<'a>(&'a AtomicUsize);

impl Drop for ParallelRegion<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl RunCore {
    /// Returns once all changes so far are safe. Waits even if all were sent to the journal: another
    /// branch's commit may be in flight, and what comes next may depend on it.
    ///
    /// Whoever has waited for another branch's commit asks only whether the changes that were made
    /// before this call are safe by now, not whether there are newer ones: so all branches that wait
    /// for one commit share the next.
    #[inline]
    pub(crate) async fn commit(&self) -> Result<(), JournalError> {
        if let Some(stopped) = self.committer.stopped.get() {
            return Err(stopped.clone());
        }
        match &self.committer.journal {
            None => Ok(()),
            Some(journal) => self.commit_to(&**journal, None).await,
        }
    }

    /// Commits all changes, and tells the journal how the pass ended.
    pub(crate) async fn commit_last(&self, end: PassEnd) -> Result<(), JournalError> {
        if let Some(stopped) = self.committer.stopped.get() {
            return Err(stopped.clone());
        }
        match &self.committer.journal {
            None => Ok(()),
            Some(journal) => self.commit_to(&**journal, Some(end)).await,
        }
    }

    async fn commit_to(
        &self,
        journal: &dyn Journal,
        end: Option<PassEnd>,
    ) -> Result<(), JournalError> {
        let committer = &self.committer;
        let wanted = lock(&committer.dirty).noted;
        let mut confirmed = match committer.committing.try_lock() {
            Ok(confirmed) => confirmed,
            // Boxed, because most runs need not wait, and their futures would be as large.
            Err(_) => Box::pin(committer.committing.lock()).await,
        };
        if let Some(error) = &confirmed.error {
            return Err(error.clone());
        }
        if end.is_none() && confirmed.changes >= wanted {
            return Ok(());
        }
        committer.owes.store(false, Ordering::Relaxed);
        let (noted, saving) = {
            let (noted, batch) = self.changes(end);
            (noted, journal.commit(batch))
        };
        let result = saving.await;
        match &result {
            Ok(()) => confirmed.changes = noted,
            Err(error) => confirmed.error = Some(error.clone()),
        }
        result
    }

    /// Takes what the journal does not have: the rows of the records that changed, each once, in
    /// the order of their last change; the children that they start; the signals that were given to
    /// them; what was noted; and the rows that are past or gone, if the journal has to be told. With it
    /// comes the number of changes that were noted so far.
    fn changes(&self, end: Option<PassEnd>) -> (u64, Batch<'_>) {
        let committer = &self.committer;
        let mut records = self.records();
        let mut dirty = lock(&committer.dirty);
        let replaces = committer.replaces.swap(false, Ordering::Relaxed);
        let new_from = (!replaces).then(|| records.next_row());
        // Row numbers are assigned in the order in which nodes first appear.
        for id in &dirty.ids {
            records.row(*id);
        }
        keep_last(&mut dirty.ids);
        let past = match &self.options.whole {
            Some(_) => records.take_past(end.is_some()),
            None => None,
        };
        let mut rows = Vec::with_capacity(dirty.ids.len());
        let mut children = Vec::new();
        let transactions = dirty.ended_transactions(&records);
        // The list keeps its room for the next batch.
        for id in dirty.ids.drain(..) {
            children.extend(records[id].take_child());
            let (row, parent) = records.row(id);
            let change = rows.push_mut(NodeRow::new(row, parent, NodeData::default()));
            records.write_node(id, &mut change.node);
            if id == ROOT {
                self.sign(&mut change.node);
            }
        }
        let batch = Batch {
            source: self,
            changes: rows,
            new_from,
            children,
            signals: std::mem::take(&mut dirty.signals),
            transactions,
            notes: std::mem::take(&mut dirty.notes),
            removed: records.take_gone(),
            replaces,
            alone: committer.parallel_regions.load(Ordering::Relaxed) == 0,
            past,
            pass_end: end,
        };
        (dirty.noted, batch)
    }
}

/// Up to this many are compared with each other: for so few, a set costs more.
const FEW: usize = 8;

/// Removes from the list what comes again later in it.
fn keep_last(ids: &mut Vec<Id>) {
    if ids.len() <= FEW {
        let mut at = 0;
        while at < ids.len() {
            if ids[at + 1..].contains(&ids[at]) {
                ids.remove(at);
            } else {
                at += 1;
            }
        }
        return;
    }
    let mut seen = std::collections::HashSet::with_capacity(ids.len());
    ids.reverse();
    ids.retain(|id| seen.insert(*id));
    ids.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_twice_stands_where_it_changed_last() {
        let many: Vec<Id> = (0..20).chain([3, 0]).collect();
        let rest = (1..20).filter(|id| *id != 3).chain([3, 0]);
        for (mut ids, kept) in [
            (vec![], vec![]),
            (vec![1], vec![1]),
            (vec![1, 2, 1, 1], vec![2, 1]),
            (vec![5, 4, 5, 4], vec![5, 4]),
            (many, rest.collect()),
        ] {
            keep_last(&mut ids);
            assert_eq!(ids, kept);
        }
    }
}
