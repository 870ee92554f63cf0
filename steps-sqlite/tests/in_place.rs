//! Writes on the caller's thread, mixed with writes on the store's own thread.

mod common;

use common::*;
use steps_core::store::{ExecutionQuery, LeaseAfter, Store, Written};
use steps_sqlite::SqliteStore;

async fn one(store: SqliteStore, n: u32) {
    let lease = created(store.write_in_place(held(&n.to_string())).await.unwrap());
    for id in 1..=20 {
        let write = step(lease, id, "step", LeaseAfter::Keep);
        let written = match (id + n) % 3 {
            0 => store.write(write).await,
            _ => store.write_in_place(write).await,
        };
        assert!(matches!(written.unwrap(), Written::Kept));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_in_place_and_some_not_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for at_once in [1, 2, 10] {
        let calls = (0..at_once).map(|n| tokio::spawn(one(store.clone(), 100 * at_once + n)));
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap();
        }
    }
    assert_eq!(store.count(ExecutionQuery::default()).await.unwrap(), 13);
    for id in ["100", "201", "1009"] {
        let saved = store.load(id.to_owned()).await.unwrap().unwrap();
        assert_eq!(saved.nodes.len(), 20);
    }
}
