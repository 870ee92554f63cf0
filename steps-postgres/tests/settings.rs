//! What a store refuses to be opened on, and what its errors say.

mod common;

use common::{
    connect,
    server::{Server, schema},
    writes::{claim, created, due, held, step},
};
use sqlx::{AssertSqlSafe, Connection as _, PgPool, postgres::PgPoolOptions};
use steps_core::store::{ErrorKind, Store, StoreError, Written};
use steps_postgres::{PostgresOptions, PostgresStore};

fn options() -> PostgresOptions {
    PostgresOptions::from_url(&Server::shared().url()).unwrap()
}

async fn raw(sql: String) {
    let mut conn = connect().await;
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    sql.execute(&mut conn).await.unwrap();
}

/// A pool for which a setting of the server is another one.
async fn pool_with(setting: &'static str) -> PgPool {
    let pool = PgPoolOptions::new().after_connect(move |conn, _| {
        Box::pin(async move {
            sqlx::raw_sql(setting).execute(conn).await?;
            Ok(())
        })
    });
    pool.connect(&Server::shared().url()).await.unwrap()
}

fn refused(opened: Result<PostgresStore, StoreError>, kind: ErrorKind, says: &str) {
    let error = opened.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[tokio::test]
async fn a_server_that_loses_what_it_has_acknowledged_is_refused_unless_that_is_allowed() {
    let pool = pool_with("SET synchronous_commit = off").await;
    let options = PostgresOptions::from_pool(pool).schema(schema());
    refused(
        options.clone().open().await,
        ErrorKind::Other,
        "`synchronous_commit` is off",
    );
    let store = options.unsafe_commits().open().await.unwrap();
    created(store.write(held("id")).await.unwrap());
}

/// How plans are made is said for the store's own transactions, and for no longer.
#[tokio::test]
async fn a_pool_that_is_lent_keeps_its_settings() {
    let url = Server::shared().url();
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await;
    let pool = pool.unwrap();
    let options = PostgresOptions::from_pool(pool.clone()).schema(schema());
    let store = options.open().await.unwrap();
    created(store.write(due("id")).await.unwrap());
    let claimed = store.claim(claim()).await.unwrap();
    let write = step(claimed.taken[0].lease, 1, "a");
    assert!(matches!(store.write(write).await.unwrap(), Written::Kept));
    store.close().await.unwrap();
    for (name, value) in [
        ("plan_cache_mode", "auto"),
        ("enable_seqscan", "on"),
        ("jit", "on"),
    ] {
        let now = sqlx::query_scalar::<_, String>("SELECT current_setting($1)").bind(name);
        assert_eq!(now.fetch_one(&pool).await.unwrap(), value, "{name}");
    }
}

#[tokio::test]
async fn a_server_that_may_only_be_read_is_refused() {
    let pool = pool_with("SET default_transaction_read_only = on").await;
    let options = PostgresOptions::from_pool(pool).schema(schema());
    refused(
        options.open().await,
        ErrorKind::ReadOnly,
        "may only be read",
    );
}

#[tokio::test]
async fn tables_of_a_newer_version_are_refused_and_left_alone() {
    let schema = schema();
    let store = options().schema(&schema).open().await.unwrap();
    store.close().await.unwrap();
    raw(format!("UPDATE {schema}.version SET version = 1000")).await;
    let opened = options().schema(&schema).open().await;
    refused(opened, ErrorKind::Foreign, "version 1000");
}

#[tokio::test]
async fn what_names_no_database_is_refused() {
    let no_url = PostgresOptions::from_url("mysql://localhost/x").unwrap_err();
    assert_eq!(no_url.kind(), ErrorKind::Other);
    let named = options().schema("Robert'); DROP TABLE").open().await;
    refused(named, ErrorKind::Other, "must be a name");
    let folder = Server::shared().folder().display();
    let missing = format!("postgres://steps@localhost/missing?host={folder}");
    let error = PostgresStore::open(&missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert!(error.to_string().contains("/missing"), "{error}");
}

#[tokio::test]
async fn several_that_open_a_new_schema_at_once_make_its_tables_once() {
    let schema = schema();
    let opened = (0..4).map(|_| tokio::spawn(options().schema(&schema).connections(2).open()));
    for opened in opened.collect::<Vec<_>>() {
        let store = opened.await.unwrap().unwrap();
        assert!(store.claim(claim()).await.unwrap().taken.is_empty());
    }
}

#[tokio::test]
async fn a_row_that_somebody_has_locked_is_busy_and_free_afterwards() {
    let schema = schema();
    let pool = pool_with("SET lock_timeout = '100ms'").await;
    let options = PostgresOptions::from_pool(pool).schema(&schema);
    let store = options.open().await.unwrap();
    let lease = created(store.write(held("id")).await.unwrap());
    let mut conn = connect().await;
    let mut lock = conn.begin().await.unwrap();
    let sql = format!("SELECT 1 FROM {schema}.executions FOR UPDATE");
    let sql = sqlx::raw_sql(AssertSqlSafe(sql));
    sql.execute(&mut *lock).await.unwrap();
    let error = store.write(step(lease, 1, "a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy, "{error}");
    lock.rollback().await.unwrap();
    store.write(step(lease, 1, "a")).await.unwrap();
}

#[tokio::test]
async fn a_write_that_the_server_refuses_fails_alone() {
    let store = options().schema(schema()).open().await.unwrap();
    let store = std::sync::Arc::new(store);
    let write = |id: String| {
        let store = std::sync::Arc::clone(&store);
        tokio::spawn(async move { store.write(held(&id)).await })
    };
    let bad = write("no \0 text".to_owned());
    let good: Vec<_> = (0..20).map(|n| write(n.to_string())).collect();
    let error = bad.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    for good in good {
        created(good.await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn tables_that_were_removed_are_gone() {
    let schema = schema();
    let store = options().schema(&schema).open().await.unwrap();
    store.write(due("id")).await.unwrap();
    raw(format!("DROP SCHEMA {schema} CASCADE")).await;
    let error = store.claim(claim()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
    let error = store.write(due("other")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
}

#[tokio::test]
async fn a_row_that_something_else_has_changed_keeps_no_other_from_being_claimed() {
    let schema = schema();
    let store = options().schema(&schema).open().await.unwrap();
    for id in ["good", "bad"] {
        let lease = created(store.write(held(id)).await.unwrap());
        let mut last = step(lease, 1, "a");
        last.then = due(id).then;
        store.write(last).await.unwrap();
    }
    let bad = format!("(SELECT key FROM {schema}.executions WHERE id = 'bad')");
    raw(format!(
        "UPDATE {schema}.node_rows SET output = 'no JSON' WHERE execution = {bad}"
    ))
    .await;
    let claimed = store.claim(claim()).await.unwrap();
    let ids: Vec<&str> = claimed.taken.iter().map(|it| &*it.info.id).collect();
    assert_eq!(ids, ["good"]);
    let error = store.load("bad".to_owned()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let report = store.check().await.unwrap();
    assert_eq!(report.executions, 2);
    let damages = report.damages.iter();
    let mut bad = damages.filter(|it| it.execution.as_deref() == Some("bad"));
    let why = &bad.next().unwrap().why;
    assert!(why.contains("column `output`"), "{why}");
}

#[tokio::test]
async fn a_pool_that_was_given_stays_open() {
    let pool = PgPool::connect(&Server::shared().url()).await.unwrap();
    let options = PostgresOptions::from_pool(pool.clone()).schema(schema());
    let store = options.open().await.unwrap();
    assert!(matches!(
        store.write(due("id")).await.unwrap(),
        Written::Created(_)
    ));
    store.close().await.unwrap();
    assert!(!pool.is_closed());
    let error = store.write(due("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    let store = PostgresOptions::from_url(&Server::shared().url()).unwrap();
    let store = store.schema(schema()).open().await.unwrap();
    let own = store.pool().clone();
    store.close().await.unwrap();
    assert!(own.is_closed());
}

/// As one is left in the service's pool whose `begin` was dropped.
#[tokio::test]
async fn what_is_written_on_a_connection_that_was_left_in_a_transaction_is_committed() {
    let schema = schema();
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect(&Server::shared().url()).await.unwrap();
    let store = PostgresOptions::from_pool(pool.clone()).schema(&schema);
    let store = store.open().await.unwrap();
    let other = options().schema(&schema).open().await.unwrap();
    let leave_open = async || {
        let mut left = pool.acquire().await.unwrap();
        let begin = sqlx::raw_sql("BEGIN").execute(&mut *left);
        begin.await.unwrap();
    };
    leave_open().await;
    let lease = created(store.write(held("a")).await.unwrap());
    assert!(other.load("a".to_owned()).await.unwrap().is_some());
    leave_open().await;
    store.write(step(lease, 1, "a")).await.unwrap();
    let found = other.load("a".to_owned()).await.unwrap().unwrap();
    assert_eq!(found.nodes.len(), 1);
    leave_open().await;
    let kept = store.transacted(lease, "t".to_owned()).await;
    assert_eq!(kept.unwrap(), None);
    // It is not in a transaction any more, in which it would have the execution locked.
    let last = step(lease, 2, "b");
    other.write(last).await.unwrap();
}
