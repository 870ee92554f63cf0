//! What is done with the executions that a filter finds: listing, counting, deleting, and what a handle
//! does to one, for each of them.

use super::{execution::Handle, filter::Filter};
use crate::{
    engine::{Engine, error::EngineError},
    store::{ExecutionInfo, ExecutionQuery},
};

impl Engine {
    /// Returns the executions that a filter finds, the newest first unless it
    /// [sorts](Filter::ascending) them, with how many of their [steps](ExecutionInfo::steps) are in which
    /// status.
    pub async fn list(&self, filter: Filter) -> Result<Vec<ExecutionInfo>, EngineError> {
        let mut query = filter.query(self)?;
        query.limit.get_or_insert(100);
        let mut found = self.core.store.list(query.clone()).await?;
        if !query.sort.is_empty() {
            for info in &mut found {
                info.sorted_by = query.place_of(info).by;
            }
        }
        Ok(found)
    }

    /// Returns how many executions a filter finds on all its pages: whatever its
    /// [`limit`](Filter::limit) and [`after`](Filter::after).
    pub async fn count(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.count(filter.query(self)?).await?)
    }

    /// Deletes the executions that a filter finds and that have ended, with all that is recorded of
    /// them, up to its [`limit`](Filter::limit): the oldest first, or, where the filter
    /// [sorts](Filter::ascending), the first of the list. Others are passed over: stop or
    /// undo them first. Returns how many were deleted.
    pub async fn delete_where(&self, filter: Filter) -> Result<u64, EngineError> {
        Ok(self.core.store.delete(filter.query(self)?).await?)
    }

    /// Stops each execution that a filter finds and that can be [stopped](Handle::stop), in the order of
    /// its list, up to its [`limit`](Filter::limit). Others are passed over. Returns how many were
    /// asked to stop.
    ///
    /// ```
    /// # use steps::{Engine, engine::{EngineError, Filter}};
    /// # async fn stop(engine: &Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// let filter = Filter::parse("status={running waiting},attrs.tenant=acme")?;
    /// println!("{} stop", engine.stop_where(filter).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stop_where(&self, filter: Filter) -> Result<u64, EngineError> {
        let stop = async |handle: Handle| handle.stop().await;
        self.each(filter, stop).await
    }

    /// Undoes each execution that a filter finds and that can be [undone](Handle::undo), like
    /// [`stop_where`](Self::stop_where).
    pub async fn undo_where(&self, filter: Filter) -> Result<u64, EngineError> {
        let undo = async |handle: Handle| handle.undo().await;
        self.each(filter, undo).await
    }

    /// Tries again what failed in each execution that a filter finds and that can be
    /// [recovered](Handle::recover), like [`stop_where`](Self::stop_where).
    pub async fn recover_where(&self, filter: Filter) -> Result<u64, EngineError> {
        let recover = async |handle: Handle| handle.recover().await.map(drop);
        self.each(filter, recover).await
    }

    /// Does this to each execution that a filter finds, page by page. Returns of how many it was done.
    pub(super) async fn each(
        &self,
        filter: Filter,
        act: impl AsyncFn(Handle) -> Result<(), EngineError>,
    ) -> Result<u64, EngineError> {
        let mut query = filter.query(self)?;
        query.brief = true;
        let mut count = 0;
        let mut left = query.limit;
        loop {
            query.limit = Some(left.map_or(100, |left| left.min(100)));
            let page = self.core.store.list(query.clone()).await?;
            let Some(last) = page.last() else {
                return Ok(count);
            };
            query.after = Some(query.place_of(last));
            left = left.map(|left| left.saturating_sub(page.len()));
            for info in page {
                let handle = Handle::new(self.clone(), info.id.into(), None);
                match act(handle).await {
                    Ok(()) => count += 1,
                    // Somebody else was faster, or it is in no status for it.
                    Err(
                        EngineError::Unknown { .. }
                        | EngineError::Status { .. }
                        | EngineError::Busy { .. }
                        | EngineError::PastPivot { .. },
                    ) => {}
                    Err(error) => return Err(error),
                }
            }
        }
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
            let info = self.brief().await?;
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
                status: info.status,
            });
        }
    }
}
