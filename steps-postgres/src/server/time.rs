//! What the server's clock shows: asked for when a store is opened, and from time to time.

use std::{sync::Arc, time::Duration};

use sqlx::AssertSqlSafe;
use steps_core::clock::ServerClock;
use tokio::task::AbortHandle;

use super::txn::Database;
use crate::{error::Result, row::nanos::time};

/// How often the server is asked: claims have its time, too, but not every process makes any.
const BETWEEN: Duration = Duration::from_secs(30);

/// How often at first: the quickest answer counts.
const FIRST: u32 = 3;

/// The server's clock, which is asked until this is dropped.
pub(crate) struct Time {
    pub(crate) clock: Arc<ServerClock>,
    task: AbortHandle,
}

impl Time {
    /// Asks for the first time, and begins to ask.
    pub(crate) async fn of(database: &Arc<Database>) -> Result<Self> {
        let clock = Arc::new(ServerClock::new());
        ask(database, &clock, FIRST).await?;
        let (database, asked) = (Arc::clone(database), Arc::clone(&clock));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BETWEEN).await;
                // While it is not reached, what it has answered holds.
                drop(ask(&database, &asked, 1).await);
            }
        });
        Ok(Self {
            clock,
            task: task.abort_handle(),
        })
    }

    /// Asks no more.
    pub(crate) fn end(&self) {
        self.task.abort();
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        self.end();
    }
}

async fn ask(database: &Database, clock: &ServerClock, times: u32) -> Result<()> {
    // So that no connection has to be made between the question and the answer.
    let mut connection = database.pool.acquire().await?;
    for _ in 0..times {
        let now = sqlx::query_scalar(AssertSqlSafe(database.text("SELECT %.nanoseconds()")));
        let asked = ServerClock::ask();
        let shown: i64 = now.fetch_one(&mut *connection).await?;
        clock.answered(asked, time(shown));
    }
    Ok(())
}
