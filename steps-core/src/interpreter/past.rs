//! What was left out when an execution was taken up, as it is over: which loops leave their rounds, and
//! where these come from when a rollback needs them.

use std::sync::Arc;

use super::{Kept, Pass, RunCore, loops::Body, records::Id};
use crate::{
    base::error::JournalError,
    model::{
        state::State,
        table::{Line, asks_prev},
    },
};

impl RunCore {
    /// Returns the whole tree as it is recorded now, if part of it is not in memory.
    pub(crate) async fn recorded(&self) -> Result<Option<State>, JournalError> {
        match &self.options.whole {
            Some(source) if self.records().is_partial() => source.whole().await.map(Some),
            _ => Ok(None),
        }
    }
}

impl Pass<'_> {
    /// Notes whether a loop's rounds that are over may be left out from now on.
    pub(super) fn leaves_past(self, id: Id, body: Body) {
        // Restoring a round may need all rounds before it.
        if self.run.options.whole.is_none() || asks_prev(body.lines, body.prev) {
            return;
        }
        let mut records = self.run.records();
        if records.may_leave_past(id) {
            records[id].cold_mut().leaves_past = true;
        }
    }

    /// Brings back the rounds of a loop that were left out, before they are undone.
    pub(super) async fn bring_back(self, id: Id, body: &'static [Line]) -> Kept<()> {
        if !self.run.records().has_left_out(id) {
            return Ok(());
        }
        let Some(source) = &self.run.options.whole else {
            return Err(JournalError::new(
                "rounds were left out, and nothing has them",
            ));
        };
        let tree = self.run.whole.get_or_try_init(|| async {
            let tree = Box::pin(source.whole()).await?;
            Ok::<_, JournalError>(Arc::new(tree))
        });
        let tree = Arc::clone(tree.await?);
        self.run.records().bring_back(id, body, &tree)
    }
}
