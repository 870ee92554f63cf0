//! Steps that work in the database of the store.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection};
use steps::{postgres::PostgresStore, prelude::*};

use crate::{
    stores::{Db, on_server},
    world::World,
};

async fn note(
    tx: &mut PgConnection,
    world: &World,
    what: &str,
    guest: &str,
) -> Result<i64, String> {
    let insert = format!(
        "INSERT INTO \"{}\".done (what, guest) VALUES ($1, $2) RETURNING id",
        world.schema
    );
    let insert = sqlx::query_scalar(AssertSqlSafe(insert)).bind(what.to_owned());
    let inserted = insert.bind(guest.to_owned()).fetch_one(tx).await;
    inserted.map_err(|e| e.to_string())
}

#[step(transaction, retry(times = 2, every = "1ms"))]
async fn reserve(tx: &mut PgConnection, world: &World, guest: &str) -> Result<i64, String> {
    let seat = note(tx, world, "reserve", guest).await?;
    world.called("reserve").map(|()| seat)
}

#[undo(reserve, transaction, retry(times = 2, every = "1ms"))]
async fn release(
    tx: &mut PgConnection,
    world: &World,
    guest: &str,
    _seat: &i64,
) -> Result<(), String> {
    note(tx, world, "release", guest).await?;
    world.called("release")
}

#[step(transaction)]
async fn pay(tx: &mut PgConnection, world: &World, guest: &str) -> Result<(), String> {
    note(tx, world, "pay", guest).await?;
    world.called("pay")
}

#[undo(pay, transaction, retry(times = 2, every = "1ms"))]
async fn repay(
    tx: &mut PgConnection,
    world: &World,
    guest: &str,
    _paid: &(),
) -> Result<(), String> {
    note(tx, world, "repay", guest).await?;
    world.called("repay")
}

#[step]
async fn send(world: &World) -> Result<(), String> {
    world.called("send")
}

#[flow]
pub(crate) async fn book(world: &World, guest: String) -> Result<i64, String> {
    steps! {
        seat = reserve(world, &guest);
        both = parallel {
            paid = pay(world, &guest);
            extra = reserve(world, &guest);
        }
        sent = send(world);
    }
    Ok(seat + both.extra)
}

#[step(transaction)]
async fn write_much(tx: &mut PgConnection, world: &World, bytes: usize) -> Result<String, String> {
    note(tx, world, "write_much", "").await?;
    Ok("x".repeat(bytes))
}

#[flow]
pub(crate) async fn much(world: &World, bytes: usize) -> Result<usize, String> {
    steps! { text = write_much(world, bytes); }
    Ok(text.len())
}

#[step(transaction)]
async fn commits_itself(tx: &mut PgConnection) -> Result<(), String> {
    let committed = sqlx::raw_sql("COMMIT").execute(tx).await;
    committed.map(drop).map_err(|e| e.to_string())
}

#[flow]
pub(crate) async fn ends_it() -> Result<(), String> {
    steps! { commits_itself(); }
    Ok(())
}

/// What it inserts is checked as the transaction is committed.
#[step(transaction)]
async fn order_nothing(tx: &mut PgConnection, world: &World) -> Result<(), String> {
    let insert = format!("INSERT INTO \"{}\".orders VALUES (-1)", world.schema);
    let inserted = sqlx::raw_sql(AssertSqlSafe(insert)).execute(tx).await;
    inserted.map(drop).map_err(|e| e.to_string())
}

#[flow]
pub(crate) async fn refused(world: &World) -> Result<(), String> {
    steps! { order_nothing(world); }
    Ok(())
}

/// Passes over an error of the server.
#[step(transaction)]
async fn goes_on(tx: &mut PgConnection, world: &World) -> Result<(), String> {
    note(tx, world, "goes_on", "").await?;
    let failed = sqlx::raw_sql("SELECT 1 / 0").execute(tx).await;
    failed.map_or(Ok(()), |_| Err("it is no error".to_owned()))
}

#[flow]
pub(crate) async fn passes_over(world: &World) -> Result<(), String> {
    steps! { goes_on(world); }
    Ok(())
}

/// Opens the store, as a process of its own.
pub(crate) async fn open(db: &Db) -> PostgresStore {
    on_server(schema(db)).await
}

fn schema(db: &Db) -> &str {
    let Db::Postgres(schema) = db else {
        panic!("not a server")
    };
    schema
}

/// Makes the service's own tables.
pub(crate) async fn world(db: &Db) -> Arc<World> {
    let schema = schema(db);
    let store = on_server(schema).await;
    let sql = format!(
        "CREATE TABLE \"{schema}\".done (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text, guest text); \
         CREATE TABLE \"{schema}\".orders (of bigint REFERENCES \"{schema}\".done DEFERRABLE INITIALLY DEFERRED)"
    );
    let made = sqlx::raw_sql(AssertSqlSafe(sql)).execute(store.pool());
    made.await.expect("the tables");
    World::new(schema)
}

/// Returns what was done, in the order of words.
pub(crate) async fn done(db: &Db) -> Vec<String> {
    texts(db, "SELECT what FROM %.done ORDER BY what").await
}

/// Returns what the store has kept of transactions.
pub(crate) async fn kept(db: &Db) -> Vec<String> {
    texts(db, "SELECT coalesce(output, 'null') FROM %.transactions").await
}

async fn texts(db: &Db, sql: &str) -> Vec<String> {
    let schema = schema(db);
    let sql = sql.replace("%.", &format!("\"{schema}\"."));
    let store = on_server(schema).await;
    let texts = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(store.pool());
    texts.await.expect("texts")
}
