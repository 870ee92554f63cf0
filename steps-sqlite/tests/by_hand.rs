//! The SQL queries of the README, on a file that the store has written.

mod common;

use common::*;
use rusqlite::{Connection, types::Value};
use steps_core::{
    Json, State, Status,
    state::{Kind, Until},
    store::{Due, Lease, LeaseAfter, NodeRow, Store, Target, Write},
};
use steps_sqlite::SqliteStore;

/// The queries of the README, in its order.
fn queries() -> Vec<String> {
    let text = include_str!("../README.md");
    let blocks = text.split("```sql\n").skip(1);
    let ends = blocks.filter_map(|block| block.split_once("```"));
    ends.map(|(query, _)| query.to_owned()).collect()
}

fn rows(conn: &Connection, query: &str) -> Vec<Vec<String>> {
    let mut statement = conn.prepare(query).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..columns)
            .map(|n| {
                Ok(match row.get(n)? {
                    Value::Null => String::new(),
                    Value::Integer(number) => number.to_string(),
                    Value::Real(number) => number.to_string(),
                    Value::Text(text) => text,
                    Value::Blob(_) => "blob".to_owned(),
                })
            })
            .collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn root(status: Status) -> State {
    let mut root = node("flow");
    root.kind = Kind::Flow;
    root.status = status;
    root.output = None;
    root
}

async fn written(store: &SqliteStore, lease: Lease, nodes: Vec<(u32, State)>, then: LeaseAfter) {
    let write = Write {
        target: Target::Held(lease),
        nodes: nodes
            .into_iter()
            .map(|(n, node)| NodeRow::new(n, 0, node))
            .collect(),
        replace: false,
        taken: Vec::new(),
        signals: Vec::new(),
        form: None,
        then,
    };
    store.write(write).await.unwrap();
}

#[tokio::test]
async fn the_questions_of_the_readme() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;

    let lease = created(store.write(held("req-42")).await.unwrap());
    let mut running = root(Status::Running);
    running.done_at = None;
    let mut waiting = node("text");
    (waiting.status, waiting.until) = (Status::Waiting, Some(Until::Signal));
    (waiting.done_at, waiting.output) = (None, None);
    waiting.attempts = 2;
    waiting.errors = vec!["not there".to_owned()];
    let nodes = vec![(0, running), (1, node("id")), (2, waiting)];
    written(&store, lease, nodes, LeaseAfter::Keep).await;

    let lease = created(store.write(held("req-43")).await.unwrap());
    let mut failed = root(Status::Undone);
    failed.errors = vec!["no room".to_owned(), "no money".to_owned()];
    written(&store, lease, vec![(0, failed)], rest(Due::Never)).await;

    let lease = created(store.write(held("req-44")).await.unwrap());
    let mut done = root(Status::Done);
    done.output = Some(Json::parse("7").unwrap());
    written(&store, lease, vec![(0, done)], rest(Due::Never)).await;

    // While the store has the file open.
    let conn = Connection::open(path(&folder)).unwrap();
    let answers: Vec<_> = queries().iter().map(|query| rows(&conn, query)).collect();
    let [running, failed, steps] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert_eq!(
        running[..],
        [[
            "req-42",
            "flow",
            "running",
            "2026-01-01T09:00:00.000Z",
            "worker"
        ]]
    );
    assert_eq!(
        failed[..],
        [[
            "req-43",
            "flow",
            "undone",
            "2026-01-01T09:00:00.250Z",
            "no money"
        ]]
    );
    assert_eq!(
        steps[..],
        [
            [
                "id",
                "done",
                "1",
                "2026-01-01T09:00:00.000Z",
                "249.999999",
                ""
            ],
            [
                "text",
                "waiting",
                "2",
                "2026-01-01T09:00:00.000Z",
                "",
                "not there"
            ],
        ]
    );
    // The steps of one execution are found by their row numbers, without a scan.
    let plan = format!("EXPLAIN QUERY PLAN {}", queries()[2]);
    let plan = rows(&conn, &plan).concat().join(" ");
    assert!(!plan.contains("SCAN"), "{plan}");
    let by_key = "SELECT node, execution FROM steps \
        WHERE id BETWEEN 1 << 24 AND (1 << 24) + 16777215";
    assert_eq!(rows(&conn, by_key)[..], [["1", "1"], ["2", "1"]]);
}
