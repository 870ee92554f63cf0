//! The report of an execution, with what the store knows of it beside its tree.

use super::execution::Handle;
use crate::{engine::error::EngineError, model::report::Report};

impl Handle {
    /// Returns a report of the execution, as it is recorded now: what it did, when, where its time went,
    /// and how long it [waited](Report::queue) to begin. What is under way is counted up to now.
    ///
    /// ```
    /// # use steps::engine::{EngineError, Handle};
    /// # async fn show(run: &Handle) -> Result<(), EngineError> {
    /// println!("{}", run.report().await?.text());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn report(&self) -> Result<Report, EngineError> {
        let saved = self.saved().await?;
        let created_at = saved.info.created_at;
        let state = self.tree_of(saved)?;
        let at = self.engine.core.clock.now();
        Ok(state.report_at(at).created(created_at))
    }
}
