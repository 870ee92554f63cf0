//! Files that are not what they should be: another program's, of a newer or older version, or gone.
#![cfg(unix)]

mod common;

use std::fs;

use common::*;
use rusqlite::Connection;
use steps_core::{
    Json, Status,
    store::{
        Due, DutySet, ErrorKind, ExecutionQuery, FlowLimited, FlowLimits, Lease, LeaseAfter,
        LimitFlow, LogLevel, LogQuery, NewDuty, NewLimits, NewLine, NewLines, NodeRow, SetDuty,
        Store, StoreError,
    },
};
use steps_sqlite::SqliteOptions;
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

#[tokio::test]
async fn a_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let known: i64 = Connection::open(path(&folder))
        .and_then(|conn| conn.pragma_query_value(None, "user_version", |row| row.get(0)))
        .unwrap();
    raw(&folder, "PRAGMA user_version = 99");
    let before = fs::read(path(&folder)).unwrap();
    refused(
        &folder,
        ErrorKind::Foreign,
        &["version 99", "update this program"],
    )
    .await;
    assert_eq!(fs::read(path(&folder)).unwrap(), before);
    raw(&folder, &format!("PRAGMA user_version = {known}"));
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

/// A file of every version of the tables, as SQL text, with an execution in it.
#[tokio::test]
async fn older_files_are_brought_up_to_date() {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/versions")).unwrap() {
        let dump = fs::read_to_string(entry.unwrap().path()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        raw(&folder, &dump);
        let store = open(&folder).await;
        let saved = store.load("req-42".to_owned()).await.unwrap().unwrap();
        assert_eq!(saved.info.labels["project"], "atlas");
        assert_eq!(saved.input.get(), r#"{"size":4}"#);
        assert_eq!(saved.nodes.len(), 3);
        // What older versions had no table for works.
        let duty = SetDuty {
            name: "nightly".to_owned(),
            revision: None,
            to: Some(NewDuty {
                due: None,
                value: saved.input,
            }),
            start: Vec::new(),
        };
        assert_eq!(store.set_duty(duty).await.unwrap(), DutySet::Set(Some(1)));
        assert_eq!(store.subscriptions().await.unwrap(), []);
        let line = NewLine {
            key: saved.info.key,
            left_out: 0,
            at: jiff::Timestamp::UNIX_EPOCH,
            level: LogLevel::Info,
            path: "a".to_owned(),
            attempt: 1,
            is_undo: false,
            message: "b".to_owned(),
        };
        store.log(NewLines::new(vec![line])).await.unwrap();
        let query = LogQuery {
            id: saved.info.id.clone(),
            ..LogQuery::default()
        };
        assert_eq!(store.logged(query).await.unwrap().unwrap().lines.len(), 1);
        let limit = LimitFlow {
            flow: saved.info.flow,
            revision: None,
            to: NewLimits {
                is_paused: true,
                limits: FlowLimits::new().at_once(1),
                value: Json::encode(&1).unwrap(),
            },
        };
        let limited = store.limit_flow(limit).await.unwrap();
        assert_eq!(limited, FlowLimited::Set(1));
        store.close().await.unwrap();
    }
    // The oldest of all: an empty file.
    let folder = tempfile::tempdir().unwrap();
    fs::write(path(&folder), "").unwrap();
    open(&folder).await;
}

/// A lease outlasts the upgrade. A process of the older version, which has the file open, finishes what
/// it holds, by the statements that it has prepared.
#[tokio::test]
async fn what_runs_goes_on_when_a_file_of_version_3_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    raw(&folder, include_str!("versions/v3.sql"));
    let older = Connection::open(path(&folder)).unwrap();
    let put = "INSERT OR REPLACE INTO steps (id, parent, name, kind, status, attempts, started_at, \
        done_at, until, decision, error, input, output, more) \
        VALUES (?1, 0, ?2, 'step', ?3, 1, ?4, ?5, NULL, NULL, NULL, NULL, NULL, NULL)";
    let mut put = older.prepare(put).unwrap();
    let read = "SELECT name, status FROM steps WHERE id BETWEEN ?1 AND ?2 ORDER BY id";
    let mut read = older.prepare(read).unwrap();
    let remove = "DELETE FROM steps WHERE id BETWEEN ?1 AND ?2";
    let mut remove = older.prepare(remove).unwrap();
    let first = 1_i64 << 24;

    let store = open(&folder).await;
    let lease = Lease { key: 1, fence: 3 };
    store
        .write(step(lease, 2, "volume", LeaseAfter::Keep))
        .await
        .unwrap();
    let mut volume = node("volume");
    volume.done_at = Some("2026-01-01T09:00:01Z".parse().unwrap());
    let mut attach = node("attach");
    (attach.status, attach.started_at) = (Status::Running, volume.done_at);
    (attach.done_at, attach.output) = (None, None);
    let mut write = step(lease, 2, "volume", LeaseAfter::Keep);
    write.nodes = vec![NodeRow::new(2, 0, volume), NodeRow::new(3, 0, attach)];
    store.write(write).await.unwrap();

    let mut names = || -> Vec<String> {
        let rows = read.query_map([first, first + 100], |row| {
            Ok(format!(
                "{} {}",
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?
            ))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(names(), ["vm done", "volume done", "attach running"]);
    put.execute((first + 3, "attach", "done", 1, 2)).unwrap();
    put.execute((first + 4, "check", "running", 2, None::<i64>))
        .unwrap();
    let now = ["vm done", "volume done", "attach done", "check running"];
    assert_eq!(names(), now);
    let saved = store.load("req-42".to_owned()).await.unwrap().unwrap();
    let saved = saved.nodes[1..].iter().map(|NodeRow { node, .. }| {
        let status = node.status;
        format!("{} {status}", node.name)
    });
    assert_eq!(saved.collect::<Vec<_>>(), now);
    remove.execute([first, first + 100]).unwrap();
    let saved = store.load("req-42".to_owned()).await.unwrap().unwrap();
    assert_eq!(saved.nodes.len(), 1);
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

/// SQLite ignores a bound that is below the file's size.
#[tokio::test]
async fn a_setting_that_sqlite_ignores_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let error = options(&folder).max_pages(2).open().await.unwrap_err();
    assert!(error.to_string().contains("`max_page_count`"), "{error}");
}

/// Checks what all calls return while `cause` lasts, and that they work again after it.
async fn gone(cause: impl Fn(&TempDir), mend: impl Fn(&TempDir), word: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("a")).await.unwrap());
    assert_eq!(store.count(ExecutionQuery::default()).await.unwrap(), 1);
    cause(&folder);
    let errors = [
        store
            .write(step(lease, 1, "x", LeaseAfter::Keep))
            .await
            .unwrap_err(),
        store.write(due("b", Due::Now)).await.unwrap_err(),
        store.load("a".to_owned()).await.unwrap_err(),
        store.delete(ExecutionQuery::default()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    mend(&folder);
    store
        .write(step(lease, 1, "x", LeaseAfter::Keep))
        .await
        .unwrap();
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
    assert_eq!(again.count(ExecutionQuery::default()).await.unwrap(), 0);
    again.write(held("c")).await.unwrap();
    assert_eq!(
        store.write(held("d")).await.unwrap_err().kind(),
        ErrorKind::Gone
    );
    drop(store);
    assert_eq!(again.count(ExecutionQuery::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn closing_tells_that_the_file_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let store = SqliteOptions::new(inner.join("steps.db")).open().await;
    let store = store.unwrap();
    store.count(ExecutionQuery::default()).await.unwrap();
    fs::remove_dir_all(&inner).unwrap();
    let closed = store.close().await.unwrap_err();
    assert_eq!(closed.kind(), ErrorKind::Gone, "{closed}");
}
