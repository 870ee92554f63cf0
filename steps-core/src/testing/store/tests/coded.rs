//! The rules, of a store with a codec in front of it.

use std::sync::Arc;

use crate::{
    store::{
        MemoryStore,
        codec::{CodecStore, Payload, example::Example},
    },
    testing::store::{RULES, Subject},
};

struct Coded(MemoryStore);

impl Subject for Coded {
    type Store = CodecStore;

    async fn fresh() -> Self {
        Self(MemoryStore::new())
    }

    async fn open(&self) -> CodecStore {
        CodecStore::new(Arc::new(self.0.reopen()), Arc::new(Example::new(b"ab")))
    }
}

/// One that leaves plain what queries look into.
struct CodedInPart(Coded);

impl Subject for CodedInPart {
    type Store = CodecStore;

    async fn fresh() -> Self {
        Self(Coded::fresh().await)
    }

    async fn open(&self) -> CodecStore {
        let mut codec = Example::new(b"ab");
        codec.leaves_out = vec![Payload::Attr, Payload::Note, Payload::Error];
        CodecStore::new(Arc::new(self.0.0.reopen()), Arc::new(codec))
    }
}

/// Rules that have a query look into values: a store can't look into encoded ones.
const NOT_KEPT: &[&str] = &["find_by_conditions", "list_sorts", "list_sorted_pages"];

#[tokio::test]
async fn a_store_behind_a_codec_keeps_the_rules() {
    let mut broken = Vec::new();
    for rule in RULES {
        let kept = rule.check::<Coded>().await;
        match kept {
            Err(fault) if !NOT_KEPT.contains(&rule.name()) => broken.push(fault.to_string()),
            Ok(()) if NOT_KEPT.contains(&rule.name()) => {
                broken.push(format!("`{}` is kept now", rule.name()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[tokio::test]
async fn what_a_codec_leaves_plain_can_be_found() {
    for rule in RULES.iter().filter(|rule| NOT_KEPT.contains(&rule.name())) {
        rule.check::<CodedInPart>().await.unwrap();
    }
}
