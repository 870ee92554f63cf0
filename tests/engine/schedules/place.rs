//! The flows of these tests, and a database with a clock that only the tests move.

use std::{sync::Arc, time::Duration};

use steps::{
    engine::{Builder, Engine},
    prelude::*,
    sqlite::{SqliteOptions, SqliteStore},
    store::{MemoryStore, Store},
    testing::FakeClock,
};

use super::HALF;
use crate::support::World;

#[step]
async fn note(cx: &Cx, world: &Arc<World>, text: &str) -> Result<(), String> {
    let schedule = cx.schedule().unwrap_or("none");
    let tick = cx.tick().map(|tick| tick.to_string());
    let what = format!("{text} {schedule} {}", tick.unwrap_or_default());
    world.act(None, what).await
}

#[flow]
pub(crate) async fn ticks(world: &Arc<World>, text: String) -> Result<(), String> {
    steps! { note(cx, world, &text); }
    Ok(())
}

/// Takes an hour and a half.
#[flow]
pub(crate) async fn slow(world: &Arc<World>, text: String) -> Result<(), String> {
    steps! {
        note(cx, world, &text);
        pause = steps::sleep(3 * HALF);
    }
    Ok(())
}

/// A database, and the clock of all who use it.
pub(super) struct Place {
    pub(super) clock: FakeClock,
    pub(super) memory: MemoryStore,
    folder: Option<tempfile::TempDir>,
    pub(super) world: Arc<World>,
}

impl Place {
    pub(super) fn all() -> [Self; 2] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        [None, Some(folder)].map(|folder| {
            let clock = FakeClock::new();
            Self {
                memory: MemoryStore::with_clock(Arc::new(clock.clone())),
                clock,
                folder,
                world: World::new(),
            }
        })
    }

    pub(super) async fn sqlite(&self) -> Option<SqliteStore> {
        let options = SqliteOptions::new(self.folder.as_ref()?.path().join("steps.db"));
        let options = options.clock(Arc::new(self.clock.clone()));
        Some(options.open().await.expect("it opens"))
    }

    pub(super) async fn store(&self) -> Arc<dyn Store> {
        match self.sqlite().await {
            Some(store) => Arc::new(store),
            None => Arc::new(self.memory.reopen()),
        }
    }

    /// An engine that serves no flow.
    pub(super) async fn idle(&self) -> Builder {
        let builder = Engine::with_shared_store(self.store().await);
        builder.clock(Arc::new(self.clock.clone()))
    }

    pub(super) fn serving(&self, builder: Builder) -> Builder {
        let builder = builder.serve(ticks::with(self.world.clone()));
        builder.serve(slow::with(self.world.clone()))
    }

    /// An engine that serves both flows.
    pub(super) async fn engine(&self) -> Engine {
        let builder = self.serving(self.idle().await);
        builder.start().await.expect("it starts")
    }

    /// What has come is done with after half a minute more.
    pub(super) async fn pass(&self, time: Duration) {
        self.clock.sleep(time + Duration::from_secs(30)).await;
    }
}
