//! Who in this process waits for which execution.
//!
//! It tells those who wait that something changed, so that they need not ask the store over and
//! over. What happens in other processes is not heard here; who waits asks the store now and then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use crate::{
    base::{json::Json, sync::lock},
    model::failure::Failure,
    store::StoreError,
};

/// How a turn ended.
#[derive(Clone, Debug)]
pub(super) enum Rest {
    /// It waits.
    Waiting,
    /// It is done, and gave this.
    Done(Option<Json>),
    /// It ended otherwise.
    Ended(Box<Failure>),
    /// It does not fit.
    Incompatible(String),
    /// The store took no more records.
    Lost(StoreError),
}

/// All who wait.
#[derive(Debug, Default)]
pub(super) struct Hub {
    channels: Mutex<HashMap<Arc<str>, Channel>>,
}

/// What is told of one execution.
#[derive(Debug)]
struct Channel {
    /// How its last turn here ended.
    rests: watch::Sender<Option<Rest>>,
    /// Grows with each record.
    changes: watch::Sender<u64>,
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Ear {
    id: Arc<str>,
    pub(super) rests: watch::Receiver<Option<Rest>>,
    pub(super) changes: watch::Receiver<u64>,
    hub: Arc<Hub>,
}

impl Hub {
    /// Listens to one execution.
    pub(super) fn listen(self: &Arc<Self>, id: &Arc<str>) -> Ear {
        let mut channels = lock(&self.channels);
        let channel = channels.entry(Arc::clone(id)).or_insert_with(|| Channel {
            rests: watch::channel(None).0,
            changes: watch::channel(0).0,
        });
        Ear {
            id: Arc::clone(id),
            rests: channel.rests.subscribe(),
            changes: channel.changes.subscribe(),
            hub: Arc::clone(self),
        }
    }

    /// Tells of a record.
    pub(super) fn changed(&self, id: &str) {
        if let Some(channel) = lock(&self.channels).get(id) {
            channel.changes.send_modify(|count| *count += 1);
        }
    }

    /// Takes back how the last turn ended, as the execution goes on.
    pub(super) fn forget(&self, id: &str) {
        if let Some(channel) = lock(&self.channels).get(id) {
            channel.rests.send_if_modified(|rest| rest.take().is_some());
        }
    }

    /// Tells of the end of a turn.
    pub(super) fn rests(&self, id: &str, rest: Rest) {
        if let Some(channel) = lock(&self.channels).get(id) {
            channel.changes.send_modify(|count| *count += 1);
            channel.rests.send_replace(Some(rest));
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut channels = lock(&self.hub.channels);
        // This one's receiver is still there.
        if channels
            .get(&self.id)
            .is_some_and(|channel| channel.rests.receiver_count() <= 1)
        {
            channels.remove(&self.id);
        }
    }
}
