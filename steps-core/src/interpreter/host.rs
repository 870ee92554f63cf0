//! What a run is to those outside the interpreter: the host of a running step's
//! [`Cx`](crate::Cx), and the source that a journal's [`Batch`](crate::journal::Batch) reads from.

use jiff::Timestamp;

use super::{Shared, records::ROOT};
use crate::{
    base::{error::StepError, json::Json},
    journal::BatchSource,
    language::cx::StepHost,
    model::{
        state::{Progress, State, Until},
        status::Status,
    },
};

impl StepHost for Shared {
    fn path(&self, id: u32) -> String {
        self.tree().path(id)
    }

    fn execution(&self) -> &str {
        Self::execution(self)
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    fn save(&self, id: u32, data: Json) -> Result<(), StepError> {
        self.limits.check("working data", Some(&data))?;
        self.tree()[id].cold_mut().info = Some(data);
        self.mark(id);
        Ok(())
    }

    fn saved(&self, id: u32) -> Option<Json> {
        self.tree()[id].cold().info.clone()
    }

    fn should_end(&self, id: u32) -> bool {
        self.had_better_end(id)
    }

    fn progress(&self, id: u32, progress: Progress) {
        let mut tree = self.tree();
        tree[id].cold_mut().progress = Some(progress);
        self.mark(id);
        self.observe(&tree, id);
    }

    fn until(&self, id: u32) -> Option<Until> {
        self.tree()[id].cold().until
    }

    fn signal(&self, id: u32) -> Option<Json> {
        self.tree()[id].cold().input.clone()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl BatchSource for Shared {
    fn status(&self) -> Status {
        self.tree()[ROOT].status
    }

    fn state(&self) -> State {
        Self::state(self)
    }

    fn signals(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.tree().signals(ROOT, &mut paths);
        paths
    }
}
