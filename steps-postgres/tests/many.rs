//! Many executions: many workers that claim them at once, and statements that find what they need by an index.

mod common;

use std::{collections::HashSet, env, sync::Arc, time::Duration};

use common::{
    connect,
    server::{Server, schema},
    writes::{claim, created, due, held, step},
};
use sqlx::{AssertSqlSafe, Connection as _};
use steps_core::{
    Status,
    store::{
        Claim, Due, ExecutionQuery, LeaseAfter, Message, MessageReceipt, Queue, Renew, Renewal,
        SendMessage, Store, Write,
    },
};
use steps_postgres::{PostgresOptions, PostgresStore};

async fn open(schema: &str, connections: u32) -> PostgresStore {
    let options = PostgresOptions::from_url(&Server::shared().url()).unwrap();
    let options = options.schema(schema).connections(connections);
    options.open().await.unwrap()
}

/// Each worker has a connection of its own, as if it were a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_workers_that_claim_at_once_take_each_execution_once() {
    const MANY: usize = 1_000;
    const WORKERS: usize = 16;
    let schema = schema();
    let store = Arc::new(open(&schema, 10).await);
    let made = (0..MANY).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { created(store.write(due(&n.to_string())).await.unwrap()) })
    });
    for made in made.collect::<Vec<_>>() {
        made.await.unwrap();
    }
    let start = Arc::new(tokio::sync::Barrier::new(WORKERS));
    let workers = (0..WORKERS).map(|number| {
        let (schema, start) = (schema.clone(), Arc::clone(&start));
        tokio::spawn(async move {
            let store = open(&schema, 1).await;
            let mut taken = Vec::new();
            start.wait().await;
            loop {
                let claim = Claim {
                    worker: format!("worker {number}"),
                    ..claim()
                };
                let claimed = store.claim(claim).await.unwrap();
                if claimed.taken.is_empty() {
                    // Others may have had the last of them locked: what they have not taken is due still.
                    if claimed.next_due.is_none_or(|next| next > claimed.now) {
                        break;
                    }
                    continue;
                }
                for execution in claimed.taken {
                    assert_eq!(execution.lease.fence, 2, "made, and taken once");
                    taken.push(execution.info.id);
                }
            }
            store.close().await.unwrap();
            taken
        })
    });
    let mut all = HashSet::new();
    let mut busy = 0;
    for worker in workers.collect::<Vec<_>>() {
        let taken = worker.await.unwrap();
        busy += usize::from(!taken.is_empty());
        for id in taken {
            assert!(all.insert(id.clone()), "{id} was taken twice");
        }
    }
    assert_eq!(all.len(), MANY);
    assert!(
        busy > 1,
        "one worker was so quick that the others found nothing"
    );
    store.close().await.unwrap();
}

/// Puts so many executions there, most of which have ended, some wait, and some are due; each with two nodes and a label.
async fn fill(schema: &str, rows: i64) {
    let s = schema;
    let sql = format!(
        "SET synchronous_commit = off; \
        INSERT INTO {s}.executions (id, flow, status, priority, created_at, updated_at, started_at, done_at, due_at, fence, \
            input, name, attempts) \
        SELECT 'old ' || n, 'flow', CASE WHEN n % 10 = 0 THEN 'waiting' WHEN n % 1000 = 1 THEN 'pending' ELSE 'done' END, \
            0, n, n, n, CASE WHEN n % 10 > 1 THEN n END, \
            CASE WHEN n % 10 = 0 THEN 4000000000000000000 WHEN n % 1000 = 1 THEN n END, 1, '1', 'flow', 1 \
        FROM generate_series(1, {rows}) n; \
        INSERT INTO {s}.node_rows (execution, node, parent, name, kind, status, attempts, next) \
        SELECT key, n, 0, 'a', 'step', 'done', 1, CASE WHEN n = 1 THEN 'a' WHEN key % 10 = 0 THEN 'next' END \
        FROM {s}.executions, generate_series(1, 2) n; \
        INSERT INTO {s}.labels (execution, name, value) \
        SELECT key, 'tenant', 'tenant ' || key % 10000 FROM {s}.executions; \
        INSERT INTO {s}.messages (execution, kind, path, value, sent_at) \
        SELECT key, 'signal', 'a', '1', 1 FROM {s}.executions WHERE key % 10 = 0; \
        VACUUM ANALYZE {s}.executions"
    );
    let mut conn = connect().await;
    for sql in sql.split("; ").map(str::to_owned) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        sql.execute(&mut conn).await.unwrap();
    }
    for table in ["node_rows", "labels", "messages"] {
        let sql = format!("VACUUM ANALYZE {s}.{table}");
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        sql.execute(&mut conn).await.unwrap();
    }
}

