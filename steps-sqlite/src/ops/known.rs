//! What the writing connection knows of the leases that it has written under, so that a write need
//! not look its own up, of the subscriptions to changes, and of the flows that are paused or limited.
//!
//! It holds as long as nobody else has written to the file, which SQLite tells in each transaction.
//! Everything is forgotten when somebody has, when a transaction was not committed, and by operations
//! that may take a lease from somebody; `lease` and `claim` forget those that they take. What is not
//! known is looked up, so forgetting too much costs time only.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use rusqlite::Connection;
use steps_core::store::{Lease, LimitedFlow, Subscription};

use super::steps::Numbers;
use crate::error::Result;

/// The leases, by the keys of their executions.
#[derive(Debug, Default)]
pub(crate) struct KnownLeases {
    /// Changes when another connection has written to the file.
    version: i64,
    held: HashMap<i64, (i64, HeldLease), BuildHasherDefault<KeyHasher>>,
    /// The subscriptions that have not ended.
    subscriptions: Option<Arc<[Subscription]>>,
    /// The flows that are paused or limited, or were.
    limits: Option<Arc<[Kept]>>,
}

/// What is kept of a flow that is paused or limited, or was.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) flow: LimitedFlow,
    /// What is kept of its rate.
    pub(crate) next: i64,
}

/// Hashes the key of an execution, which the file has counted: nobody can choose keys that collide.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_i64(i64::from(*byte));
        }
    }

    fn write_i64(&mut self, key: i64) {
        // All bits of a product by a large odd number depend on the low bits of the key, and the table
        // looks at the highest and the lowest.
        let product = (self.0 ^ key.cast_unsigned()).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What is known of an execution that is held.
#[derive(Debug)]
pub(crate) struct HeldLease {
    /// The execution's flow.
    pub(crate) flow: Box<str>,
    /// The numbers of its nodes.
    pub(crate) numbers: Numbers,
}

impl KnownLeases {
    /// Forgets everything if somebody else has written since the last transaction. Must be called
    /// inside each transaction that writes, before anything else: only then nobody can write before it
    /// ends.
    pub(crate) fn enter(&mut self, conn: &Connection) -> Result<()> {
        let version = conn
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))?;
        if version != self.version {
            self.held.clear();
            self.subscriptions = None;
            self.limits = None;
            self.version = version;
        }
        Ok(())
    }

    /// Takes out what is known under this lease. Until it is put back, nothing is known.
    pub(crate) fn take(&mut self, lease: Lease) -> Option<HeldLease> {
        let (fence, held) = self.held.remove(&lease.key)?;
        (fence == lease.fence).then_some(held)
    }

    /// Notes a lease that is the newest of its execution, and was not given back.
    pub(crate) fn put(&mut self, lease: Lease, held: HeldLease) {
        self.held.insert(lease.key, (lease.fence, held));
    }

    /// Returns what is known of flows that are paused or limited.
    pub(crate) fn limits(&self) -> Option<Arc<[Kept]>> {
        self.limits.clone()
    }

    pub(crate) fn know_limits(&mut self, all: Arc<[Kept]>) {
        self.limits = Some(all);
    }

    pub(crate) fn forget_limits(&mut self) {
        self.limits = None;
    }

    /// Forgets the lease on one execution.
    pub(crate) fn forget(&mut self, key: i64) {
        self.held.remove(&key);
    }

    pub(crate) fn forget_leases(&mut self) {
        self.held.clear();
    }

    pub(crate) fn subscriptions(&self) -> Option<Arc<[Subscription]>> {
        self.subscriptions.clone()
    }

    pub(crate) fn know_subscriptions(&mut self, subscriptions: Arc<[Subscription]>) {
        self.subscriptions = Some(subscriptions);
    }

    pub(crate) fn forget_subscriptions(&mut self) {
        self.subscriptions = None;
    }

    pub(crate) fn forget_all(&mut self) {
        self.forget_leases();
        self.forget_subscriptions();
        self.forget_limits();
    }
}
