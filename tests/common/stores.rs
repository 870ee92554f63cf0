//! The stores that tests of engines run on: one in memory, one in a file, one on a server.

use std::sync::Arc;

use steps::{
    engine::{Builder, Engine},
    postgres::PostgresStore,
    store::{MemoryStore, Store},
};
use steps_test_support::postgres::{self, Server};

/// A database that may be opened several times, as by several processes.
pub(crate) enum Db {
    Memory(MemoryStore),
    Sqlite(tempfile::TempDir),
    /// A schema on the server that the tests share.
    Postgres(String),
}

impl Db {
    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(postgres::schema())
    }

    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(memory) => Arc::new(memory.reopen()),
            Self::Sqlite(folder) => {
                let url = format!("sqlite:{}", folder.path().join("steps.db").display());
                let store = steps::sqlite::SqliteStore::open(&url);
                Arc::new(store.await.expect("it opens"))
            }
            Self::Postgres(schema) => Arc::new(on_server(schema).await),
        }
    }

    /// An engine as a process of its own.
    pub(crate) async fn engine(&self) -> Builder {
        Engine::with_shared_store(self.store().await)
    }
}

/// Runs each test on every store.
macro_rules! on_each_store {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident) $body:block)*) => {
        $(async fn $name($db: $crate::stores::Db) $body)*

        mod memory {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                super::$name($crate::stores::Db::memory()).await;
            })*
        }

        mod sqlite {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                super::$name($crate::stores::Db::sqlite()).await;
            })*
        }

        mod postgres {
            $($(#[$meta])* #[tokio::test]
            async fn $name() {
                super::$name($crate::stores::Db::postgres()).await;
            })*
        }
    };
}
pub(crate) use on_each_store;

/// The store in a schema of the server that the tests share.
pub(crate) async fn on_server(schema: &str) -> PostgresStore {
    let url = format!("{}&schema={schema}", Server::shared().url());
    PostgresStore::open(&url).await.expect("it opens")
}
