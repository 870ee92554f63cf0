//! The children that a run was told have ended.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::base::sync::lock;

/// The ids of the children that have ended, as far as the run was told. Its lock is the last one to be
/// taken.
#[derive(Debug, Default)]
pub(super) struct EndedChildren {
    ids: Mutex<HashSet<String>>,
    /// How many they are. While it is 0, nobody need look for one.
    count: AtomicUsize,
}

impl EndedChildren {
    /// Adds one.
    pub(super) fn insert(&self, child: String) {
        self.change(|ids| ids.insert(child));
    }

    /// Removes one.
    pub(super) fn remove(&self, child: &str) {
        self.change(|ids| ids.remove(child));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    pub(super) fn contains(&self, child: &str) -> bool {
        lock(&self.ids).contains(child)
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        let mut ids = lock(&self.ids);
        let result = change(&mut ids);
        self.count.store(ids.len(), Ordering::Relaxed);
        result
    }
}
