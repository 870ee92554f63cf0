//! The rules that all stores share.

use std::sync::Arc;

use steps_core::testing::store::Subject;
use steps_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

struct Folder(Arc<TempDir>);

impl Subject for Folder {
    type Store = SqliteStore;

    async fn fresh() -> Self {
        Self(Arc::new(tempfile::tempdir().expect("a folder")))
    }

    async fn open(&self) -> SqliteStore {
        let options = SqliteOptions::new(self.0.path().join("steps.db"));
        options.open().await.expect("an open file")
    }
}

mod rules {
    steps_core::testing::store_conformance!(super::Folder);
}
