//! Other processes that use the same file: locked, stopped and killed ones.
#![cfg(unix)]

mod common;

use std::time::{Duration, Instant};

use common::{child, *};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rusqlite::Connection;
use steps_core::store::{ErrorKind, ExecutionQuery, LeaseAfter, Store};
use steps_sqlite::SqliteStore;

#[tokio::test]
async fn locked_by_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("a")).await.unwrap());
    let other = Connection::open(path(&folder)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();

    let begun = Instant::now();
    let calls = (0..3).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { store.write(step(lease, n + 1, "x", LeaseAfter::Keep)).await })
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.kind().is_transient());
        assert!(
            error.to_string().contains("locked by another process"),
            "{error}"
        );
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(100),
        "it has waited"
    );
    // Reading goes on meanwhile.
    assert_eq!(
        store
            .load("a".to_owned())
            .await
            .unwrap()
            .unwrap()
            .nodes
            .len(),
        0
    );

    other.execute_batch("COMMIT").unwrap();
    store
        .write(step(lease, 1, "x", LeaseAfter::Keep))
        .await
        .unwrap();
}

/// Each call is answered when its own time is over, whatever those before it waited for.
#[tokio::test]
async fn scale_locked_a_call_waits_no_longer_than_its_own_time() {
    const LIMIT: Duration = Duration::from_secs(3);
    let folder = tempfile::tempdir().unwrap();
    let store = options(&folder).busy_timeout(LIMIT).open().await.unwrap();
    let lease = created(store.write(held("a")).await.unwrap());
    let other = Connection::open(path(&folder)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut calls = Vec::new();
    for n in 0..8 {
        let store = store.clone();
        calls.push(tokio::spawn(async move {
            let came = Instant::now();
            let write = step(lease, n + 1, "x", LeaseAfter::Keep);
            let error = store.write(write).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Busy);
            came.elapsed()
        }));
        tokio::time::sleep(LIMIT / 8).await;
    }
    for call in calls {
        let took = call.await.unwrap();
        // One after the other, the second one alone would wait for almost two.
        assert!(took >= LIMIT * 9 / 10 && took < LIMIT * 7 / 4, "{took:?}");
    }
    other.execute_batch("COMMIT").unwrap();
    let write = step(lease, 1, "x", LeaseAfter::Keep);
    store.write(write).await.unwrap();
}

/// In the child: writes, and prints each write, until it is killed.
#[tokio::test]
#[ignore = "a part of the tests below, run by them"]
async fn writes_forever() {
    let Some(folder) = child::folder() else {
        return;
    };
    let url = format!(
        "sqlite:{}/steps.db?busy_timeout=10s&checkpoint=20",
        folder.display()
    );
    let store = SqliteStore::open(&url).await.unwrap();
    let tasks = (0..4).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0_u64.. {
                let id = format!("{task} {n}");
                store.write(held(&id)).await.unwrap();
                println!("> {id}");
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_that_it_was_told_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        let mut process = child::start("writes_forever", &folder);
        let mut told: Vec<String> = (0..40 * round).map_while(|_| process.line()).collect();
        assert_eq!(told.len(), 40 * round);
        process.child.kill().unwrap();
        told.extend(process.rest());

        let store = open(&folder).await;
        for id in &told {
            // A line may have been cut off.
            let found = store.load(id.clone()).await.unwrap();
            assert!(found.is_some() || Some(id) == told.last(), "{id}");
        }
        store.close().await.unwrap();
        let conn = Connection::open(path(&folder)).unwrap();
        let sound: String = conn
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        drop(conn);
        std::fs::remove_file(path(&folder)).unwrap();
    }
}

/// While a process is stopped in the middle of a call, others wait, or fail with `Busy`.
#[tokio::test]
async fn a_process_that_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = child::start("writes_forever", &folder);
    assert!(process.line().is_some());
    let pid = Pid::from_raw(i32::try_from(process.child.id()).unwrap());
    let store = open(&folder).await;
    let (mut kept, mut busy) = (0, 0);
    for n in 0..30 {
        kill(pid, Signal::SIGSTOP).unwrap();
        match store.write(held(&format!("ours {n}"))).await {
            Ok(_) => kept += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
                busy += 1;
            }
        }
        assert!(
            store.count(ExecutionQuery::default()).await.unwrap() > 0,
            "reading goes on"
        );
        kill(pid, Signal::SIGCONT).unwrap();
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert!(kept > 0, "{kept} kept, {busy} times it was locked");
    process.child.kill().unwrap();
    process.rest();
    let conn = Connection::open(path(&folder)).unwrap();
    let ours: i64 = conn
        .query_row(
            "SELECT count(*) FROM executions WHERE id LIKE 'ours %'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(ours, kept, "what was refused is not there");
    let sound: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}
