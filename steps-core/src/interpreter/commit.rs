//! What changed, and making it safe.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Shared, records,
    records::{Id, Tree},
};
use crate::{
    base::{error::JournalError, sync::lock},
    journal::{Batch, Journal, Rest},
    model::state::NodeRow as Change,
};

impl Shared {
    /// Notes that a node changed.
    #[inline]
    pub(crate) fn mark(&self, id: Id) {
        if self.journal.is_some() {
            self.mark_dirty(id);
        }
    }

    #[cold]
    fn mark_dirty(&self, id: Id) {
        let mut dirty = lock(&self.dirty);
        if dirty.last() != Some(&id) {
            dirty.push(id);
        }
    }

    /// Notes that a node changed, and tells the observer.
    #[inline]
    pub(super) fn changed(&self, tree: &Tree, id: Id) {
        self.mark(id);
        self.observe(tree, id);
    }

    /// Changes a node.
    pub(crate) fn change<R>(&self, id: Id, change: impl FnOnce(&mut records::Record) -> R) -> R {
        let mut tree = self.tree();
        let result = change(&mut tree[id]);
        self.changed(&tree, id);
        result
    }

    /// Makes what changed safe.
    #[inline]
    pub(crate) async fn commit(&self) -> Result<(), JournalError> {
        match &self.journal {
            None => Ok(()),
            Some(journal) => Box::pin(self.commit_to(&**journal, None)).await,
        }
    }

    /// Makes what changed safe, and tells the journal how the pass ended.
    pub(crate) async fn commit_last(&self, rest: Rest) -> Result<(), JournalError> {
        match &self.journal {
            None => Ok(()),
            Some(journal) => Box::pin(self.commit_to(&**journal, Some(rest))).await,
        }
    }

    async fn commit_to(
        &self,
        journal: &dyn Journal,
        rest: Option<Rest>,
    ) -> Result<(), JournalError> {
        let mut lost = self.committing.lock().await;
        if let Some(error) = &*lost {
            return Err(error.clone());
        }
        let ids = std::mem::take(&mut *lock(&self.dirty));
        if ids.is_empty() && rest.is_none() {
            return Ok(());
        }
        let changes = self.changes(ids);
        let batch = Batch {
            source: self,
            changes,
            replaces: self.replaces.swap(false, Ordering::Relaxed),
            alone: self.at_once.load(Ordering::Relaxed) == 0,
            rest,
        };
        let committed = journal.commit(batch).await;
        if let Err(error) = &committed {
            *lost = Some(error.clone());
        }
        committed
    }

    /// From now on, and until that is dropped, branches are at work at once.
    pub(super) fn at_once(&self) -> AtOnce<'_> {
        self.at_once.fetch_add(1, Ordering::Relaxed);
        AtOnce(&self.at_once)
    }

    /// What has become of these records.
    fn changes(&self, ids: Vec<Id>) -> Vec<Change> {
        let mut tree = self.tree();
        let mut seen = std::collections::HashSet::new();
        let mut newest: Vec<Id> = ids
            .iter()
            .rev()
            .copied()
            .filter(|id| seen.insert(*id))
            .collect();
        newest.reverse();
        // In the order in which they came to be.
        for id in ids {
            tree.row(id);
        }
        let change = |id| {
            let mut node = tree.node(id);
            if id == records::ROOT {
                self.sign(&mut node);
            }
            let (id, parent) = tree.row(id);
            Change { id, parent, node }
        };
        newest.into_iter().map(change).collect()
    }
}

/// A region in which branches are at work at once.
pub(super) struct AtOnce<'a>(&'a AtomicUsize);

impl Drop for AtOnce<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
