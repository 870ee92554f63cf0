//! How many executions a sweep would delete.

use std::collections::HashMap;

use jiff::Timestamp;

use super::rule::Retention;
use crate::{
    engine::{Engine, error::EngineError},
    store::{ExecutionQuery, Store, StoreError},
};

/// How many executions are listed at once.
const PAGE: usize = 1000;

impl Engine {
    /// Returns how many executions a [sweep](Self::sweep_by) by this rule would delete now. It reads each of
    /// them, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`EngineError::Filter`] where the rule means nothing.
    pub async fn would_sweep(&self, rule: &Retention) -> Result<u64, EngineError> {
        let store = &*self.core.store;
        let now = self.core.clock.now();
        let rule = rule.rule(self)?;
        let mut parts = rule.parts();
        let mut found = Found::default();
        while let Some(query) = parts.next(store, now).await? {
            found.add(query, store, now).await?;
        }
        Ok(found.count(store).await?)
    }
}

/// What the rule finds.
#[derive(Default)]
struct Found {
    /// The executions by their ids, each with who has started it.
    parents: HashMap<String, Option<String>>,
}

impl Found {
    /// Adds what a query finds and a deletion does not pass over.
    async fn add(
        &mut self,
        mut query: ExecutionQuery,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query.without_parent = false;
        query.brief = true;
        query.limit = Some(PAGE);
        loop {
            let page = store.list(query.clone()).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            query.after = Some(last.cursor());
            for info in page {
                let is_held = info.worker.is_some() && info.due.is_some_and(|due| now < due);
                if info.status.is_final() && !is_held {
                    self.parents.insert(info.id, info.parent);
                }
            }
        }
    }

    /// Returns how many go: a child only after its parent.
    async fn count(&self, store: &dyn Store) -> Result<u64, StoreError> {
        let mut others = HashMap::new();
        let mut count = 0;
        for parent in self.parents.values() {
            if self.goes(parent.as_deref(), store, &mut others).await? {
                count += 1;
            }
        }
        Ok(count)
    }

    /// Returns whether what has this parent goes. The others are those that the rule does not find, and
    /// whether each of them is there.
    async fn goes<'a>(
        &'a self,
        mut parent: Option<&'a str>,
        store: &dyn Store,
        others: &mut HashMap<&'a str, bool>,
    ) -> Result<bool, StoreError> {
        // Ids may be used again, so that two could have each other as their parents: these stay.
        for _ in 0..=self.parents.len() {
            let Some(id) = parent else { return Ok(true) };
            if let Some(next) = self.parents.get(id) {
                parent = next.as_deref();
                continue;
            }
            if let Some(is_there) = others.get(id) {
                return Ok(!is_there);
            }
            let is_there = store.count(ExecutionQuery {
                id: Some(id.to_owned()),
                ..ExecutionQuery::default()
            });
            let is_there = is_there.await? > 0;
            others.insert(id, is_there);
            return Ok(!is_there);
        }
        Ok(false)
    }
}
