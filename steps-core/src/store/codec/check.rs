//! A check of a store that is behind a codec: whether all of it can be decoded, too.

use super::CodecStore;
use crate::store::{BoxFuture, CheckReport, ErrorKind, ExecutionQuery, Store as _, StoreError};

/// How many executions are looked for at once.
const PAGE: usize = 100;

impl CodecStore {
    /// Adds to the store's own check what can't be decoded.
    pub(super) fn checked(&self) -> BoxFuture<'_, Result<CheckReport, StoreError>> {
        Box::pin(async move {
            let mut report = self.inner.check().await?;
            let mut query = ExecutionQuery {
                limit: Some(PAGE),
                brief: true,
                ..ExecutionQuery::default()
            };
            loop {
                let page = self.inner.list(query.clone()).await?;
                let Some(last) = page.last() else {
                    return Ok(report);
                };
                query.after = Some(last.cursor());
                for info in page {
                    match self.load(info.id.clone()).await {
                        Ok(_) => {}
                        Err(error)
                            if matches!(error.kind(), ErrorKind::NoKey | ErrorKind::Corrupt) =>
                        {
                            report.damaged(Some(info.id), error);
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        })
    }
}
