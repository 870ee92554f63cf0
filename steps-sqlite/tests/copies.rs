//! Copies of the file: by `backup` while it is written to, by hand, and by `.dump`; and a file that a
//! newer version changes while it is open.

mod common;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use common::*;
use steps_core::store::{Acquire, Due, ErrorKind, ExecutionQuery, Store, TakeOver};
use steps_sqlite::SqliteOptions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_all_that_was_acknowledged_before_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let acknowledged = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        let acknowledged = Arc::clone(&acknowledged);
        async move {
            for number in 1.. {
                if stop.load(Ordering::SeqCst) {
                    return store.close().await.unwrap();
                }
                let execution = due(&number.to_string(), Due::Never);
                store.write(execution).await.unwrap();
                acknowledged.store(number, Ordering::SeqCst);
            }
        }
    });
    while acknowledged.load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    for number in 0..5 {
        let before = acknowledged.load(Ordering::SeqCst);
        let copy = folder.path().join(format!("copy-{number}.db"));
        store.backup(copy.clone()).await.unwrap();
        let after = acknowledged.load(Ordering::SeqCst);
        assert!(after > before, "written to meanwhile");

        // The one file is enough, and a second copy of it by hand as well.
        let moved = folder.path().join(format!("moved-{number}.db"));
        fs::copy(&copy, &moved).unwrap();
        let opened = SqliteOptions::new(&moved).open().await.unwrap();
        let found = opened.count(ExecutionQuery::default()).await.unwrap();
        // The writer may have written one more than it was told of.
        assert!(
            (before..=after + 1).contains(&found),
            "{before} {found} {after}"
        );
        opened.close().await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    writing.await.unwrap();
    store.close().await.unwrap();
    let copies = files(&folder);
    assert!(copies.contains(&"copy-0.db".to_owned()), "{copies:?}");
    let parts = copies.iter().filter(|name| name.contains(".part"));
    assert_eq!(parts.count(), 0, "{copies:?}");
}

#[tokio::test]
async fn a_backup_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let other = folder.path().join("other.db");
    fs::write(&other, "mine").unwrap();
    for taken in [other.clone(), path(&folder)] {
        let error = store.backup(taken).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
        assert!(error.to_string().contains("does not exist"), "{error}");
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");

    let error = store
        .backup(folder.path().join("none/copy.db"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("none/copy.db"), "{error}");

    // A process that ended in the middle of one has left its part.
    fs::write(folder.path().join("copy.db.part"), "half").unwrap();
    store.backup(folder.path().join("copy.db")).await.unwrap();
    assert!(!files(&folder).contains(&"copy.db.part".to_owned()));

    store.close().await.unwrap();
    let error = store
        .backup(folder.path().join("late.db"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
}

/// The tables were in the log only: a copy without it was an empty file, and so a new store.
#[tokio::test]
async fn regression_a_copy_without_the_log_has_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let copy = folder.path().join("copy.db");
    fs::copy(path(&folder), &copy).unwrap();
    let conn = rusqlite::Connection::open(&copy).unwrap();
    let executions = "SELECT count(*) FROM executions";
    let found: i64 = conn.query_row(executions, [], |row| row.get(0)).unwrap();
    assert_eq!(found, 0);
    store.close().await.unwrap();
}

/// It was said to belong to another program.
#[tokio::test]
async fn regression_a_dump_that_was_read_in_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.write(due("a", Due::Never)).await.unwrap();
    store.close().await.unwrap();
    let conn = rusqlite::Connection::open(path(&folder)).unwrap();
    let version: i64 = conn
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    drop(conn);
    // A `.dump` has the tables and their rows, but not these two.
    raw(
        &folder,
        "PRAGMA application_id = 0; PRAGMA user_version = 0",
    );
    let error = options(&folder).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
    let marks = format!("PRAGMA application_id = 1398031696; PRAGMA user_version = {version}");
    for word in [".dump", "Engine::backup", &marks] {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    raw(&folder, &marks);
    let store = open(&folder).await;
    assert_eq!(store.count(ExecutionQuery::default()).await.unwrap(), 1);
}

/// An older program went on claiming from a file that a newer one had changed.
#[tokio::test]
async fn regression_a_version_that_was_raised_while_it_was_open_ends_the_claims() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.write(due("a", Due::Now)).await.unwrap();
    let lease = created(store.write(held("b")).await.unwrap());
    raw(&folder, "PRAGMA user_version = 99");
    let acquire = Acquire {
        id: "a".to_owned(),
        worker: "worker".to_owned(),
        lease: std::time::Duration::from_secs(1),
        over: TakeOver::Ended,
    };
    for error in [
        store.claim(claim()).await.unwrap_err(),
        store.acquire(acquire).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
        assert!(error.to_string().contains("version 99"), "{error}");
        assert!(error.to_string().contains("start it again"), "{error}");
    }
    // What it holds it may finish.
    let last = step(lease, 1, "last", rest(Due::Never));
    store.write(last).await.unwrap();
}
