//! How a run is told that a child execution has ended. A line that waits for one asks for it again only
//! when there is news of it: so many lines may wait in one run, and each end is asked for once.

use super::{
    RunCore,
    records::{Id, Record},
};
use crate::{
    base::json::Json,
    model::state::{StepKind, children::child_of},
};

impl RunCore {
    /// Notes that a child has ended, and wakes the run.
    pub(crate) fn child_ended(&self, child: String) {
        self.ended_children.insert(child);
        self.requests.signal_came();
    }

    /// Returns whether the child that this line waits for may have ended since it was asked for.
    pub(super) fn has_news_of_child(&self, record: &Record) -> bool {
        if self.ended_children.is_empty() {
            return false;
        }
        let child = match record.step_kind {
            Some(StepKind::Join) => record.cold().input.as_ref(),
            Some(StepKind::Start) => record.output.as_ref(),
            _ => None,
        };
        let child = child.and_then(child_of);
        child.is_some_and(|child| self.ended_children.contains(&child))
    }

    /// Notes that a line asks for the end of a child: what is told of it from now on is news. A line
    /// that waits for it keeps which one it is.
    pub(super) fn asks_for(&self, id: Id, child: &str) {
        self.ended_children.remove(child);
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
