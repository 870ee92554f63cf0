//! Statements that are committed by themselves, one after the other, on a connection that is kept for them: one that
//! goes back to its pool each time costs a task, and the server's processes have each its own plans.

use std::time::Instant;

use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::sync::Mutex;

use super::{
    plans::BY_KEYS,
    pool::{IDLE, pool},
};
use crate::error::Result;

/// The way to the connection.
#[derive(Debug)]
pub(crate) struct Alone {
    /// It makes the connection, again where the server can't be reached at once, and has none itself.
    makes: PgPool,
    /// The connection, while nothing is said on it, and since when.
    kept: Mutex<Option<(PgConnection, Instant)>>,
}

impl Alone {
    /// The settings are those of the connection from its start. A `SET` would be another one's, too, behind a pooler
    /// that lends connections for a transaction only.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            makes: pool(1, options.options(BY_KEYS)),
            kept: Mutex::default(),
        }
    }

    /// Makes a statement. After an error it is another connection.
    pub(super) async fn rows(
        &self,
        statement: Query<'static, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>> {
        let mut kept = self.kept.lock().await;
        let there = match kept.take() {
            Some((connection, since)) => still_there(connection, since).await,
            None => None,
        };
        let mut connection = match there {
            Some(connection) => connection,
            None => self.makes.acquire().await?.detach(),
        };
        let rows = statement.fetch_all(&mut connection).await?;
        *kept = Some((connection, Instant::now()));
        Ok(rows)
    }

    pub(super) async fn close(&self) {
        if let Some((connection, _)) = self.kept.lock().await.take() {
            // Without a word from us, the server finds out by itself.
            drop(connection.close().await);
        }
        self.makes.close().await;
    }
}

async fn still_there(mut connection: PgConnection, since: Instant) -> Option<PgConnection> {
    let is_there = since.elapsed() <= IDLE || connection.ping().await.is_ok();
    is_there.then_some(connection)
}
