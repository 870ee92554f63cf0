//! The child executions whose end a run was told of. A line that waits for one asks for it again only
//! when there is news of it: so many lines may wait in one run, and each end is asked for once.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    RunCore,
    records::{Id, Record},
};
use crate::{
    base::{json::Json, sync::lock},
    model::state::{StepKind, children::child_of},
};

/// The ids of the children that have ended, as far as the run was told. Its lock is the last one to be
/// taken.
#[derive(Debug, Default)]
pub(super) struct EndedChildren {
    ids: Mutex<HashSet<String>>,
    /// How many they are. While it is 0, nobody need look for one.
    count: AtomicUsize,
}

impl EndedChildren {
    fn change<T>(&self, change: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        let mut ids = lock(&self.ids);
        let result = change(&mut ids);
        self.count.store(ids.len(), Ordering::Relaxed);
        result
    }
}

impl RunCore {
    /// Notes that a child has ended, and wakes the run.
    pub(crate) fn child_ended(&self, child: String) {
        self.ended_children.change(|ids| ids.insert(child));
        self.requests.signal_came();
    }

    /// Returns whether the child that this line waits for may have ended since it was asked for.
    pub(super) fn has_news_of_child(&self, record: &Record) -> bool {
        if self.ended_children.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let child = match record.step_kind {
            Some(StepKind::Join) => record.cold().input.as_ref(),
            Some(StepKind::Start) => record.output.as_ref(),
            _ => None,
        };
        let child = child.and_then(child_of);
        child.is_some_and(|child| lock(&self.ended_children.ids).contains(&child))
    }

    /// Notes that a line asks for the end of a child: what is told of it from now on is news. A line
    /// that waits for it keeps which one it is.
    pub(super) fn asks_for(&self, id: Id, child: &str) {
        self.ended_children.change(|ids| ids.remove(child));
        let mut records = self.records();
        let record = &mut records[id];
        if record.step_kind == Some(StepKind::Join)
            && let Ok(child) = Json::encode(&child)
        {
            record.cold_mut().input = Some(child);
            self.committer.mark(id);
        }
    }
}