/// How often each large table was read from its beginning to its end.
async fn scans(schema: &str) -> Vec<(String, i64)> {
    let sql = "SELECT relname::text, seq_scan FROM pg_stat_user_tables WHERE schemaname = $1 \
        AND relname IN ('executions', 'node_rows', 'labels', 'messages') ORDER BY relname";
    let mut conn = connect().await;
    let sql = sqlx::query_as(sql).bind(schema);
    sql.fetch_all(&mut conn).await.unwrap()
}

/// Makes a call on connections of its own, and looks which tables it has read whole: the server counts what a connection
/// has done when that ends.
async fn reads_no_table_whole<T>(
    schema: &str,
    what: &str,
    call: impl AsyncFnOnce(&PostgresStore) -> T,
) -> T {
    let before = settled(schema).await;
    let store = open(schema, 1).await;
    let answer = call(&store).await;
    store.close().await.unwrap();
    let after = settled(schema).await;
    assert_eq!(
        after, before,
        "{what}: tables that are read whole, and how often"
    );
    answer
}

/// `STEPS_ROWS=1000000` sets how many executions there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_of_an_engine_reads_a_whole_table() {
    let rows = env::var("STEPS_ROWS").map_or(50_000, |rows| rows.parse().expect("a number"));
    let schema = &schema();
    let first = open(schema, 1).await;
    first.close().await.unwrap();
    fill(schema, rows).await;
    let claims = async |store: &PostgresStore| store.claim(claim()).await.unwrap().taken;
    let taken = reads_no_table_whole(schema, "claim", claims).await;
    assert_eq!(taken.len(), 10);
    assert!(taken.iter().all(|it| it.nodes.len() == 3), "with the root");
    let lease = taken[0].lease;

    let renew = async |store: &PostgresStore| {
        let held = taken.iter().map(|it| (it.lease, 0)).collect();
        let some = Renew::some(Duration::from_mins(1), held);
        store.renew(some.clone()).await.unwrap();
        let all = Renew {
            all_of: Some("worker".to_owned()),
            ..some
        };
        store.renew(all.clone()).await.unwrap();
        store.renew(all).await.unwrap()
    };
    let renewed = reads_no_table_whole(schema, "renew", renew).await;
    assert!(renewed.iter().all(|it| matches!(it, Renewal::Held(_))));

    let write = async |store: &PostgresStore| {
        for taken in &taken {
            store.write(step(taken.lease, 3, "b")).await.unwrap();
        }
        let last = Write {
            then: LeaseAfter::Release {
                due: Due::Never,
                last_message: 0,
            },
            ..step(lease, 4, "c")
        };
        store.write(last).await.unwrap();
    };
    reads_no_table_whole(schema, "write", write).await;

    let make = async |store: &PostgresStore| created(store.write(held("new")).await.unwrap());
    reads_no_table_whole(schema, "a new execution", make).await;

    let send = async |store: &PostgresStore| {
        let message = SendMessage {
            id: "old 10".to_owned(),
            message: Message::Stop,
            if_status: Vec::new(),
            if_taken: None,
            queue: Queue::Replace,
        };
        store.send(message).await.unwrap()
    };
    let receipt = reads_no_table_whole(schema, "send", send).await;
    assert!(matches!(receipt, MessageReceipt::Stored(_)), "{receipt:?}");

    let load = async |store: &PostgresStore| store.load("old 77".to_owned()).await.unwrap();
    assert!(reads_no_table_whole(schema, "load", load).await.is_some());

    let mut query = ExecutionQuery::default();
    query.limit = Some(50);
    let list = async |store: &PostgresStore| store.list(query.clone()).await.unwrap();
    let listed = reads_no_table_whole(schema, "list", list).await;
    assert_eq!(listed.len(), 50);
    query.flows = vec!["flow".to_owned()];
    query.status = vec![Status::Pending];
    let list = async |store: &PostgresStore| store.list(query).await.unwrap();
    let listed = reads_no_table_whole(schema, "list of a flow and a status", list).await;
    assert!(listed.len() > 30, "{}", listed.len());

    // That such reading is counted is seen by one that is.
    let before = settled(schema).await;
    let mut conn = connect().await;
    let sql = format!("SELECT count(*) FROM {schema}.nodes WHERE name = 'b'");
    let sql = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql));
    assert_eq!(sql.fetch_one(&mut conn).await.unwrap(), 10);
    conn.close().await.unwrap();
    assert_ne!(settled(schema).await, before);
}

