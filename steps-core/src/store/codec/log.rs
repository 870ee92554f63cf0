//! What steps have logged: the text of each line.

use super::{
    CodecStore, Owner,
    passage::{Passage, Way},
};
use crate::store::{BoxFuture, LogQuery, NewLines, StoreError, StoredLog};

impl CodecStore {
    /// Keeps lines. In the place of one that can't be encoded stands why: it must not hold up those of other
    /// executions that are written with it.
    pub(super) fn log_encoded(&self, mut lines: NewLines) -> BoxFuture<'_, Result<(), StoreError>> {
        for line in &mut lines.lines {
            let owner = Owner::Key(line.key);
            let is_raw = false;
            let passage = Passage {
                codec: self.inward().codec,
                way: Way::In { owner, is_raw },
            };
            if let Err(fault) = passage.log_line(&line.path, &mut line.message) {
                line.message = format!("(this line can't be encoded: {})", fault.error);
            }
        }
        self.inner.log(lines)
    }

    /// Reads lines. One that can't be decoded says so, and keeps no other from being read.
    pub(super) fn log_decoded(
        &self,
        query: LogQuery,
    ) -> BoxFuture<'_, Result<Option<StoredLog>, StoreError>> {
        Box::pin(async move {
            let id = query.id.clone();
            let mut log = self.inner.logged(query).await?;
            if let Some(StoredLog { key, lines }) = &mut log {
                let passage = Passage {
                    codec: self.outward().codec,
                    way: Way::Out { id: &id, key: *key },
                };
                for line in lines {
                    if let Err(fault) = passage.log_line(&line.path, &mut line.message) {
                        line.message = format!("(this line can't be read: {})", fault.error);
                    }
                }
            }
            Ok(log)
        })
    }
}
