//! Steps that work in the file of the store.

use std::{path::PathBuf, sync::Arc};

use rusqlite::Connection;
use steps::{prelude::*, sqlite::SqliteStore};

use crate::{stores::Db, world::World};

fn note(tx: &Connection, what: &str, guest: &str) -> Result<i64, String> {
    let insert = "INSERT INTO done (what, guest) VALUES (?1, ?2)";
    tx.execute(insert, [what, guest])
        .map_err(|e| e.to_string())?;
    Ok(tx.last_insert_rowid())
}

#[step(transaction, retry(times = 2, every = "1ms"))]
fn reserve(tx: &Connection, world: &World, guest: &str) -> Result<i64, String> {
    let seat = note(tx, "reserve", guest)?;
    world.called("reserve").map(|()| seat)
}

#[undo(reserve, transaction, retry(times = 2, every = "1ms"))]
fn release(tx: &Connection, world: &World, guest: &str, _seat: &i64) -> Result<(), String> {
    note(tx, "release", guest)?;
    world.called("release")
}

#[step(transaction)]
fn pay(tx: &Connection, world: &World, guest: &str) -> Result<(), String> {
    note(tx, "pay", guest)?;
    world.called("pay")
}

#[undo(pay, transaction, retry(times = 2, every = "1ms"))]
fn repay(tx: &Connection, world: &World, guest: &str, _paid: &()) -> Result<(), String> {
    note(tx, "repay", guest)?;
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
fn write_much(tx: &Connection, bytes: usize) -> Result<String, String> {
    note(tx, "write_much", "")?;
    Ok("x".repeat(bytes))
}

#[flow]
pub(crate) async fn much(bytes: usize) -> Result<usize, String> {
    steps! { text = write_much(bytes); }
    Ok(text.len())
}

#[step(transaction)]
fn commits_itself(tx: &Connection) -> Result<(), String> {
    tx.execute_batch("COMMIT").map_err(|e| e.to_string())
}

#[flow]
pub(crate) async fn ends_it() -> Result<(), String> {
    steps! { commits_itself(); }
    Ok(())
}

#[step(transaction)]
async fn waits(tx: &mut Connection) -> Result<(), String> {
    note(tx, "waits", "")?;
    tokio::task::yield_now().await;
    Ok(())
}

#[flow]
pub(crate) async fn takes_its_time() -> Result<(), String> {
    steps! { waits(); }
    Ok(())
}

/// Opens the store, as a process of its own.
pub(crate) async fn open(db: &Db) -> SqliteStore {
    let url = format!("sqlite:{}", path(db).display());
    SqliteStore::open(&url).await.expect("it opens")
}

fn path(db: &Db) -> PathBuf {
    let Db::Sqlite(folder) = db else {
        panic!("not a file")
    };
    folder.path().join("steps.db")
}

fn own(db: &Db) -> Connection {
    Connection::open(path(db)).expect("the file")
}

/// Makes the service's own table.
pub(crate) async fn world(db: &Db) -> Arc<World> {
    drop(db.store().await);
    let sql = "CREATE TABLE done (what TEXT NOT NULL, guest TEXT NOT NULL)";
    own(db).execute_batch(sql).expect("the table");
    World::new("")
}

/// Returns what was done, in the order of words.
pub(crate) async fn done(db: &Db) -> Vec<String> {
    texts(db, "SELECT what FROM done ORDER BY what")
}

/// Returns what the store has kept of transactions.
pub(crate) async fn kept(db: &Db) -> Vec<String> {
    texts(db, "SELECT coalesce(output, 'null') FROM transactions")
}

fn texts(db: &Db, sql: &str) -> Vec<String> {
    let conn = own(db);
    let mut statement = conn.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}
