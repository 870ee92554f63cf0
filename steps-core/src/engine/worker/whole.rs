//! The whole tree of a turn's execution, which a claim may have left a part of out.

use super::turn_journal::TurnJournal;
use crate::{
    base::{error::JournalError, future::BoxFuture},
    interpreter::WholeTree,
    model::state::State,
};

impl WholeTree for TurnJournal {
    fn whole(&self) -> BoxFuture<'_, Result<State, JournalError>> {
        Box::pin(async move {
            let saved = self.engine.store.load(self.id.to_string()).await;
            let saved = saved.map_err(|error| {
                self.failed(error.clone());
                JournalError::new(error)
            })?;
            let saved = saved.ok_or_else(|| JournalError::new("it is gone"))?;
            saved.into_state().map_err(JournalError::new)
        })
    }
}
