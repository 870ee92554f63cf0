//! Stores and writes for the tests of this folder.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

#[cfg(unix)]
pub mod child;

use std::{borrow::Cow, path::PathBuf, time::Duration};

use steps_core::{
    Json, State, Status,
    state::Labels,
    store::{
        Claim, Due, FlowClaim, Lease, LeaseAfter, NewExecution, NodeRow, Notes, Refuser, Target,
        Write, Written,
    },
};
use steps_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// Where the database is.
pub fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("steps.db")
}

/// A store whose calls don't wait long for locks.
pub fn options(folder: &TempDir) -> SqliteOptions {
    SqliteOptions::new(path(folder)).busy_timeout(Duration::from_millis(100))
}

pub async fn open(folder: &TempDir) -> SqliteStore {
    options(folder).open().await.unwrap()
}

/// Changes the database by SQL, without the store.
pub fn raw(folder: &TempDir, sql: &str) {
    let conn = rusqlite::Connection::open(path(folder)).unwrap();
    conn.execute_batch(sql).unwrap();
}

/// The files in a folder.
pub fn files(folder: &TempDir) -> Vec<String> {
    let files = std::fs::read_dir(folder.path()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A new execution.
pub fn new(id: &str, then: LeaseAfter, held: Option<&str>) -> Write {
    Write::new(
        Target::New(Box::new(NewExecution {
            id: id.to_owned(),
            flow: "flow".to_owned(),
            input: Json::parse("{}").unwrap(),
            labels: Labels::new(),
            notes: Notes::default(),
            priority: 0,
            form: None,
            parent: None,
            singleton: None,
            trace: None,
            created_at: None,
            held: held.map(|worker| (worker.to_owned(), Duration::from_mins(1))),
        })),
        then,
    )
}

/// A new execution that a worker holds.
pub fn held(id: &str) -> Write {
    new(id, LeaseAfter::Keep, Some("worker"))
}

/// A new execution that is due.
pub fn due(id: &str, due: Due) -> Write {
    new(id, rest(due), None)
}

pub fn rest(due: Due) -> LeaseAfter {
    LeaseAfter::Release {
        due,
        last_message: 0,
    }
}

pub fn created(written: Written) -> Lease {
    match written {
        Written::Created(lease) => lease,
        other => panic!("{other:?}"),
    }
}

pub fn node(name: &str) -> State {
    let mut node = State::default();
    node.name = Cow::Owned(name.to_owned());
    node.status = Status::Done;
    node.attempts = 1;
    node.started_at = Some("2026-01-01T09:00:00.000000001Z".parse().unwrap());
    node.done_at = Some("2026-01-01T09:00:00.25Z".parse().unwrap());
    node.output = Some(Json::parse("5").unwrap());
    node
}

/// The write of one node.
pub fn step(lease: Lease, id: u32, name: &str, then: LeaseAfter) -> Write {
    Write {
        nodes: vec![NodeRow::new(id, 0, node(name))],
        ..Write::new(Target::Held(lease), then)
    }
}

/// A claim of ten of them.
pub fn claim() -> Claim {
    Claim {
        worker: "worker".to_owned(),
        lease: Duration::from_mins(1),
        flows: vec![FlowClaim {
            names: vec!["flow".into()],
            refuser: Refuser {
                fingerprint: 1,
                build: 1,
            },
            limit: 10,
        }],
        limit: 10,
        waited: Vec::new(),
        ageing: None,
    }
}
