//! A SQLite store with encryption in front of it keeps the rules of a store.

use std::sync::Arc;

use steps::{
    codec::{CodecStore, Encryption, Keys, Payload},
    sqlite::SqliteStore,
    testing::store::{RULES, Subject},
};
use tempfile::TempDir;

/// Rules that have a query look into values.
const LOOK_INSIDE: &[&str] = &["find_by_conditions", "list_sorts", "list_sorted_pages"];

struct Sealed(TempDir);

impl Subject for Sealed {
    type Store = CodecStore;

    async fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> CodecStore {
        open(&self.0, encryption()).await
    }
}

struct InPart(TempDir);

impl Subject for InPart {
    type Store = CodecStore;

    async fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> CodecStore {
        let codec = encryption().only([Payload::Input, Payload::Output, Payload::Signal]);
        open(&self.0, codec).await
    }
}

fn encryption() -> Encryption {
    // Without compression: by that, one share of bytes would become more when it is read.
    Encryption::new(Keys::new("k1", [1; 32]).unwrap())
}

async fn open(folder: &TempDir, codec: Encryption) -> CodecStore {
    let url = format!("sqlite:{}", folder.path().join("steps.db").display());
    let store = SqliteStore::open(&url).await.unwrap();
    CodecStore::new(Arc::new(store), Arc::new(codec))
}

#[tokio::test]
async fn an_encrypted_file_keeps_the_rules() {
    let mut broken = Vec::new();
    for rule in RULES {
        let kept = if LOOK_INSIDE.contains(&rule.name()) {
            rule.check::<InPart>().await
        } else {
            rule.check::<Sealed>().await
        };
        broken.extend(kept.err().map(|fault| fault.to_string()));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}
