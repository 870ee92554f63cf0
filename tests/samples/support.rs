//! What the samples share: an engine that dies at each of its writes, and one whose days take no time.

use std::sync::Arc;

use steps::{
    Engine,
    engine::Builder,
    store::MemoryStore,
    testing::{FakeClock, Lab},
};

/// Cuts the flow off wherever its engine writes, lets each effect fail and panic, and each undo
/// fail, and gives the effects that were made to fail.
macro_rules! explored {
    ($flow:ident($($input:expr),*)) => {{
        let explorer = steps::testing::Explorer::engine(
            |lab: &steps::testing::Lab| $flow::with(lab.clone()),
            || $flow::input($($input),*),
        );
        let report = explorer
            .concurrent()
            .explore_on(
                |lab| {
                    let clock = std::sync::Arc::new(lab.clock().clone());
                    steps::store::MemoryStore::with_clock(clock)
                },
                async |database| Ok(database.reopen()),
            )
            .await
            .expect("it ends as if it had been left alone");
        assert!(report.cuts > 4, "{report:?}");
        report.faults
    }};
}
pub(crate) use explored;

/// Engines on one database, by a clock that jumps over what they wait for.
#[derive(Clone)]
pub(crate) struct Database {
    clock: FakeClock,
    store: MemoryStore,
}

impl Database {
    pub(crate) fn new(lab: &Lab) -> Self {
        let clock = lab.clock().clone();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        Self { clock, store }
    }

    /// As a process that opens it.
    pub(crate) fn engine(&self) -> Builder {
        Engine::with_store(self.store.reopen()).clock(Arc::new(self.clock.clone()))
    }
}
