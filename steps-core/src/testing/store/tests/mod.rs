//! The suite, tried on a store that keeps all rules, and on some that break them.

use super::Subject;
use crate::store::MemoryStore;

/// By the system's clock, with a thread for each task.
struct Memory(MemoryStore);

impl Subject for Memory {
    type Store = MemoryStore;

    async fn fresh() -> Self {
        Self(MemoryStore::new())
    }

    async fn open(&self) -> MemoryStore {
        self.0.reopen()
    }
}

mod memory {
    crate::store_conformance!(super::Memory);
}
