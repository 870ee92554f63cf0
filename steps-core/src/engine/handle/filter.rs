//! Finding and counting executions, and deleting those that have ended.

use std::ops::Range;

use jiff::Timestamp;

use super::execution::Handle;
use crate::{
    engine::{Engine, error::EngineError},
    language::flow::Flow,
    model::status::Status,
    store::{Cursor, ExecutionInfo, ExecutionQuery},
};

/// Selects executions: those that meet all of its conditions. Without any, all executions.
///
/// ```
/// use steps::{Status, engine::Filter};
///
/// let stuck = Filter::new().status(Status::Stuck).label("project", "atlas").limit(20);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a filter finds nothing by itself"]
pub struct Filter {
    query: ExecutionQuery,
}

impl Filter {
    /// Selects all executions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only executions of this flow, under any of its names. Called again, it adds a flow.
    pub fn flow<F: Flow>(mut self) -> Self {
        let names = std::iter::once(&F::TABLE.name).chain(F::TABLE.aliases);
        self.query
            .flows
            .extend(names.map(|name| (*name).to_owned()));
        self
    }

    /// Only executions of the flow that is saved under this name. Called again, it adds a flow.
    pub fn flow_name(mut self, name: impl Into<String>) -> Self {
        self.query.flows.push(name.into());
        self
    }

    /// Only executions in this status. Called again, it adds a status.
    pub fn status(mut self, status: Status) -> Self {
        self.query.status.push(status);
        self
    }

    /// Only executions that have not ended.
    pub fn unfinished(mut self) -> Self {
        let all = Status::ALL.into_iter();
        self.query
            .status
            .extend(all.filter(|status| !status.is_final()));
        self
    }

    /// Only executions that have ended.
    pub fn ended(mut self) -> Self {
        let all = Status::ALL.into_iter();
        self.query
            .status
            .extend(all.filter(|status| status.is_final()));
        self
    }

    /// Only executions with this label. Called again, it demands both.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.labels.insert(name.into(), value.into());
        self
    }

    /// Only executions that were made in this range: from its start on, and before its end.
    pub fn created(mut self, when: Range<Timestamp>) -> Self {
        self.query.created = Some(when);
        self
    }

    /// Only executions that ended in this range: from its start on, and before its end.
    pub fn ended_within(mut self, when: Range<Timestamp>) -> Self {
        self.query.ended = Some(when);
        self
    }

    /// Only executions that did not fit the program that took them up.
    pub fn incompatible(mut self) -> Self {
        self.query.refused = Some(true);
        self
    }

    /// At most this many, in a list or a deletion: 0 is none. By default 100 in a list, and all in
    /// a deletion. A [count](Engine::count) is that of all pages.
    pub fn limit(mut self, limit: usize) -> Self {
        self.query.limit = Some(limit);
        self
    }

    /// Only executions that a list has after this place: the next page, after the last execution of
    /// the one before, which may be gone by now. A [count](Engine::count) is that of all pages.
    ///
    /// ```
    /// # use steps::{Engine, engine::{EngineError, Filter}};
    /// # async fn pages(engine: &Engine) -> Result<(), EngineError> {
    /// let mut filter = Filter::new().ended().limit(50);
    /// loop {
    ///     let page = engine.list(filter.clone()).await?;
    ///     let Some(last) = page.last() else { break };
    ///     filter = filter.after(last);
    ///     for info in page {
    ///         println!("{} {}", info.id, info.status);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, place: impl Into<Cursor>) -> Self {
        self.query.after = Some(place.into());
        self
    }
}

impl Engine {
    /// Returns the executions that a filter finds, the newest first.
    pub async fn list(&self, filter: Filter) -> Result<Vec<ExecutionInfo>, EngineError> {
        let mut query = filter.query;
        query.limit.get_or_insert(100);
        Ok(self.core.store.list(query).await?)
    }

    /// Returns how many executions a filter finds on all its pages: whatever its
    /// [`limit`](Filter::limit) and [`after`](Filter::after).
    pub async fn count(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.count(filter.query).await?)
    }

    /// Deletes the executions that a filter finds and that have ended, with all that is recorded of
    /// them, the oldest first, up to its [`limit`](Filter::limit). Others are passed over: stop or
    /// undo them first. Returns how many were deleted.
    pub async fn delete_where(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.delete(filter.query).await?)
    }
}

impl Handle {
    /// Deletes the execution with all that is recorded of it. Its id may be used again.
    ///
    /// # Errors
    ///
    /// [`EngineError::Status`] where it has not ended, [`EngineError::Busy`] where a worker still
    /// holds it.
    pub async fn delete(&self) -> Result<(), EngineError> {
        let query = ExecutionQuery {
            id: Some(self.id.to_string()),
            ..ExecutionQuery::default()
        };
        let mut tries = 0..2;
        loop {
            if self.engine.core.store.delete(query.clone()).await? > 0 {
                return Ok(());
            }
            let info = self.info().await?;
            let id = || self.id.to_string();
            let is_left = tries.next().is_some();
            if !info.status.is_final() || !is_left {
                return Err(EngineError::Status {
                    id: id(),
                    wanted: "deleted",
                    status: info.status,
                });
            }
            // It was given back since.
            let (Some(worker), Some(until)) = (info.worker, info.due) else {
                continue;
            };
            return Err(EngineError::Busy {
                id: id(),
                worker,
                until,
            });
        }
    }
}
