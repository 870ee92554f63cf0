//! The functions of an engine that are told of changes.

use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{function::ChangeFunction, on_change::OnChange};
use crate::{
    base::id,
    engine::{
        error::EngineError,
        worker::{engine_core::EngineCore, served::ServedFlows},
    },
    store::ChangeKind,
};

/// A function of an engine, with its name.
#[derive(Clone)]
pub(in crate::engine) struct Registered {
    pub(super) name: String,
    pub(super) kind: ChangeKind,
    pub(super) on: OnChange,
    pub(super) function: Arc<dyn ChangeFunction>,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registered").field(&self.name).finish()
    }
}

impl Registered {
    pub(in crate::engine) fn new(
        name: String,
        kind: ChangeKind,
        on: OnChange,
        function: impl ChangeFunction,
    ) -> Self {
        Self {
            name,
            kind,
            on,
            function: Arc::new(function),
        }
    }
}

/// Subscribes all functions to their changes. Returns those that are told of any.
///
/// # Errors
///
/// [`EngineError::ChangeFunction`] where two have a name, or what one is told of can't be; then none is
/// subscribed.
pub(in crate::engine) async fn subscribe(
    core: &EngineCore,
    served: &ServedFlows,
    functions: Vec<Registered>,
) -> Result<Vec<Registered>, EngineError> {
    let mut names = BTreeSet::new();
    let mut subscriptions = Vec::new();
    for Registered { name, kind, on, .. } in &functions {
        let wrong = |why: String| EngineError::ChangeFunction {
            name: name.clone(),
            why,
        };
        id::check(name).map_err(|why| wrong(why.to_owned()))?;
        if !names.insert(name) {
            let why = "two functions of this engine have this name: give one of them another";
            return Err(wrong(why.to_owned()));
        }
        subscriptions.push(on.subscription(name, *kind, served).map_err(wrong)?);
    }
    if functions.is_empty() {
        return Ok(functions);
    }
    let there = core.store.subscriptions().await?;
    for subscription in subscriptions {
        // Most starts find it there.
        if !there.iter().any(|info| info.subscription == subscription) {
            core.store.subscribe(subscription).await?;
        }
    }
    let ended = |name: &str| {
        let info = there.iter().find(|info| info.subscription.name == name);
        info.and_then(|info| info.ended.as_deref())
    };
    let (ended, open): (Vec<_>, Vec<_>) = functions
        .iter()
        .partition(|function| ended(&function.name).is_some());
    for function in ended {
        tracing::warn!(
            function = function.name,
            "it is told of no changes: it has ended its subscription, until `forget_changes` removes that"
        );
    }
    Ok(open.into_iter().cloned().collect())
}