/// How many rows of each table were read, in whatever way.
async fn rows_read(schema: &str) -> i64 {
    settled(schema).await;
    let sql = "SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_user_tables WHERE schemaname = $1";
    let sql = sqlx::query_scalar(sql).bind(schema);
    sql.fetch_one(&mut connect().await).await.unwrap()
}

/// Makes an execution, and claims and writes what it takes to end it.
async fn run_one(store: &PostgresStore, id: &str) {
    created(store.write(due(id)).await.unwrap());
    let claimed = store.claim(claim()).await.unwrap();
    assert_eq!(claimed.taken.len(), 1);
    let lease = claimed.taken[0].lease;
    let mut root = step(lease, 0, "flow");
    for write in [root.clone(), step(lease, 1, "a"), step(lease, 2, "b")] {
        store.write(write).await.unwrap();
    }
    root.then = LeaseAfter::Release {
        due: Due::Never,
        last_message: 0,
    };
    store.write(root).await.unwrap();
}

/// The server keeps the plan that it has made for a statement, which for empty tables was to read all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_what_was_planned_for_empty_tables_reads_no_others() {
    const ROWS: i64 = 3_000;
    let schema = &schema();
    let store = open(schema, 2).await;
    for n in 0..12 {
        run_one(&store, &format!("first {n}")).await;
    }
    let sql = format!(
        "INSERT INTO {schema}.executions (id, flow, status, priority, created_at, updated_at, fence, input) \
         SELECT 'old ' || n, 'flow', 'done', 0, n, n, 1, '1' FROM generate_series(1, {ROWS}) n; \
         INSERT INTO {schema}.node_rows (execution, node, parent, name, kind, status, attempts) \
         SELECT n, 1000, 0, 'a', 'step', 'done', 1 FROM generate_series(1, {ROWS}) n"
    );
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    sql.execute(&mut connect().await).await.unwrap();
    let before = rows_read(schema).await;
    for n in 0..12 {
        run_one(&store, &format!("then {n}")).await;
    }
    store.close().await.unwrap();
    let read = rows_read(schema).await - before;
    assert!(read > 24, "what was read is counted: {read}");
    assert!(read < ROWS, "{read} rows for 12 executions");
}

/// Returns the counts once they change no more.
async fn settled(schema: &str) -> Vec<(String, i64)> {
    let mut last = scans(schema).await;
    let mut same = 0;
    while same < 3 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let now = scans(schema).await;
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}
