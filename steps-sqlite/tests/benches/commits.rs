//! What a step costs in this store, compared with what SQLite itself does on the same disk.
//!
//! `cargo bench -p steps-sqlite` writes to the folder that `TMPDIR` names, which should be on the
//! disk to measure. Each figure is the median of some rounds, as disks are busy with other things,
//! too.

use std::{
    borrow::Cow,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use steps_core::{
    Json, State, Status,
    state::Labels,
    store::{Lease, LeaseAfter, NewExecution, NodeRow, Notes, Store, Target, Write, Written},
};
use steps_sqlite::{SqliteOptions, SqliteStore};

const ROUNDS: usize = 9;
const ALONE: u32 = 1000;
const TASKS: u32 = 64;
const EACH: u32 = 200;
/// How many steps an execution has.
const STEPS: u32 = 20;
const OUTPUT: &str =
    r#"{"vm":"i-0123456789abcdef","address":"10.0.0.4","zone":"eu-1","size":4,"tags":["a"]}"#;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        let bare = bare(&folder.path().join("one.db"), ALONE, 1);
        let alone = runtime.block_on(steps(&folder.path().join("alone.db"), 1, ALONE));
        let rows = bare_rows(&folder.path().join("rows.db"));
        let many = runtime.block_on(steps(&folder.path().join("many.db"), TASKS, EACH));
        rounds.push([bare, alone, alone / bare, rows, many, many / rows]);
    }
    println!("per second; of {ROUNDS} rounds:             median      best");
    let names = [
        "a row of 150 bytes, one in a commit",
        "a step, one task alone",
        "  ratio",
        "a row, 64 in a commit",
        "a step, 64 tasks at once",
        "  ratio",
    ];
    for (column, name) in names.iter().enumerate() {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
        values.sort_by(f64::total_cmp);
        let digits = if name.contains("ratio") { 2 } else { 0 };
        let (median, best) = (values[ROUNDS / 2], values[ROUNDS - 1]);
        println!("{name:36} {median:9.digits$} {best:9.digits$}");
    }
}

/// Commits of `rows` rows each, with nothing in between.
fn bare(path: &Path, commits: u32, rows: u32) -> f64 {
    let conn = Connection::open(path).expect("a database");
    conn.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA wal_autocheckpoint = 4000;
         CREATE TABLE bare (id INTEGER PRIMARY KEY, row TEXT)",
    )
    .expect("a table");
    let row = "x".repeat(145);
    let mut insert = conn
        .prepare("INSERT INTO bare VALUES (NULL, ?1)")
        .expect("a statement");
    let begun = Instant::now();
    for _ in 0..commits {
        conn.execute_batch("BEGIN IMMEDIATE").expect("begun");
        for _ in 0..rows {
            insert.execute(params![row]).expect("a row");
        }
        conn.execute_batch("COMMIT").expect("committed");
    }
    per_second(commits * rows, begun.elapsed())
}

fn bare_rows(path: &Path) -> f64 {
    bare(path, EACH, TASKS)
}

fn per_second(count: u32, time: Duration) -> f64 {
    f64::from(count) / time.as_secs_f64()
}

/// Tasks in a closed loop: each write is the end of a step, and the beginning of the next.
async fn steps(path: &Path, tasks: u32, each: u32) -> f64 {
    let store = SqliteOptions::new(path).open().await.expect("a store");
    // Executions that run at the same time were created at about the same time.
    let mut leases = vec![Vec::new(); tasks as usize];
    for n in 0..each.div_ceil(STEPS) {
        for (task, leases) in leases.iter_mut().enumerate() {
            leases.push(made(&store, &format!("{task} {n}")).await);
        }
    }
    let begun = Instant::now();
    let running: Vec<_> = leases
        .into_iter()
        .map(|leases| tokio::spawn(run(store.clone(), leases, each)))
        .collect();
    for task in running {
        task.await.expect("a task");
    }
    let time = begun.elapsed();
    store.close().await.expect("closed");
    per_second(tasks * each, time)
}

async fn made(store: &SqliteStore, id: &str) -> Lease {
    let new = NewExecution {
        id: id.to_owned(),
        flow: "flow".to_owned(),
        input: Json::parse("{}").expect("JSON"),
        labels: Labels::new(),
        notes: Notes::default(),
        priority: 0,
        form: None,
        parent: None,
        singleton: None,
        trace: None,
        created_at: None,
        held: Some(("worker".to_owned(), Duration::from_mins(10))),
    };
    let write = Write::new(Target::New(Box::new(new)), LeaseAfter::Keep);
    match store.write(write).await.expect("an execution") {
        Written::Created(lease) => lease,
        other => panic!("{other:?}"),
    }
}

async fn run(store: SqliteStore, leases: Vec<Lease>, each: u32) {
    for n in 0..each {
        let lease = leases[(n / STEPS) as usize];
        let step = n % STEPS + 1;
        let mut done = node("create_vm", Status::Done);
        done.done_at = Some(jiff::Timestamp::now());
        done.output = Some(Json::parse(OUTPUT).expect("JSON"));
        let next = node("attach_volume", Status::Running);
        let write = Write {
            nodes: vec![NodeRow::new(step, 0, done), NodeRow::new(step + 1, 0, next)],
            ..Write::new(Target::Held(lease), LeaseAfter::Keep)
        };
        store.write_in_place(write).await.expect("a step");
    }
}

fn node(name: &'static str, status: Status) -> State {
    let mut node = State::default();
    node.name = Cow::Borrowed(name);
    node.status = status;
    node.attempts = 1;
    node.started_at = Some(jiff::Timestamp::now());
    node
}
