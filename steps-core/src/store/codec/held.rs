//! What is known of the executions that are held by a store with a codec.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use crate::{base::sync::lock, store::Lease};

/// By the key of each execution that is held.
#[derive(Default)]
pub(super) struct AllHeld(Mutex<HashMap<i64, Held>>);

struct Held {
    fence: i64,
    /// Messages that a heartbeat brings are bound to the id.
    id: Arc<str>,
    /// Whether values of it could not be decoded, and are written back as they are.
    is_raw: bool,
}

impl AllHeld {
    pub(super) fn hold(&self, lease: Lease, id: &str, is_raw: bool) {
        let held = Held {
            fence: lease.fence,
            id: id.into(),
            is_raw,
        };
        lock(&self.0).insert(lease.key, held);
    }

    /// A lease was given back, or is lost.
    pub(super) fn let_go(&self, lease: Lease) {
        let mut all = lock(&self.0);
        let held = all.get(&lease.key);
        if held.is_some_and(|held| held.fence <= lease.fence) {
            all.remove(&lease.key);
        }
    }

    /// Returns whether values of it could not be decoded when it was taken.
    pub(super) fn is_raw(&self, lease: Lease) -> bool {
        let all = lock(&self.0);
        let held = all.get(&lease.key);
        held.is_some_and(|held| held.is_raw && held.fence == lease.fence)
    }

    pub(super) fn id(&self, lease: Lease) -> Option<Arc<str>> {
        let all = lock(&self.0);
        all.get(&lease.key).map(|held| Arc::clone(&held.id))
    }
}
