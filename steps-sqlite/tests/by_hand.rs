//! What `sqlite3` shows of a file that the store has written: the SQL queries of the README, and
//! steps that have begun.

mod common;

use std::time::Duration;

use common::*;
use rusqlite::{Connection, types::Value};
use steps_core::{
    Json, State, Status,
    state::{Kind, Until},
    store::{Acquire, Acquired, Due, Lease, LeaseAfter, NodeRow, Store, TakeOver, Target, Write},
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
        nodes: nodes
            .into_iter()
            .map(|(n, node)| NodeRow::new(n, 0, node))
            .collect(),
        ..Write::new(Target::Held(lease), then)
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
    // The steps of one execution are found by their row numbers, without a scan of a table.
    let by_key = "SELECT node, execution FROM steps WHERE execution = 1";
    for query in [&queries()[2], by_key] {
        let plan = rows(&conn, &format!("EXPLAIN QUERY PLAN {query}"));
        for line in plan.concat() {
            let scans_table = line.starts_with("SCAN e") || line.starts_with("SCAN n");
            assert!(!scans_table, "{line}");
        }
    }
    assert_eq!(rows(&conn, by_key)[..], [["1", "1"], ["2", "1"]]);
}

/// For each execution SQLite looked through all rows that an index had found, which it had made for the word: more than
/// ten minutes for 30,000 executions.
#[tokio::test]
async fn regression_a_view_that_is_asked_for_a_word_finds_rows_by_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("req-42")).await.unwrap());
    let nodes = vec![(0, root(Status::Running)), (1, node("a"))];
    written(&store, lease, nodes, LeaseAfter::Keep).await;
    let conn = Connection::open(path(&folder)).unwrap();
    for (query, found) in [
        ("SELECT count(*) FROM steps WHERE status = 'done'", "1"),
        (
            "SELECT count(*) FROM steps WHERE name = 'a' AND parent = 0",
            "1",
        ),
        (
            "SELECT count(*) FROM step_times WHERE status = 'failed'",
            "0",
        ),
        (
            "SELECT count(*) FROM step_times t JOIN execution_times e ON e.id = t.execution \
             WHERE t.name = 'a' AND e.status = 'running'",
            "1",
        ),
        (
            "SELECT count(*) FROM executions e JOIN steps s ON s.execution = e.key \
             WHERE e.status = 'running' AND s.status = 'done'",
            "1",
        ),
    ] {
        let plan = rows(&conn, &format!("EXPLAIN QUERY PLAN {query}")).concat();
        let of_nodes = plan.iter().filter(|line| line.contains(" n "));
        let of_nodes: Vec<&String> = of_nodes.collect();
        assert_eq!(of_nodes.len(), 2, "{query}: {plan:#?}");
        for line in of_nodes {
            let by_number = "SEARCH n USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
            assert_eq!(line, by_number, "{query}: {plan:#?}");
        }
        assert_eq!(rows(&conn, query)[..], [[found]], "{query}");
    }
}

/// A step that has begun when the one before it ended.
fn begun(name: &str, before: &State) -> State {
    let mut begun = node(name);
    (begun.status, begun.started_at) = (Status::Running, before.done_at);
    (begun.done_at, begun.output) = (None, None);
    begun
}

/// What `sqlite3` shows of the steps, and what the store reads, which must be the same.
async fn steps(store: &SqliteStore, folder: &tempfile::TempDir) -> Vec<String> {
    let conn = Connection::open(path(folder)).unwrap();
    let of =
        |table| format!("SELECT node, name, status, attempts, kind FROM {table} ORDER BY node");
    let shown = rows(&conn, &of("steps"));
    assert_eq!(shown, rows(&conn, &of("step_times")));
    let begun = "SELECT count(*) FROM step_times WHERE started IS NULL AND status != 'pending'";
    assert_eq!(rows(&conn, begun)[..], [["0"]]);
    let saved = store.load("req-42".to_owned()).await.unwrap().unwrap();
    let read = saved.nodes.iter().map(|NodeRow { id, node, .. }| {
        let (status, kind) = (node.status.to_string(), node.kind.to_string());
        [
            id.to_string(),
            node.name.to_string(),
            status,
            node.attempts.to_string(),
            kind,
        ]
    });
    assert_eq!(shown, read.map(Vec::from).collect::<Vec<_>>());
    shown.iter().map(|row| row[..4].join(" ")).collect()
}

fn row_count(folder: &tempfile::TempDir) -> i64 {
    let conn = Connection::open(path(folder)).unwrap();
    conn.query_row("SELECT count(*) FROM nodes", [], |row| row.get(0))
        .unwrap()
}

