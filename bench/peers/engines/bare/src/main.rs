//! No engine at all: what ten steps leave, as one row each, written into Postgres by one connection. A commit holds
//! a row of each of the executions that are at once. It is what an engine on that server can be compared with.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicI64, Ordering},
};

use peers_worker::{Engine, Job, Outcome, Result, STEPS, Setting};
use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

/// A step is known by its execution and its number.
const TABLE: &str = "CREATE TABLE steps (
    execution bigint NOT NULL, step bigint NOT NULL, output text NOT NULL, PRIMARY KEY (execution, step))";

/// One connection, which makes all rows.
struct Bare {
    database: Mutex<PgConnection>,
    /// How many executions a commit has a row of.
    together: u64,
    /// The number of the next execution, of all that were ever begun.
    next: AtomicI64,
}

fn main() -> ExitCode {
    peers_worker::serve::<Bare>()
}

impl Engine for Bare {
    async fn open(job: &Job) -> Result<Self> {
        let mut database = PgConnection::connect(&job.store).await?;
        sqlx::query(TABLE).execute(&mut database).await?;
        Ok(Self {
            database: Mutex::new(database),
            together: Self::together(job),
            next: AtomicI64::new(0),
        })
    }

    /// All of them: one connection makes the rows.
    fn together(job: &Job) -> u64 {
        job.concurrency
    }

    /// Ten commits, each with a row of each execution: the number that it was given, one more with each step.
    async fn execute(&self, start: u64) -> Result<Outcome> {
        let count = i64::try_from(self.together)?;
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let mut database = self.database.lock().await;
        let mut value = start;
        for step in 1..=i64::try_from(STEPS)? {
            value += 1;
            let output = value.to_string();
            let made = if count == 1 {
                sqlx::query("INSERT INTO steps (execution, step, output) VALUES ($1, $2, $3)")
                    .bind(first)
                    .bind(step)
                    .bind(output)
                    .execute(&mut *database)
                    .await?
            } else {
                let executions: Vec<i64> = (first..first + count).collect();
                let steps = vec![step; executions.len()];
                let outputs = vec![output; executions.len()];
                sqlx::query(
                    "INSERT INTO steps (execution, step, output)
                     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[])",
                )
                .bind(executions)
                .bind(steps)
                .bind(outputs)
                .execute(&mut *database)
                .await?
            };
            if made.rows_affected() != self.together {
                return Err(format!("a commit has made {} rows", made.rows_affected()).into());
            }
        }
        Ok(Outcome::Gave(value))
    }

    /// Those whose output is one more than that of the step before.
    async fn recorded(&self) -> Result<u64> {
        let mut database = self.database.lock().await;
        let steps: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM steps s JOIN steps first ON first.execution = s.execution AND first.step = 1
             WHERE s.output::bigint = first.output::bigint + s.step - 1",
        )
        .fetch_one(&mut *database)
        .await?;
        Ok(u64::try_from(steps)?)
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        let mut database = self.database.lock().await;
        let mut settings = Vec::new();
        for name in [
            "server_version",
            "fsync",
            "synchronous_commit",
            "full_page_writes",
        ] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(&mut *database)
                .await?;
            settings.push(Setting::new(name, value));
        }
        Ok(settings)
    }

    async fn close(self) -> Result {
        Ok(self.database.into_inner().close().await?)
    }
}
