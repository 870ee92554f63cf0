//! The database that a store has open, and a transaction on it.
//!
//! Every statement names the schema, so that it depends on no setting of a connection, which may be the user's: in
//! the text of a statement, `%.` stands for it. Where transactions could come into each other's way beyond the rows
//! that they lock, they take one of the [locks](Lock).

use std::{sync::Arc, time::Instant};

use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, Row as _, Transaction,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use steps_core::{
    store::{Change, ErrorKind},
    telemetry,
};

use super::{alone::Alone, kept, plans::by_keys};
use crate::error::{Fail, Result};

/// The database.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) pool: PgPool,
    /// Where the pool is the store's own, so that nobody else has used its connections.
    pub(crate) alone: Option<Alone>,
    /// Its name for people, without a password.
    pub(crate) name: String,
    pub(crate) schema: String,
}

/// What only one transaction does at a time. Locks are taken before rows are, but for [`Changes`](Self::Changes),
/// which is taken last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    /// Making the tables.
    Tables = 1,
    /// Claiming what is limited, and changing limits.
    Limits = 2,
    /// Changing duties.
    Duties = 3,
    /// Keeping forms, so that their numbers grow in the order in which they can be seen.
    Forms = 4,
    /// Keeping changes, for the same reason, and changing who is told of them.
    Changes = 5,
    /// Keeping what was logged, and deleting executions.
    Logs = 6,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Begin {
    /// Reading what is there at one moment.
    Reads,
    /// Changing what is there.
    Changes,
    /// The same, and it may put executions behind gates: so it waits for whoever changes the limits.
    Writes,
}

pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

impl Database {
    /// Returns the text with the schema's name in it.
    pub(crate) fn text(&self, sql: &str) -> String {
        sql.replace("%.", &format!("\"{}\".", self.schema))
    }

    pub(crate) fn query(&self, sql: &str) -> Statement {
        sqlx::query(AssertSqlSafe(self.text(sql)))
    }

    /// The number of a lock, which the databases of a server and the schemas in one have each for itself.
    pub(crate) fn lock(&self, lock: Lock) -> i64 {
        let name = format!("steps/{}/{}", self.schema, lock as i64);
        // FNV-1a.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash.cast_signed()
    }

    /// Makes a statement that is committed by itself. On a connection that somebody else has used it is in a
    /// transaction of its own all the same: that connection may have been left in an open one, as sqlx 0.9 does if a
    /// `begin` is dropped, and then nothing would be committed.
    pub(crate) async fn commit_alone(self: &Arc<Self>, statement: Statement) -> Result<Vec<PgRow>> {
        if let Some(alone) = &self.alone {
            return alone.rows(statement).await;
        }
        let mut txn = self.begin(Begin::Changes).await?;
        let rows = txn.rows(statement).await?;
        txn.commit().await?;
        Ok(rows)
    }

    /// Ends the connections, if they are the store's own.
    pub(crate) async fn close(&self) {
        if let Some(alone) = &self.alone {
            alone.close().await;
            self.pool.close().await;
        }
    }

    /// Must not be dropped before it has ended, for the same reason.
    pub(crate) async fn begin(self: &Arc<Self>, kind: Begin) -> Result<Txn<'static>> {
        let sql = match kind {
            Begin::Reads => "ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
            Begin::Changes => format!("ISOLATION LEVEL READ COMMITTED; {}", by_keys()),
            Begin::Writes => format!(
                "ISOLATION LEVEL READ COMMITTED; {}; LOCK TABLE %.executions IN ROW EXCLUSIVE MODE",
                by_keys()
            ),
        };
        let sql = self.text(&format!("BEGIN {sql}"));
        let begun = self.pool.begin_with(AssertSqlSafe(sql));
        Ok(Txn {
            inner: begun.await?,
            database: Arc::clone(self),
            changed: 0,
            changes: Vec::new(),
        })
    }
}

/// An open transaction.
pub(crate) struct Txn<'c> {
    inner: Transaction<'c, Postgres>,
    pub(crate) database: Arc<Database>,
    /// How many rows it has changed.
    pub(crate) changed: u64,
    /// The changes that it keeps, each with the name of its subscription.
    pub(crate) changes: Vec<(String, Change)>,
}

impl<'c> Txn<'c> {
    /// Goes on inside a transaction that somebody else has begun, in which `inner` is a savepoint. It may put
    /// executions behind gates, as with [`Begin::Writes`]. What is read must be what is there when it is read: one that
    /// sees only what was there at its beginning would not know of a limit that was set since.
    pub(crate) async fn within(
        database: &Arc<Database>,
        inner: Transaction<'c, Postgres>,
    ) -> Result<Self> {
        let mut txn = Self {
            inner,
            database: Arc::clone(database),
            changed: 0,
            changes: Vec::new(),
        };
        let sql = "LOCK TABLE %.executions IN ROW EXCLUSIVE MODE; SELECT current_setting('transaction_isolation')";
        let sql = sqlx::raw_sql(AssertSqlSafe(database.text(sql)));
        let level: String = sql.fetch_one(&mut *txn.inner).await?.try_get(0)?;
        if level != "read committed" {
            let message = format!(
                "{}: executions are started within transactions that are READ COMMITTED, and this one is {}",
                database.name,
                level.to_uppercase()
            );
            return Err(Fail::new(ErrorKind::Rejected, message));
        }
        Ok(txn)
    }

    pub(crate) fn query(&self, sql: &str) -> Statement {
        self.database.query(sql)
    }

    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    pub(crate) async fn rows(&mut self, statement: Statement) -> Result<Vec<PgRow>> {
        Ok(statement.fetch_all(&mut *self.inner).await?)
    }

    pub(crate) async fn row(&mut self, statement: Statement) -> Result<Option<PgRow>> {
        Ok(statement.fetch_optional(&mut *self.inner).await?)
    }

    /// Returns how many rows it has changed.
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        let rows = statement.execute(&mut *self.inner).await?.rows_affected();
        self.changed += rows;
        Ok(rows)
    }

    /// Returns what the server's clock shows.
    pub(crate) async fn now(&mut self) -> Result<i64> {
        let now = sqlx::query_scalar(AssertSqlSafe(self.database.text("SELECT %.nanoseconds()")));
        Ok(now.fetch_one(&mut *self.inner).await?)
    }

    /// Waits until no other transaction has the lock, and has it until the end.
    pub(crate) async fn alone(&mut self, lock: Lock) -> Result<()> {
        let lock = self.database.lock(lock);
        let statement = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock);
        self.row(statement).await?;
        Ok(())
    }

    /// Ends it without what it has changed; if that fails, the server does so as the connection is gone.
    pub(crate) async fn roll_back(self) {
        drop(self.inner.rollback().await);
    }

    /// Ends it, and keeps what it has changed.
    pub(crate) async fn commit(mut self) -> Result<()> {
        if !self.changes.is_empty() {
            kept::insert(&mut self).await?;
        }
        let (changed, begun) = (self.changed, Instant::now());
        self.inner.commit().await?;
        if changed > 0 {
            telemetry::committed(1, changed, begun.elapsed());
        }
        Ok(())
    }
}
