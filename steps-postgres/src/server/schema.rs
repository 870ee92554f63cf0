//! The tables: making them, and whether they are those of this version.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Row};
use steps_core::store::{ErrorKind, Tables};

use super::txn::{Begin, Database, Lock};
use crate::error::{Fail, Result};

/// The SQL that leads from each version to the next; version 0 is a schema without tables.
const VERSIONS: &[&str] = &[
    include_str!("schema/v1.sql"),
    include_str!("schema/v2.sql"),
    include_str!("schema/v3.sql"),
    include_str!("schema/v4.sql"),
];

/// The oldest server that has what the statements need.
const OLDEST_SERVER: i64 = 140_000;

/// Checks the server's settings: commits must be safe when they are acknowledged.
pub(crate) async fn settings(database: &Database, unsafe_commits: bool) -> Result<()> {
    let sql = "SELECT current_setting('server_version_num')::bigint, \
        current_setting('synchronous_commit'), current_setting('transaction_read_only'), \
        current_setting('server_encoding')";
    let row = sqlx::query(sql).fetch_one(&database.pool).await?;
    let version: i64 = row.try_get(0)?;
    if version < OLDEST_SERVER {
        let message = format!(
            "the server is PostgreSQL {}; 14 is the oldest",
            version / 10_000
        );
        return Err(Fail::new(ErrorKind::Other, named(database, &message)));
    }
    let commit: String = row.try_get(1)?;
    if commit == "off" && !unsafe_commits {
        let message = "`synchronous_commit` is off, so that what was acknowledged may be lost when the server \
            crashes: switch it on, or allow that with `PostgresOptions::unsafe_commits`";
        return Err(Fail::new(ErrorKind::Other, named(database, message)));
    }
    if row.try_get::<String, _>(2)? == "on" {
        let message = "it may only be read: name the server that may be written to, not a standby";
        return Err(Fail::new(ErrorKind::ReadOnly, named(database, message)));
    }
    let encoding: String = row.try_get(3)?;
    if encoding != "UTF8" {
        let message = format!("its encoding is {encoding}: it must be UTF8");
        return Err(Fail::new(ErrorKind::Other, named(database, &message)));
    }
    Ok(())
}

/// Makes the tables, or brings them up to date.
pub(crate) async fn upgrade(database: &Arc<Database>) -> Result<()> {
    // Mostly they are there, and this user may have no right to make any.
    let tables = tables(database).await?;
    if tables.version == tables.newest {
        return Ok(());
    }
    let mut txn = database.begin(Begin::Changes).await?;
    txn.alone(Lock::Tables).await?;
    let found = version(database, txn.connection()).await?;
    let schema = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", database.schema);
    if !exists(database, txn.connection()).await? {
        execute(txn.connection(), schema).await?;
    }
    for step in VERSIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        execute(txn.connection(), database.text(step)).await?;
    }
    txn.commit().await
}

/// Returns the version of the tables, unless a newer library has made them.
pub(crate) async fn tables(database: &Database) -> Result<Tables> {
    let found = version(database, &mut *database.pool.acquire().await?).await?;
    Ok(Tables::new(found, newest()))
}

fn newest() -> i64 {
    i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX)
}

async fn execute(conn: &mut PgConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

async fn exists(database: &Database, conn: &mut PgConnection) -> Result<bool> {
    let sql = "SELECT to_regnamespace(quote_ident($1)) IS NOT NULL";
    let found = sqlx::query_scalar(sql).bind(&database.schema);
    Ok(found.fetch_one(conn).await?)
}

/// Returns the version of the tables, 0 if there are none, unless a newer library has made them.
async fn version(database: &Database, conn: &mut PgConnection) -> Result<i64> {
    let sql = "SELECT to_regclass(quote_ident($1) || '.version') IS NOT NULL";
    let found = sqlx::query_scalar(sql).bind(&database.schema);
    if !found.fetch_one(&mut *conn).await? {
        return Ok(0);
    }
    let sql = AssertSqlSafe(database.text("SELECT version FROM %.version"));
    let found = sqlx::query_scalar(sql).fetch_optional(conn).await?;
    let (found, newest) = (found.unwrap_or(0), newest());
    if found > newest {
        let message = format!(
            "its tables have version {found}, and this library knows versions up to {newest}: a newer one made \
             them. Nothing was changed"
        );
        return Err(Fail::new(ErrorKind::Foreign, named(database, &message)));
    }
    Ok(found)
}

fn named(database: &Database, message: &str) -> String {
    format!("{}: {message}", database.name)
}
