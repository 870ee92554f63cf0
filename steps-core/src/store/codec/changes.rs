//! Changes of statuses, and what they say of errors. A store keeps with a change what the write says of an
//! error, cut if it is long: of an encoded one it can't be read from there, and is read from the execution.

use std::collections::HashMap;

use super::{CodecStore, is_encoded, outward::path_of};
use crate::{
    base::error::within,
    store::{BoxFuture, Change, ChangeQuery, Settled, Store as _, StoreError, StoredExecution},
};

/// The text of an error that is not there any more.
const GONE: &str = "it was encoded, and is not there any more";

impl CodecStore {
    /// Lists changes, with the errors that the executions and steps have now.
    pub(super) fn with_errors(
        &self,
        query: ChangeQuery,
    ) -> BoxFuture<'_, Result<Vec<Change>, StoreError>> {
        Box::pin(async move {
            let name = query.subscription.clone();
            let mut changes = self.inner.changes(query).await?;
            let mut read = HashMap::new();
            for change in &mut changes {
                if let Some(failure) = &mut change.failure {
                    // What can't be decoded stays as it is: it is for people, and the change is told again.
                    let _ = self.outward().failure(&name, change.number, failure);
                }
                if !change.error.as_deref().is_some_and(is_encoded) {
                    continue;
                }
                if !read.contains_key(&change.execution) {
                    let saved = self.load(change.execution.clone()).await;
                    // A missing key keeps no change from being told.
                    let saved = saved.map_err(|error| error.to_string());
                    read.insert(change.execution.clone(), saved);
                }
                change.error = Some(match &read[&change.execution] {
                    Ok(Some(saved)) => error_of(saved, change).unwrap_or_else(|| GONE.to_owned()),
                    Ok(None) => GONE.to_owned(),
                    Err(error) => error.clone(),
                });
            }
            Ok(changes)
        })
    }

    /// Keeps which changes were told in vain.
    pub(super) fn settle_encoded(
        &self,
        mut settled: Settled,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        match self.inward().settled(&mut settled) {
            Ok(()) => self.inner.settle(settled),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

/// Returns the last error of what has changed.
fn error_of(saved: &StoredExecution, change: &Change) -> Option<String> {
    let error = match &change.step {
        None => saved.info.error.clone(),
        Some(step) => {
            let mut nodes = saved.nodes.iter();
            let node = nodes.find(|row| {
                *row.node.name == *step.name && path_of(&saved.nodes, row.id) == step.path
            })?;
            let undo = node.node.undo.as_ref().map(|undo| undo.err.clone());
            let undo = undo.filter(|error| !error.is_empty());
            undo.or_else(|| node.node.errors.last().cloned())
        }
    };
    error.map(within)
}
