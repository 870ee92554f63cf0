//! The suite, tried on a store that keeps all rules, and on some that break them.

mod broken;
mod coded;

use super::Subject;
use crate::store::MemoryStore;

/// By the system's clock, with tasks on several threads.
struct Memory(MemoryStore);

impl Subject for Memory {
    type Store = MemoryStore;

    async fn fresh() -> Self {
        Self(MemoryStore::new())
    }

    async fn open(&self) -> MemoryStore {
        self.0.reopen()
    }

    fn run(test: impl Future<Output = ()> + Send + 'static) {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .unwrap()
            .block_on(test);
    }
}

mod memory {
    crate::store_conformance!(super::Memory);
}
