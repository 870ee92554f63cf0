//! The tables: what is in them, and how older ones are brought up to date.

mod common;

use common::{
    connect,
    server::{Server, schema},
    writes::{claim, created, due, held, step},
};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use steps_core::{
    Status,
    store::{Lease, NodeRow, Store, Write},
};
use steps_postgres::{PostgresOptions, PostgresStore};

/// What made the tables of each version up to 3.
const VERSIONS: [&str; 3] = [
    include_str!("../src/server/schema/v1.sql"),
    include_str!("../src/server/schema/v2.sql"),
    include_str!("../src/server/schema/v3.sql"),
];

async fn open(schema: &str) -> PostgresStore {
    let options = PostgresOptions::from_url(&Server::shared().url()).unwrap();
    options.schema(schema).open().await.unwrap()
}

async fn raw(sql: String) -> Result<(), sqlx::Error> {
    let mut conn = connect().await;
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    sql.execute(&mut conn).await.map(drop)
}

/// The numbers, names and statuses of an execution's nodes in a table or a view, in their order.
async fn nodes(schema: &str, table: &str, id: &str) -> Vec<(i64, String, String)> {
    let sql = format!(
        "SELECT n.node, n.name, n.status FROM {schema}.{table} n JOIN {schema}.executions e ON e.key = n.execution \
        WHERE e.id = '{id}' ORDER BY n.node"
    );
    let found = sqlx::query_as(AssertSqlSafe(sql));
    found.fetch_all(&mut connect().await).await.unwrap()
}

fn second(n: u32) -> Option<Timestamp> {
    Timestamp::from_second(n.into()).ok()
}

/// The end of a step, and the beginning of the next one.
fn goes_on(lease: Lease, id: u32, next: Option<&str>) -> Write {
    let mut write = step(lease, id, &format!("step {id}"));
    write.nodes[0].node.done_at = second(id);
    write.nodes[0].node.started_at = second(id - 1);
    if let Some(next) = next {
        let mut begun = step(lease, id + 1, next).nodes.remove(0).node;
        (begun.status, begun.started_at, begun.output) = (Status::Running, second(id), None);
        write.nodes.push(NodeRow::new(id + 1, 0, begun));
        write.new_from = Some(id + 1);
    }
    write
}

fn is(nodes: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    let own =
        |(n, name, status): &(i64, &str, &str)| (*n, (*name).to_owned(), (*status).to_owned());
    nodes.iter().map(own).collect()
}

#[tokio::test]
async fn a_step_takes_one_row() {
    let schema = schema();
    let store = open(&schema).await;
    let lease = created(store.write(held("x")).await.unwrap());
    for id in 1..=2 {
        let next = format!("step {}", id + 1);
        let write = goes_on(lease, id, Some(&next));
        store.write(write).await.unwrap();
    }
    let done = [(1, "step 1", "done"), (2, "step 2", "done")];
    assert_eq!(nodes(&schema, "node_rows", "x").await, is(&done));
    let all = [done[0], done[1], (3, "step 3", "running")];
    assert_eq!(nodes(&schema, "nodes", "x").await, is(&all));
    let third = async || {
        let loaded = store.load("x".to_owned()).await.unwrap();
        loaded.unwrap().nodes.remove(2).node
    };
    let begun = goes_on(lease, 2, Some("step 3")).nodes.remove(1).node;
    assert_eq!(third().await, begun);

    // A row that changes gives the next step its own.
    store.write(goes_on(lease, 2, None)).await.unwrap();
    assert_eq!(nodes(&schema, "node_rows", "x").await, is(&all));
    assert_eq!(nodes(&schema, "nodes", "x").await, is(&all));
    assert_eq!(third().await, begun);

    // Without a word of what is new, each has its own.
    let lease = created(store.write(held("y")).await.unwrap());
    let mut write = goes_on(lease, 1, Some("step 2"));
    write.new_from = None;
    store.write(write).await.unwrap();
    let both = [(1, "step 1", "done"), (2, "step 2", "running")];
    assert_eq!(nodes(&schema, "node_rows", "y").await, is(&both));
    store.close().await.unwrap();
}

#[tokio::test]
async fn tables_of_version_3_are_brought_up_to_date() {
    let schema = schema();
    raw(format!("CREATE SCHEMA \"{schema}\"")).await.unwrap();
    for version in VERSIONS {
        raw(version.replace("%.", &format!("\"{schema}\".")))
            .await
            .unwrap();
    }
    let older = format!(
        "INSERT INTO {schema}.executions (id, flow, status, priority, created_at, updated_at, started_at, due_at, fence, \
            input, name, attempts) VALUES ('old', 'flow', 'waiting', 0, 1, 1, 1, 1, 1, '1', 'flow', 0)"
    );
    raw(older).await.unwrap();
    let node = |n: i64| {
        format!(
            "INSERT INTO {schema}.nodes (execution, node, parent, name, kind, status, attempts) \
            SELECT key, {n}, 0, 'step {n}', 'step', 'done', 1 FROM {schema}.executions WHERE id = 'old'"
        )
    };
    raw(node(1)).await.unwrap();

    let store = open(&schema).await;
    assert_eq!(
        nodes(&schema, "nodes", "old").await,
        is(&[(1, "step 1", "done")])
    );
    let taken = store.claim(claim()).await.unwrap().taken;
    let lease = taken[0].lease;
    assert_eq!(taken[0].nodes.len(), 2, "with the root");
    store
        .write(goes_on(lease, 2, Some("step 3")))
        .await
        .unwrap();
    let loaded = store.load("old".to_owned()).await.unwrap().unwrap();
    assert_eq!(loaded.nodes.len(), 4, "{:?}", loaded.nodes);
    // A process that was started before that would not know of the third step.
    let error = raw(node(4)).await.unwrap_err().to_string();
    assert!(error.contains("view \"nodes\""), "{error}");
    store.write(due("new")).await.unwrap();
    store.close().await.unwrap();
}
