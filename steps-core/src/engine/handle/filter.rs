//! Finding and counting executions, and deleting those that have ended.

use std::ops::Range;

use jiff::Timestamp;

use super::execution::Handle;
use crate::{
    engine::{Engine, error::EngineError},
    language::flow::Flow,
    model::status::Status,
    store::{Info, Query},
};

/// Which executions: those that meet all that is said. By default, all of them.
///
/// ```
/// use steps::{Status, engine::Filter};
///
/// let stuck = Filter::new().status(Status::Stuck).label("project", "atlas").limit(20);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a filter finds nothing by itself"]
pub struct Filter {
    query: Query,
}

impl Filter {
    /// All executions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of this flow, under whichever of its names. Called again: of either.
    pub fn flow<F: Flow>(mut self) -> Self {
        let names = std::iter::once(&F::TABLE.name).chain(F::TABLE.aliases);
        self.query
            .flows
            .extend(names.map(|name| (*name).to_owned()));
        self
    }

    /// Of the flow that is saved under this name.
    pub fn flow_name(mut self, name: impl Into<String>) -> Self {
        self.query.flows.push(name.into());
        self
    }

    /// In this status. Called again: in either.
    pub fn status(mut self, status: Status) -> Self {
        self.query.status.push(status);
        self
    }

    /// That have not ended.
    pub fn unfinished(mut self) -> Self {
        let all = Status::ALL.into_iter();
        self.query
            .status
            .extend(all.filter(|status| !status.is_final()));
        self
    }

    /// That have ended.
    pub fn ended(mut self) -> Self {
        let all = Status::ALL.into_iter();
        self.query
            .status
            .extend(all.filter(|status| status.is_final()));
        self
    }

    /// With this label. Called again: with both.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.labels.insert(name.into(), value.into());
        self
    }

    /// Made at this time or later, and before that.
    pub fn created(mut self, when: Range<Timestamp>) -> Self {
        self.query.created = Some(when);
        self
    }

    /// Ended at this time or later, and before that.
    pub fn ended_within(mut self, when: Range<Timestamp>) -> Self {
        self.query.ended = Some(when);
        self
    }

    /// That did not fit the program that took them up.
    pub fn incompatible(mut self) -> Self {
        self.query.refused = Some(true);
        self
    }

    /// At most so many; by default 100 in a list, and all in a count or a deletion.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.limit = limit;
        self
    }

    /// Those that a list has behind the execution of this id: the next page.
    pub fn after(mut self, id: impl Into<String>) -> Self {
        self.query.after = Some(id.into());
        self
    }
}

impl Engine {
    /// Returns the executions that a filter finds, the newest first.
    pub async fn list(&self, filter: Filter) -> Result<Vec<Info>, EngineError> {
        let mut query = filter.query;
        if query.limit == 0 {
            query.limit = 100;
        }
        Ok(self.core.store.list(query).await?)
    }

    /// Returns how many executions a filter finds.
    pub async fn count(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.count(filter.query).await?)
    }

    /// Deletes the executions that a filter finds and that have ended, with all that is recorded of
    /// them, the oldest first. Others are passed over: stop or undo them first. Returns
    /// how many were deleted.
    pub async fn delete_where(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.delete(filter.query).await?)
    }
}

impl Handle {
    /// Deletes the execution with all that is recorded of it. Its id may be used again.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has not ended.
    pub async fn delete(&self) -> Result<(), EngineError> {
        let query = Query {
            id: Some(self.id.to_string()),
            ..Query::default()
        };
        if self.engine.core.store.delete(query).await? == 0 {
            return Err(EngineError::Status {
                id: self.id.to_string(),
                wanted: "deleted",
                status: self.status().await?,
            });
        }
        Ok(())
    }
}
