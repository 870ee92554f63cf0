//! What a store in a file has to do beyond the rules that all stores share: closing, opening again,
//! failing alone in a group.

mod common;

use std::time::Duration;

use common::*;
use steps_core::store::{
    Acquire, Acquired, Due, ErrorKind, ExecutionQuery, Lease, LeaseAfter, Store, TakeOver, Written,
};
use steps_sqlite::SqliteStore;

#[tokio::test]
async fn what_was_written_is_there_after_closing_and_opening() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("a")).await.unwrap());
    let written = store.write(step(lease, 1, "first", LeaseAfter::Keep)).await;
    assert!(matches!(written.unwrap(), Written::Kept));
    store.close().await.unwrap();

    let store = open(&folder).await;
    let saved = store.load("a".to_owned()).await.unwrap().unwrap();
    assert_eq!(saved.nodes.len(), 1);
    assert_eq!(saved.nodes[0].node.name, "first");
    assert_eq!(saved.info.worker.as_deref(), Some("worker"));
    // The lease is still good, for a program that had kept it.
    let last = step(lease, 2, "second", rest(Due::Never));
    store.write(last).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(files(&folder), ["steps.db"], "the log is in the database");
}

#[tokio::test]
async fn dropping_the_store_does_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.write(held("a")).await.unwrap();
    drop(store);
    let store = open(&folder).await;
    assert_eq!(store.count(ExecutionQuery::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn calls_after_closing_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.close().await.unwrap();
    let errors = [
        store.write(held("a")).await.unwrap_err(),
        store.count(ExecutionQuery::default()).await.unwrap_err(),
        store.clone().close().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(error.to_string().contains("steps.db"), "{error}");
    }
}

/// Some writes are refused, in one transaction with others that are not.
#[tokio::test]
async fn in_a_group_a_bad_write_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut leases = Vec::new();
    for n in 0..20 {
        let written = store.write(held(&n.to_string())).await;
        leases.push(created(written.unwrap()));
    }
    let calls = leases.iter().enumerate().map(|(n, lease)| {
        let store = store.clone();
        let write = match n % 5 {
            // Refused before anything is changed.
            3 => step(Lease { fence: 7, ..*lease }, 1, "fenced", LeaseAfter::Keep),
            // Refused after the node before it was written.
            4 => {
                let mut write = step(*lease, 1, "too many", LeaseAfter::Keep);
                let beyond = step(*lease, u32::MAX, "x", LeaseAfter::Keep);
                write.nodes.extend(beyond.nodes);
                write
            }
            _ => step(*lease, 1, "good", LeaseAfter::Keep),
        };
        tokio::spawn(async move { store.write(write).await })
    });
    let calls: Vec<_> = calls.collect();
    for (n, call) in calls.into_iter().enumerate() {
        let result = call.await.unwrap();
        let saved = store.load(n.to_string()).await.unwrap().unwrap();
        if n % 5 < 3 {
            result.unwrap();
            assert_eq!(saved.nodes.len(), 1);
        } else {
            let kinds = [ErrorKind::Fenced, ErrorKind::Rejected];
            assert_eq!(result.unwrap_err().kind(), kinds[n % 5 - 3]);
            assert_eq!(saved.nodes.len(), 0);
        }
    }
}

#[tokio::test]
async fn two_stores_on_one_file_are_two_workers() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (open(&folder).await, open(&folder).await);
    let lease = created(one.write(held("a")).await.unwrap());
    let hold = |worker: &str| Acquire {
        id: "a".to_owned(),
        worker: worker.to_owned(),
        lease: Duration::from_mins(1),
        over: TakeOver::Ended,
    };
    let busy = other.acquire(hold("other")).await.unwrap();
    assert!(matches!(busy, Acquired::Busy { worker, .. } if worker == "worker"));
    let last = step(lease, 1, "last", rest(Due::Never));
    one.write(last).await.unwrap();
    let Acquired::Held(taken) = other.acquire(hold("other")).await.unwrap() else {
        panic!("it was given back");
    };
    assert_eq!(taken.nodes.len(), 1);
    let late = step(lease, 2, "late", LeaseAfter::Keep);
    let fenced = one.write(late).await.unwrap_err();
    assert_eq!(fenced.kind(), ErrorKind::Fenced);
    assert!(fenced.to_string().contains("\"a\""), "{fenced}");
}

#[tokio::test]
async fn a_path_is_a_url_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my steps.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    assert_eq!(store.path(), path.canonicalize().unwrap());
}