/// A step takes one row. What runs is shown at once all the same.
#[tokio::test]
async fn a_step_that_begins_where_another_ends_is_shown_and_read_without_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("req-42")).await.unwrap());
    let (a, b) = (node("a"), node("b"));
    let nodes = vec![(1, a.clone()), (2, begun("b", &a))];
    written(&store, lease, nodes, LeaseAfter::Keep).await;
    assert_eq!(
        steps(&store, &folder).await,
        ["1 a done 1", "2 b running 1"]
    );
    assert_eq!(row_count(&folder), 1);
    let read = store.load("req-42".to_owned()).await.unwrap().unwrap();
    assert_eq!(State::from(read.nodes[1].node.clone()), begun("b", &a));

    let nodes = vec![(2, b.clone()), (3, begun("c", &b))];
    written(&store, lease, nodes, LeaseAfter::Keep).await;
    let now = ["1 a done 1", "2 b done 1", "3 c running 1"];
    assert_eq!(steps(&store, &folder).await, now);
    assert_eq!(row_count(&folder), 2);
}

/// What is more than a beginning has its own row at once.
#[tokio::test]
async fn a_beginning_of_which_more_is_known_has_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let lease = created(store.write(held("req-42")).await.unwrap());
    let a = node("a");
    let mut others = [0; 6].map(|_| begun("b", &a));
    others[0].attempts = 2;
    others[1].deaths = 1;
    others[2].generation = Some(1);
    others[3].started_at = node("a").started_at;
    others[4].kind = Kind::Flow;
    others[5].input = Some(Json::parse("1").unwrap());
    for (index, other) in (0..).zip(others) {
        let first = 1 + 2 * index;
        let nodes = vec![(first, a.clone()), (first + 1, other.clone())];
        written(&store, lease, nodes, LeaseAfter::Keep).await;
        assert_eq!(row_count(&folder), i64::from(first + 1));
        let read = store.load("req-42".to_owned()).await.unwrap().unwrap();
        let read = read.nodes.last().unwrap();
        assert_eq!(
            (read.id, State::from(read.node.clone())),
            (first + 1, other)
        );
    }
}

/// The risk of the short form: the row that tells of a beginning is written again, as by an undo or
/// after a crash, and then nobody would know that the step may have run.
#[tokio::test]
async fn a_beginning_outlasts_the_row_that_told_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut lease = created(store.write(held("req-42")).await.unwrap());
    let a = node("a");
    let nodes = vec![(1, a.clone()), (2, begun("b", &a))];
    written(&store, lease, nodes, LeaseAfter::Keep).await;
    for (status, told) in [
        (Status::Undoing, "1 a undoing 1"),
        (Status::Undone, "1 a undone 1"),
    ] {
        // The second time somebody else does it.
        let mut again = a.clone();
        (again.status, again.done_at) = (status, None);
        written(&store, lease, vec![(1, again)], LeaseAfter::Keep).await;
        assert_eq!(steps(&store, &folder).await, [told, "2 b running 1"]);
        let taken = store.acquire(taken_over()).await.unwrap();
        let Acquired::Held(taken) = taken else {
            panic!("{taken:?}")
        };
        let read = State::from(taken.nodes[1].node.clone());
        assert_eq!(read, begun("b", &a));
        lease = taken.lease;
    }
    // A second and a third attempt are rows of their own.
    for attempts in [2, 3] {
        let mut again = begun("b", &a);
        again.attempts = attempts;
        written(&store, lease, vec![(2, again)], LeaseAfter::Keep).await;
        let now = ["1 a undone 1".to_owned(), format!("2 b running {attempts}")];
        assert_eq!(steps(&store, &folder).await, now);
    }
}

/// A step that was cleared and begins anew, when the one before it ends anew, has a row already.
#[tokio::test]
async fn a_step_that_begins_anew_is_not_read_from_its_old_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut lease = created(store.write(held("req-42")).await.unwrap());
    let a = node("a");
    for taken_over_before in [false, true] {
        let nodes = vec![(1, a.clone()), (2, node("b"))];
        written(&store, lease, nodes, LeaseAfter::Keep).await;
        if taken_over_before {
            let taken = store.acquire(taken_over()).await.unwrap();
            let Acquired::Held(taken) = taken else {
                panic!("{taken:?}")
            };
            lease = taken.lease;
        }
        let nodes = vec![(1, a.clone()), (2, begun("b", &a))];
        written(&store, lease, nodes, LeaseAfter::Keep).await;
        assert_eq!(
            steps(&store, &folder).await,
            ["1 a done 1", "2 b running 1"]
        );
    }
}

fn taken_over() -> Acquire {
    Acquire {
        id: "req-42".to_owned(),
        worker: "another".to_owned(),
        lease: Duration::from_mins(1),
        over: TakeOver::Any,
    }
}
