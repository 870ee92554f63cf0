//! What a deletion frees goes back to the system.

mod common;

use common::*;
use steps_core::store::{Due, ExecutionQuery, LeaseAfter, NodeRow, Store};
use steps_core::{Status, state::Kind};
use steps_sqlite::SqliteStore;
use tempfile::TempDir;

const EXECUTIONS: usize = 400;

/// Makes executions that have ended, 64 KiB each.
async fn fill(store: &SqliteStore) {
    for n in 0..EXECUTIONS {
        let mut write = new(&n.to_string(), rest(Due::Never), None);
        let mut root = node("flow");
        (root.kind, root.status) = (Kind::Flow, Status::Done);
        let steps = (1..=64).map(|n| {
            let mut step = node("a step");
            step.output = Some(steps_core::Json::encode(&"x".repeat(1000)).unwrap());
            NodeRow::new(n, 0, step)
        });
        write.nodes = std::iter::once(NodeRow::new(0, 0, root))
            .chain(steps)
            .collect();
        store.write(write).await.unwrap();
    }
}

/// Deletes nine tenths of them, the oldest.
async fn delete_most(store: &SqliteStore) {
    let mut query = ExecutionQuery::default();
    query.limit = Some(EXECUTIONS / 10 * 9);
    let deleted = store.delete(query).await.unwrap();
    assert_eq!(deleted, EXECUTIONS as u64 / 10 * 9);
}

/// The bytes of the file once its log is copied into it.
fn size(folder: &TempDir) -> u64 {
    raw(folder, "PRAGMA wal_checkpoint(TRUNCATE)");
    std::fs::metadata(path(folder)).unwrap().len()
}

async fn holds_the_rest(store: &SqliteStore) {
    let left = store.list(ExecutionQuery::default()).await.unwrap();
    assert_eq!(left.len(), EXECUTIONS / 10);
    let one = store.load(left[0].id.clone()).await.unwrap().unwrap();
    assert_eq!(one.nodes.len(), 65);
    assert!(store.check().await.unwrap().is_sound());
    // It takes new ones.
    let lease = created(store.write(held("new")).await.unwrap());
    let write = step(lease, 1, "a step", LeaseAfter::Keep);
    store.write(write).await.unwrap();
}

#[tokio::test]
async fn the_file_shrinks_by_itself_after_a_deletion() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    fill(&store).await;
    let before = size(&folder);
    delete_most(&store).await;
    let after = size(&folder);
    assert!(before > 25 << 20, "{before} bytes");
    // A tenth, what stays free, and an eighth.
    assert!(after < before / 4, "{before} bytes, then {after}");
    holds_the_rest(&store).await;
    store.compact().await.unwrap();
    let least = size(&folder);
    assert!(least < after, "{after} bytes, then {least}");
    store.close().await.unwrap();
}

/// A file from before version 5 does not shrink by itself, until it was written anew once, be it while
/// others have it open.
#[tokio::test]
async fn a_file_of_an_earlier_version_shrinks_when_it_is_compacted() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    raw(
        &folder,
        "PRAGMA journal_mode = delete; PRAGMA auto_vacuum = NONE; VACUUM",
    );
    let (store, other) = (open(&folder).await, open(&folder).await);
    fill(&store).await;
    let before = size(&folder);
    delete_most(&other).await;
    assert_eq!(size(&folder), before);
    store.compact().await.unwrap();
    let after = size(&folder);
    assert!(after < before / 8, "{before} bytes, then {after}");
    holds_the_rest(&other).await;
    let mut rest = ExecutionQuery::default();
    rest.limit = Some(EXECUTIONS);
    other.delete(rest).await.unwrap();
    fill(&store).await;
    delete_most(&other).await;
    assert!(size(&folder) < before / 4);
    store.close().await.unwrap();
    other.close().await.unwrap();
}
