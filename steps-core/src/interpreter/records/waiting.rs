//! Finds the steps of a tree that wait for a signal.

use super::{Id, ROOT};

impl super::Records {
    /// Collects the paths of the steps that wait for a signal.
    pub(crate) fn signals(&self, id: Id, paths: &mut Vec<String>) {
        let record = &self[id];
        if record.waits_for_signal() {
            paths.push(self.path(id));
        }
        for child in self.below(id) {
            self.signals(child, paths);
        }
    }

    /// Returns the step of this path, if it waits for a signal.
    pub(crate) fn waiting_for_signal(&self, path: &str) -> Option<Id> {
        let mut at = ROOT;
        for name in crate::model::state::path::split(path) {
            at = self
                .below(at)
                .into_iter()
                .find(|id| self.name(*id) == name)?;
        }
        self[at].waits_for_signal().then_some(at)
    }
}
