//! Starts inside a transaction of the service's own: they are there if, and only if, it commits.

mod common;

use std::time::Duration;

use common::{
    backwards::Backwards,
    server::{Server, schema},
};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};
use steps::{
    Engine, Status,
    engine::{EngineError, FlowLimits, IfTaken},
    prelude::*,
};
use steps_core::store::{ChangeKind, ChangeQuery, ErrorKind, Store, Subscription, WhichChanges};
use steps_postgres::PostgresOptions;

const HOUR: Duration = Duration::from_hours(1);
const PATIENCE: Duration = Duration::from_mins(1);

#[step]
async fn pack(order: i64) -> Result<String, String> {
    Ok(format!("order {order} is packed"))
}

#[flow]
async fn fulfil(order: i64) -> Result<String, String> {
    steps! { text = pack(order); }
    Ok(text)
}

async fn pool() -> PgPool {
    PgPool::connect(&Server::shared().url()).await.unwrap()
}

fn store_of(pool: &PgPool, schema: &str) -> PostgresOptions {
    PostgresOptions::from_pool(pool.clone()).schema(schema)
}

/// An engine that does what others have left, if it hears of it, and that an engine of a service, which serves nothing.
async fn engines(pool: &PgPool, schema: &str) -> [Engine; 2] {
    let worker = Engine::with_store(store_of(pool, schema).open().await.unwrap());
    let worker = worker.poll(HOUR).lease(HOUR).serve(fulfil::with());
    let service = Engine::with_store(store_of(pool, schema).open().await.unwrap());
    [
        worker.start().await.unwrap(),
        service.start().await.unwrap(),
    ]
}

async fn end(engines: impl IntoIterator<Item = Engine>) {
    for engine in engines {
        engine.shutdown(Duration::from_secs(5)).await.unwrap();
    }
}

