//! Statements that are committed by themselves, one after the other, on a connection that is kept for them: one that
//! goes back to its pool each time costs a task, and the server's processes have each its own plans.

use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, postgres::PgRow};
use tokio::sync::Mutex;

use super::{options::IDLE, plans, txn::Statement};
use crate::error::Result;

/// The connection, while nothing is said on it, and since when.
#[derive(Debug, Default)]
pub(crate) struct Alone(Mutex<Option<(PgConnection, Instant)>>);

impl Alone {
    /// Makes a statement, on a connection that was taken out of the pool. After an error, another one is taken.
    pub(super) async fn rows(&self, pool: &PgPool, statement: Statement) -> Result<Vec<PgRow>> {
        let mut kept = self.0.lock().await;
        let there = match kept.take() {
            Some((connection, since)) => still_there(connection, since).await,
            None => None,
        };
        let mut connection = match there {
            Some(connection) => connection,
            None => connect(pool).await?,
        };
        let rows = statement.fetch_all(&mut connection).await?;
        *kept = Some((connection, Instant::now()));
        Ok(rows)
    }

    pub(super) async fn close(&self) {
        if let Some((connection, _)) = self.0.lock().await.take() {
            // Without a word from us, the server finds out by itself.
            drop(connection.close().await);
        }
    }
}

async fn still_there(mut connection: PgConnection, since: Instant) -> Option<PgConnection> {
    let is_there = since.elapsed() <= IDLE || connection.ping().await.is_ok();
    is_there.then_some(connection)
}

async fn connect(pool: &PgPool) -> Result<PgConnection> {
    let mut connection = pool.acquire().await?.detach();
    let settings = sqlx::raw_sql(AssertSqlSafe(plans::by_keys("SET")));
    settings.execute(&mut connection).await?;
    Ok(connection)
}
