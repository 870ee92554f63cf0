//! The steps of a tree that wait for a signal.

use super::tree::{Id, ROOT};
use crate::{
    state::{Kind, Until},
    status::Status,
};

impl super::tree::Tree {
    /// The paths of the steps that wait for a signal.
    pub(crate) fn signals(&self, id: Id, paths: &mut Vec<String>) {
        let record = &self[id];
        if record.kind == Kind::Step
            && record.status == Status::Waiting
            && record.rare().until == Some(Until::Signal)
        {
            paths.push(self.path(id));
        }
        for child in self.below(id) {
            self.signals(child, paths);
        }
    }

    /// The step of this path that waits for a signal.
    pub(crate) fn waiting_for_signal(&self, path: &str) -> Option<Id> {
        let mut at = ROOT;
        for name in crate::state::path::split(path) {
            at = self
                .below(at)
                .into_iter()
                .find(|id| self.name(*id) == name)?;
        }
        let record = &self[at];
        let waits = record.kind == Kind::Step
            && record.status == Status::Waiting
            && record.rare().until == Some(Until::Signal);
        waits.then_some(at)
    }
}
