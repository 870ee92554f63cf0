//! Disks that fail: errors of writes and syncs, and no space. `strace` injects the errors into
//! system calls on real files.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;

use common::{child, *};
use steps_core::store::{ErrorKind, ExecutionQuery, Store};
use steps_sqlite::SqliteStore;
use tempfile::TempDir;

/// How many executions a child tries to make.
const TRIES: usize = 60;

/// In the child: creates executions one after the other, and prints the result of each.
#[tokio::test]
#[ignore = "a part of the tests below, run by them"]
async fn makes_executions() {
    let Some(folder) = child::folder() else {
        return;
    };
    let store = SqliteStore::open(folder.join("steps.db").to_str().unwrap())
        .await
        .unwrap();
    for n in 0..TRIES {
        match store.write(held(&n.to_string())).await {
            Ok(_) => println!("> kept {n}"),
            Err(error) => println!("> {:?} {error}", error.kind()),
        }
    }
    // Not closed: as if it had crashed.
    std::process::exit(0);
}

/// In the child: the same, six at once, so that they share commits.
#[tokio::test]
#[ignore = "a part of the tests below, run by them"]
async fn makes_executions_at_once() {
    let Some(folder) = child::folder() else {
        return;
    };
    let path = folder.join("steps.db");
    let store = SqliteStore::open(path.to_str().unwrap()).await.unwrap();
    for round in 0..TRIES / 6 {
        let calls = (6 * round..6 * round + 6).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { (n, store.write(held(&n.to_string())).await) })
        });
        let calls: Vec<_> = calls.collect();
        for call in calls {
            match call.await.unwrap() {
                (n, Ok(_)) => println!("> kept {n}"),
                (_, Err(error)) => println!("> {:?} {error}", error.kind()),
            }
        }
    }
    std::process::exit(0);
}

/// What a child printed: the executions that were acknowledged, and the other lines.
fn told(lines: Vec<String>) -> (BTreeSet<String>, Vec<String>) {
    let mut kept = BTreeSet::new();
    let mut errors = Vec::new();
    for line in lines {
        match line.strip_prefix("kept ") {
            Some(id) => drop(kept.insert(id.to_owned())),
            None => errors.push(line),
        }
    }
    (kept, errors)
}

/// Opens the file after the fault, checks that all acknowledged executions are there, and writes
/// again.
async fn nothing_is_lost(folder: &TempDir, kept: &BTreeSet<String>) {
    let store = open(folder).await;
    let found = store.list(ExecutionQuery::default()).await.unwrap();
    let found: BTreeSet<String> = found.into_iter().map(|info| info.id).collect();
    let lost: Vec<_> = kept.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged, and not there: {lost:?}");
    store.write(held("after")).await.unwrap();
    store.close().await.unwrap();
    let conn = rusqlite::Connection::open(path(folder)).unwrap();
    let sound: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

/// Errors from the `first` system call of that name on: each call of the store returns an error.
async fn fails_from(test: &str, fault: &str, kind: ErrorKind) {
    let folder = tempfile::tempdir().unwrap();
    let (kept, errors) = told(child::start_injected(test, &folder, &[fault]).rest());
    assert_eq!(kept.len() + errors.len(), TRIES, "{errors:?}");
    assert!(
        !kept.is_empty() && !errors.is_empty(),
        "{fault}: it struck in the middle"
    );
    for error in &errors {
        assert!(error.starts_with(&format!("{kind:?} ")), "{error}");
        assert!(error.contains("steps.db: "), "it names the file: {error}");
    }
    nothing_is_lost(&folder, &kept).await;
}

#[tokio::test]
async fn a_sync_that_fails() {
    for test in ["makes_executions", "makes_executions_at_once"] {
        fails_from(test, "fsync,fdatasync:error=EIO:when=24+", ErrorKind::Io).await;
    }
}

#[tokio::test]
async fn a_write_that_fails() {
    for test in ["makes_executions", "makes_executions_at_once"] {
        fails_from(test, "pwrite64:error=EIO:when=200+", ErrorKind::Io).await;
    }
}

#[tokio::test]
async fn a_disk_that_is_full() {
    for test in ["makes_executions", "makes_executions_at_once"] {
        fails_from(test, "pwrite64:error=ENOSPC:when=200+", ErrorKind::Full).await;
    }
}

/// The same store works again once the cause is gone.
#[tokio::test]
async fn faults_that_pass() {
    for fault in [
        "fsync,fdatasync:error=EIO:when=24..27",
        "pwrite64:error=EIO:when=170..180",
        "pwrite64:error=ENOSPC:when=170..180",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let lines = child::start_injected("makes_executions", &folder, &[fault]).rest();
        let last = lines.last().cloned();
        let (kept, errors) = told(lines);
        assert!(!errors.is_empty(), "{fault}: it struck");
        assert_eq!(last, Some(format!("kept {}", TRIES - 1)), "{fault}");
        assert!(kept.len() > 10, "{fault}");
        nothing_is_lost(&folder, &kept).await;
    }
}

/// With a bound of its own, the store is full before the disk is.
#[tokio::test]
async fn a_file_that_may_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let store = options(&folder).max_pages(60).open().await.unwrap();
    let mut kept = BTreeSet::new();
    let mut large = held("large");
    if let steps_core::store::Target::New(new) = &mut large.target {
        new.input = steps_core::Json::encode(&"x".repeat(1_000_000)).unwrap();
    }
    // A call for which there is no room fails alone.
    let (one, error, other) = tokio::join!(
        store.write(held("1")),
        store.write(large),
        store.write(held("2"))
    );
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Full);
    let error = loop {
        let id = format!("more {}", kept.len());
        match store.write(held(&id)).await {
            Ok(_) => assert!(
                kept.insert(id) && kept.len() < 10_000,
                "it stays within bounds"
            ),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.to_string().contains("give the store more"), "{error}");
    store.close().await.unwrap();
    nothing_is_lost(&folder, &kept).await;
}