async fn is_there(engine: &Engine, id: &str) -> bool {
    match engine.get(id).await {
        Ok(_) => true,
        Err(EngineError::Unknown { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Makes a table of the service's own.
async fn orders(pool: &PgPool, schema: &str) -> String {
    let table = format!("orders_of_{schema}");
    let sql = format!("CREATE TABLE {table} (id bigint PRIMARY KEY)");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
    table
}

async fn insert(tx: &mut PgConnection, table: &str, order: i64) {
    let sql = format!("INSERT INTO {table} VALUES ($1)");
    let sql = sqlx::query(AssertSqlSafe(sql)).bind(order);
    sql.execute(tx).await.unwrap();
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    let sql = sqlx::query_scalar(AssertSqlSafe(sql));
    sql.fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_is_there_when_the_transaction_commits_and_others_hear_of_it() {
    let (schema, pool) = (schema(), pool().await);
    let engines = engines(&pool, &schema).await;
    let table = orders(&pool, &schema).await;
    let mut tx = pool.begin().await.unwrap();
    insert(&mut tx, &table, 7).await;
    let start = engines[1].start(fulfil::input(7)).id("order-7");
    let run = start.within(&mut tx).await.unwrap();
    assert_eq!(run.id(), "order-7");
    assert!(!is_there(&engines[1], "order-7").await);
    let outcome = run.outcome().await.unwrap_err();
    assert!(matches!(outcome, EngineError::Unknown { .. }), "{outcome}");
    tx.commit().await.unwrap();
    let outcome = tokio::time::timeout(PATIENCE, run.outcome()).await;
    assert_eq!(outcome.unwrap().unwrap(), "order 7 is packed");
    assert_eq!(count(&pool, &table).await, 1);
    end(engines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_transaction_that_is_rolled_back() {
    let (schema, pool) = (schema(), pool().await);
    let engines = engines(&pool, &schema).await;
    let table = orders(&pool, &schema).await;
    for ends_by_itself in [false, true] {
        let mut tx = pool.begin().await.unwrap();
        insert(&mut tx, &table, 7).await;
        let start = engines[1].start(fulfil::input(7)).id("order-7");
        start.within(&mut tx).await.unwrap();
        if ends_by_itself {
            drop(tx);
        } else {
            tx.rollback().await.unwrap();
        }
    }
    assert!(!is_there(&engines[1], "order-7").await);
    assert_eq!(count(&pool, &table).await, 0);
    // A savepoint of the transaction's own is rolled back as well, and the rest of it is kept.
    let mut tx = pool.begin().await.unwrap();
    insert(&mut tx, &table, 8).await;
    let mut part = sqlx::Connection::begin(&mut *tx).await.unwrap();
    let start = engines[1].start(fulfil::input(8)).id("order-8");
    start.within(&mut part).await.unwrap();
    part.rollback().await.unwrap();
    tx.commit().await.unwrap();
    assert!(!is_there(&engines[1], "order-8").await);
    assert_eq!(count(&pool, &table).await, 1);
    end(engines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_is_there_is_given_back_or_refused_and_the_transaction_goes_on() {
    let (schema, pool) = (schema(), pool().await);
    let engines = engines(&pool, &schema).await;
    let service = &engines[1];
    let table = orders(&pool, &schema).await;
    let first = service.start(fulfil::input(1)).id("one").await.unwrap();
    first.outcome().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    insert(&mut tx, &table, 1).await;
    let same = service.start(fulfil::input(1)).id("one");
    let same = same.within(&mut tx).await.unwrap();
    assert_eq!(same.outcome().await.unwrap(), "order 1 is packed");
    let other = service.start(fulfil::input(2)).id("one");
    let other = other.within(&mut tx).await.unwrap_err();
    assert!(matches!(other, EngineError::OtherInput { .. }), "{other}");
    let bad = service.start(fulfil::input(2)).id("");
    let bad = bad.within(&mut tx).await.unwrap_err();
    assert!(matches!(bad, EngineError::Id { .. }), "{bad}");
    let two = service.start(fulfil::input(2)).id("two");
    let two = two.within(&mut tx).await.unwrap();
    // One that this transaction has started itself is there for it.
    let again = service.start(fulfil::input(2)).id("two");
    again.within(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(two.outcome().await.unwrap(), "order 2 is packed");
    assert_eq!(count(&pool, &table).await, 1);
    end(engines).await;
}

/// The second waits until the first has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_transactions_that_start_one_id_or_one_key_one_starts_it() {
    let (schema, pool) = (schema(), pool().await);
    let [worker, service] = engines(&pool, &schema).await;
    worker.shutdown(Duration::from_secs(5)).await.unwrap();
    for (first_id, second_id) in [("a", "a"), ("b", "c")] {
        for commits in [false, true] {
            let mut first = pool.begin().await.unwrap();
            let start = service
                .start(fulfil::input(1))
                .id(first_id)
                .singleton("key");
            start.within(&mut first).await.unwrap();
            let (engine, pool) = (service.clone(), pool.clone());
            let second = tokio::spawn(async move {
                let mut tx = pool.begin().await.unwrap();
                let start = engine.start(fulfil::input(1)).id(second_id);
                let start = start.singleton("key").if_taken(IfTaken::Refuse);
                let done = start.within(&mut tx).await;
                tx.rollback().await.unwrap();
                done
            });
            waits_for_another(&schema).await;
            if commits {
                first.commit().await.unwrap();
            } else {
                first.rollback().await.unwrap();
            }
            match second.await.unwrap() {
                Ok(run) => {
                    assert_eq!(run.id(), second_id);
                    assert!(!commits || first_id == second_id);
                }
                Err(EngineError::Taken { by, .. }) => assert!(commits && by == first_id),
                Err(error) => panic!("{error}"),
            }
        }
        // Nobody works on it here: its key is free when it has ended.
        let sql = format!("UPDATE {schema}.executions SET status = 'stopped', due_at = NULL");
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&pool)
            .await
            .unwrap();
    }
    end([service]).await;
}

/// Waits until a transaction waits for the end of another one.
async fn waits_for_another(schema: &str) {
    let pool = pool().await;
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
    let waits = async {
        loop {
            let sql = sqlx::query_scalar(sql).bind(format!("%\"{schema}\".executions%"));
            let waiting: i64 = sql.fetch_one(&pool).await.unwrap();
            if waiting > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_set_goes_with_it() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (schema, pool) = (schema(), pool().await);
    let [worker, service] = engines(&pool, &schema).await;
    worker.shutdown(Duration::from_secs(5)).await.unwrap();
    let start = |id: &str| {
        let start = service.start(fulfil::input(3)).id(id).label("tenant", "t1");
        let attrs = std::collections::BTreeMap::from([("weight", 9_007_199_254_740_993_u64)]);
        let start = start.attrs(attrs).trigger("webhook").priority(-7);
        start.status_message("new").traceparent(TRACE).after(HOUR)
    };
    start("plain").await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    start("within")
        .singleton("key")
        .within(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let of = async |id: &str| service.get(id).await.unwrap().info().await.unwrap();
    let (plain, within) = (of("plain").await, of("within").await);
    assert_eq!(within.labels, plain.labels);
    assert_eq!(within.attrs, plain.attrs);
    assert_eq!(within.trigger, plain.trigger);
    assert_eq!(within.status_message, plain.status_message);
    assert_eq!(within.priority, plain.priority);
    assert_eq!(within.trace.unwrap().traceparent(), TRACE);
    assert_eq!(within.status, Status::Pending);
    let later = within.due.unwrap().duration_since(plain.due.unwrap());
    assert!(later.as_secs().abs() < 60, "{later:?}");
    let mut tx = pool.begin().await.unwrap();
    let taken = start("third").singleton("key");
    let taken = taken.within(&mut tx).await.unwrap_err();
    assert!(
        matches!(&taken, EngineError::Taken { by, .. } if by == "within"),
        "{taken}"
    );
    let skips = start("third").singleton("key").if_taken(IfTaken::Skip);
    assert_eq!(skips.within(&mut tx).await.unwrap().id(), "within");
    let stops = start("third").singleton("key").if_taken(IfTaken::Stop);
    let stops = stops.within(&mut tx).await.unwrap_err();
    assert!(
        stops.to_string().contains("within a transaction"),
        "{stops}"
    );
    tx.commit().await.unwrap();
    assert!(!is_there(&service, "third").await);
    end([service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_for_it() {
    let (schema, pool) = (schema(), pool().await);
    let engines = engines(&pool, &schema).await;
    let flow = engines[1].flow("fulfil");
    flow.limit(FlowLimits::new().at_once(1)).await.unwrap();
    flow.pause().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let start = engines[1].start(fulfil::input(1)).id("one");
    let run = start.within(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let gate = format!("SELECT gate FROM {schema}.executions WHERE id = 'one'");
    let gate = sqlx::query_scalar(AssertSqlSafe(gate));
    let gate: Option<String> = gate.fetch_one(&pool).await.unwrap();
    assert_eq!(gate.as_deref(), Some("-"));
    let waits = tokio::time::timeout(Duration::from_millis(500), run.outcome()).await;
    assert!(waits.is_err(), "{waits:?}");
    flow.resume().await.unwrap();
    // It is no news that a flow may go on; a start is.
    engines[1].start(fulfil::input(2)).id("two").await.unwrap();
    assert_eq!(run.outcome().await.unwrap(), "order 1 is packed");
    end(engines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_of_changes_is_told_of_it_after_the_commit() {
    let (schema, pool) = (schema(), pool().await);
    let [worker, service] = engines(&pool, &schema).await;
    worker.shutdown(Duration::from_secs(5)).await.unwrap();
    let store = store_of(&pool, &schema).open().await.unwrap();
    let subscription = Subscription {
        name: "all".to_owned(),
        kind: ChangeKind::Execution,
        flows: Vec::new(),
        statuses: Vec::new(),
    };
    store.subscribe(subscription).await.unwrap();
    for (id, commits) in [("lost", false), ("kept", true)] {
        let mut tx = pool.begin().await.unwrap();
        let start = service.start(fulfil::input(1)).id(id);
        start.within(&mut tx).await.unwrap();
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
    }
    let query = ChangeQuery {
        subscription: "all".to_owned(),
        which: WhichChanges::New { after: 0 },
        limit: 10,
    };
    let changes = store.changes(query).await.unwrap();
    let ids: Vec<&str> = changes.iter().map(|change| &*change.execution).collect();
    assert_eq!(ids, ["kept"]);
    end([service]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_codec_encodes_it() {
    let (schema, pool) = (schema(), pool().await);
    let store = store_of(&pool, &schema).open().await.unwrap();
    let engine = Engine::with_store(store).codec(Backwards);
    let engine = engine.serve(fulfil::with()).start().await.unwrap();
    let start = |id: &str| engine.start(fulfil::input(42_424_242)).id(id);
    let mut tx = pool.begin().await.unwrap();
    let run = start("one").within(&mut tx).await.unwrap();
    let input = format!("SELECT input FROM {schema}.executions");
    let input = sqlx::query_scalar(AssertSqlSafe(input));
    let input: String = input.fetch_one(&mut *tx).await.unwrap();
    assert!(!input.contains("42424242"), "{input}");
    let again = start("one").within(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    for run in [run, again] {
        assert_eq!(run.outcome().await.unwrap(), "order 42424242 is packed");
    }
    end([engine]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_store_and_another_transaction_are_refused() {
    let (schema, pool) = (schema(), pool().await);
    let engine = Engine::open("memory:").await.unwrap();
    let engine = engine.serve(fulfil::with()).start().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let start = engine.start(fulfil::input(1)).id("one");
    let error = start.within(&mut tx).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::Store(error) if error.kind() == ErrorKind::Rejected),
        "{error}"
    );
    assert!(!is_there(&engine, "one").await);
    tx.rollback().await.unwrap();
    end([engine]).await;
    let [worker, service] = engines(&pool, &schema).await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    let mut tx: Transaction<'_, Postgres> = pool.begin_with(begin).await.unwrap();
    let start = service.start(fulfil::input(1)).id("one");
    let error = start.within(&mut tx).await.unwrap_err();
    assert!(error.to_string().contains("REPEATABLE READ"), "{error}");
    // It goes on.
    let one: i32 = sqlx::query_scalar("SELECT 1")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    assert_eq!(one, 1);
    tx.commit().await.unwrap();
    assert!(!is_there(&service, "one").await);
    end([worker, service]).await;
}
