//! Files that are not what they should be: somebody else's, newer, damaged, gone, or protected.
#![cfg(unix)]

mod common;

use std::{
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
};

use common::{child, *};
use rusqlite::Connection;
use steps_core::store::{Due, ErrorKind, Query, Store, StoreError, Then};
use steps_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

async fn refused(folder: &TempDir, kind: ErrorKind, words: &[&str]) -> StoreError {
    let error = options(folder).open().await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
    assert!(error.to_string().contains("steps.db"), "{error}");
    error
}

fn raw(folder: &TempDir, sql: &str) {
    let conn = Connection::open(path(folder)).unwrap();
    conn.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    raw(&folder, "PRAGMA user_version = 99");
    let before = fs::read(path(&folder)).unwrap();
    refused(
        &folder,
        ErrorKind::Foreign,
        &["version 99", "update this program"],
    )
    .await;
    assert_eq!(fs::read(path(&folder)).unwrap(), before);
    raw(&folder, "PRAGMA user_version = 1");
    open(&folder).await;
}

#[tokio::test]
async fn another_programs_file_is_refused_and_left_as_it_is() {
    for sql in [
        "PRAGMA application_id = 7",
        "CREATE TABLE users (id INTEGER PRIMARY KEY)",
    ] {
        let folder = tempfile::tempdir().unwrap();
        raw(&folder, sql);
        let before = fs::read(path(&folder)).unwrap();
        refused(
            &folder,
            ErrorKind::Foreign,
            &["another program", "file of its own"],
        )
        .await;
        assert_eq!(fs::read(path(&folder)).unwrap(), before);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        path(&folder),
        "not a database, but a text of some length".repeat(50),
    )
    .unwrap();
    refused(&folder, ErrorKind::Foreign, &["no SQLite database"]).await;
}

/// Every version there was, as text, with an execution in it.
#[tokio::test]
async fn older_files_are_brought_up_to_date() {
    for entry in fs::read_dir("tests/versions").unwrap() {
        let dump = fs::read_to_string(entry.unwrap().path()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        raw(&folder, &dump);
        let store = open(&folder).await;
        let saved = store.load("req-42".to_owned()).await.unwrap().unwrap();
        assert_eq!(saved.info.labels["project"], "atlas");
        assert_eq!(saved.input.get(), r#"{"size":4}"#);
        assert_eq!(saved.nodes.len(), 3);
        store.close().await.unwrap();
    }
    // The oldest of all: an empty file.
    let folder = tempfile::tempdir().unwrap();
    fs::write(path(&folder), "").unwrap();
    open(&folder).await;
}

#[tokio::test]
async fn a_folder_that_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("none/steps.db"));
    let error = options.open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(
        error.to_string().contains("the folder must exist"),
        "{error}"
    );
}

/// A bound below the size that the file has is one that SQLite would ignore.
#[tokio::test]
async fn a_setting_that_sqlite_ignores_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let error = options(&folder).max_pages(2).open().await.unwrap_err();
    assert!(error.to_string().contains("`max_page_count`"), "{error}");
}

/// What all calls say while `cause` lasts, and that they go on after it.
async fn gone(cause: impl Fn(&TempDir), mend: impl Fn(&TempDir), word: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("a")).await.unwrap());
    assert_eq!(store.count(Query::default()).await.unwrap(), 1);
    cause(&folder);
    let errors = [
        store
            .write(step(lease, 1, "x", Then::Keep))
            .await
            .unwrap_err(),
        store.write(due("b", Due::Now)).await.unwrap_err(),
        store.load("a".to_owned()).await.unwrap_err(),
        store.delete(Query::default()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    mend(&folder);
    store.write(step(lease, 1, "x", Then::Keep)).await.unwrap();
    let saved = store.load("a".to_owned()).await.unwrap().unwrap();
    assert_eq!(saved.nodes.len(), 1);
}

fn rename(folder: &TempDir, from: &str, to: &str) {
    fs::rename(folder.path().join(from), folder.path().join(to)).unwrap();
}

#[tokio::test]
async fn a_file_that_is_moved_away_and_back() {
    gone(
        |folder| rename(folder, "steps.db", "away"),
        |folder| rename(folder, "away", "steps.db"),
        "deleted, moved or replaced",
    )
    .await;
}

#[tokio::test]
async fn a_file_in_whose_place_there_is_another() {
    gone(
        |folder| {
            rename(folder, "steps.db", "away");
            fs::copy(folder.path().join("away"), path(folder)).unwrap();
        },
        |folder| rename(folder, "away", "steps.db"),
        "deleted, moved or replaced",
    )
    .await;
}

#[tokio::test]
async fn a_log_that_is_moved_away_and_back() {
    gone(
        |folder| rename(folder, "steps.db-wal", "away"),
        |folder| rename(folder, "away", "steps.db-wal"),
        "write-ahead log",
    )
    .await;
}

#[tokio::test]
async fn after_a_file_was_deleted_a_new_start_has_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store.write(held("a")).await.unwrap();
    for file in files(&folder) {
        fs::remove_file(folder.path().join(file)).unwrap();
    }
    assert_eq!(
        store.write(held("b")).await.unwrap_err().kind(),
        ErrorKind::Gone
    );
    let again = open(&folder).await;
    assert_eq!(again.count(Query::default()).await.unwrap(), 0);
    again.write(held("c")).await.unwrap();
    assert_eq!(
        store.write(held("d")).await.unwrap_err().kind(),
        ErrorKind::Gone
    );
    drop(store);
    assert_eq!(again.count(Query::default()).await.unwrap(), 1);
}

/// Pages in the middle are overwritten: what is on them is an error of its own kind, and what is
/// not goes on.
#[tokio::test]
async fn a_damaged_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    for n in 0..200 {
        let lease = created(store.write(held(&n.to_string())).await.unwrap());
        let mut write = step(lease, 1, "a step", rest(Due::Now));
        write.nodes = (1..=20)
            .flat_map(|n| step(lease, n, "a step", Then::Keep).nodes)
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
    for page in pages / 2..pages / 2 + 10 {
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

/// A row that this version can't read keeps neither the others from being claimed, nor itself from
/// being looked at.
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
        "UPDATE steps SET kind = 'quantum' WHERE execution = 2",
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
    let mut query = Query::default();
    query.refused = Some(true);
    let found = store.list(query).await.unwrap();
    let why = found[0].refused.as_ref().map(|refused| &*refused.why);
    assert!(why.is_some_and(|why| why.contains("quantum")), "{why:?}");
}

/// In the child: a user who may read and not write.
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
