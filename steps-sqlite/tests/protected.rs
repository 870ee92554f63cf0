//! Files and folders that this user may not write to.
#![cfg(unix)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt};

use common::{child, *};
use steps_core::store::Store;
use steps_sqlite::SqliteStore;

/// In the child: a user that may read the file but not write it.
#[tokio::test]
#[ignore = "a part of the test below, run by it"]
async fn opens_and_tells() {
    let Some(folder) = child::folder() else {
        return;
    };
    let url = folder.join("steps.db");
    match SqliteStore::open(url.to_str().unwrap()).await {
        Ok(store) => println!("> open {:?}", store.write(held("b")).await),
        Err(error) => println!("> {:?} {error}", error.kind()),
    }
    std::process::exit(0);
}

#[tokio::test]
async fn files_and_folders_that_may_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    // The file.
    mode(folder.path(), 0o777);
    mode(&path(&folder), 0o444);
    let told = child::start_as_anybody("opens_and_tells", &folder).rest();
    assert!(told[0].starts_with("ReadOnly "), "{told:?}");
    assert!(told[0].contains("must be able to write"), "{told:?}");
    // The folder, where the log would be.
    mode(&path(&folder), 0o666);
    mode(folder.path(), 0o555);
    let told = child::start_as_anybody("opens_and_tells", &folder).rest();
    assert!(told[0].contains("must be able to write"), "{told:?}");
    assert!(!told[0].starts_with("open"), "{told:?}");
    // The log.
    mode(folder.path(), 0o777);
    let other = open(&folder).await;
    for file in ["steps.db-wal", "steps.db-shm"] {
        mode(&folder.path().join(file), 0o444);
    }
    let told = child::start_as_anybody("opens_and_tells", &folder).rest();
    assert!(told[0].starts_with("ReadOnly "), "{told:?}");
    // The cause is gone.
    other.close().await.unwrap();
    let told = child::start_as_anybody("opens_and_tells", &folder).rest();
    assert!(told[0].starts_with("open Ok"), "{told:?}");
}
