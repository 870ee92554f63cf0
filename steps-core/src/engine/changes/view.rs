//! What an operator sees of subscriptions, and how one is removed.

use std::collections::HashMap;

use super::{PREFIX, hold::teller};
use crate::{
    engine::{Engine, error::EngineError},
    store::{Change, ChangeQuery, DutyQuery, SubscriptionInfo, WhichChanges},
};

/// How many changes that were told in vain are shown.
const MOST: usize = 20;

/// A subscription to changes: which they are, and what it was not told yet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Subscribed {
    /// The subscription, and how many changes wait.
    pub info: SubscriptionInfo,
    /// The engine that tells them, by its name in the store, or that told them last; `None` if none has the
    /// function.
    pub teller: Option<String>,
    /// Changes that were told in vain, each with the [error](Change::failure) and when it is
    /// [told again](Change::due), the next one first: at most 20.
    pub failing: Vec<Change>,
}

impl Engine {
    /// Returns who has subscribed to changes, in whichever process the functions are, in the order of their
    /// names.
    ///
    /// ```
    /// # use steps::{Engine, engine::EngineError};
    /// # async fn look(engine: &Engine) -> Result<(), EngineError> {
    /// for it in engine.subscriptions().await? {
    ///     println!("{}: {} wait, {} fail", it.info.subscription.name, it.info.waiting, it.info.failed);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn subscriptions(&self) -> Result<Vec<Subscribed>, EngineError> {
        let store = &*self.core.store;
        let mut tellers = HashMap::new();
        for duty in store.duties(DutyQuery::named(PREFIX)).await? {
            if let Some(name) = duty.name.strip_prefix(PREFIX) {
                tellers.insert(name.to_owned(), teller(&duty));
            }
        }
        let mut all = Vec::new();
        for info in store.subscriptions().await? {
            let name = &info.subscription.name;
            let failing = match info.failed {
                0 => Vec::new(),
                _ => {
                    let query = ChangeQuery {
                        subscription: name.clone(),
                        which: WhichChanges::Failed,
                        limit: MOST,
                    };
                    store.changes(query).await?
                }
            };
            all.push(Subscribed {
                teller: tellers.remove(name).flatten(),
                failing,
                info,
            });
        }
        Ok(all)
    }

    /// Removes the subscription of a function that no program has any more, with all that it was not told
    /// yet. Returns whether there was one. A program that has the function subscribes again when it starts.
    ///
    /// # Errors
    ///
    /// If the store can't be written to.
    pub async fn forget_changes(&self, name: impl AsRef<str>) -> Result<bool, EngineError> {
        let name = name.as_ref();
        Ok(self.core.store.unsubscribe(name.to_owned()).await?)
    }
}
