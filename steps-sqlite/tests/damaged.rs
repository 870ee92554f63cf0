//! What can't be read: damaged pages, and rows from the future.
#![cfg(unix)]

mod common;

use std::{fs, os::unix::fs::FileExt};

use common::*;
use steps_core::store::{Due, ErrorKind, ExecutionQuery, LeaseAfter, Store};

/// Pages between are overwritten: reading them is a `Corrupt` error, and what is on other
/// pages still works.
#[tokio::test]
async fn a_damaged_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for n in 0..200 {
        let lease = created(store.write(held(&n.to_string())).await.unwrap());
        let mut write = step(lease, 1, "a step", rest(Due::Now));
        write.nodes = (1..=20)
            .flat_map(|n| step(lease, n, "a step", LeaseAfter::Keep).nodes)
            .collect();
        store.write(write).await.unwrap();
    }
    store.close().await.unwrap();
    let copy = fs::read(path(&folder)).unwrap();
    let pages = copy.len() as u64 / 4096;
    let file = fs::OpenOptions::new()
        .write(true)
        .open(path(&folder))
        .unwrap();
    for page in pages / 4..pages / 4 + 10 {
        file.write_all_at(&[0xA5; 4096], page * 4096).unwrap();
    }
    drop(file);

    let store = open(&folder).await;
    let (mut sound, mut damaged) = (0, 0);
    for n in 0..200 {
        match store.load(n.to_string()).await {
            Ok(saved) => {
                let saved = saved.unwrap();
                assert!(saved.nodes.len() <= 20);
                sound += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert!(error.to_string().contains("restore a copy"), "{error}");
                damaged += 1;
            }
        }
    }
    assert!(
        sound > 100 && damaged > 0,
        "{sound} sound, {damaged} damaged"
    );
    store.write(held("new")).await.unwrap();
    store.close().await.unwrap();

    fs::write(path(&folder), copy).unwrap();
    let store = open(&folder).await;
    for n in 0..200 {
        let saved = store.load(n.to_string()).await.unwrap().unwrap();
        assert_eq!(saved.nodes.len(), 20);
    }
}

/// A row that this version can't read doesn't keep other executions from being claimed, and it can
/// still be looked at itself.
#[tokio::test]
async fn a_row_from_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for id in ["a", "b", "c"] {
        let lease = created(store.write(held(id)).await.unwrap());
        store
            .write(step(lease, 1, "x", rest(Due::Now)))
            .await
            .unwrap();
    }
    raw(
        &folder,
        "UPDATE nodes SET kind = 'quantum' WHERE execution = 2",
    );
    let error = store.load("b".to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    for word in ["\"b\"", "quantum", "newer version"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    let claimed = store.claim(claim()).await.unwrap();
    let taken: Vec<_> = claimed.taken.iter().map(|taken| &*taken.info.id).collect();
    assert_eq!(taken, ["a", "c"]);
    assert_eq!(claimed.next_due, None, "it is not tried again at once");
    let mut query = ExecutionQuery::default();
    query.refused = Some(true);
    let found = store.list(query).await.unwrap();
    let why = found[0].refused.as_ref().map(|refused| &*refused.why);
    assert!(why.is_some_and(|why| why.contains("quantum")), "{why:?}");
}
