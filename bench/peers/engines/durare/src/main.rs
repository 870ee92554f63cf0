//! The ten steps on durare, with a SQLite file: one measured process.

use std::{process::ExitCode, sync::Arc, time::Duration};

use durare::{DurableContext, DurableEngine, SqliteDataSource, SqliteProvider, WorkflowOptions};
use peers_worker::{Engine, Job, Outcome, Result, STEPS, Setting};

/// How long the end of what runs is waited for; nothing does.
const PATIENCE: Duration = Duration::from_secs(5);

/// durare, started on a fresh file.
struct Durare {
    engine: DurableEngine,
    /// The engine's own connections.
    source: SqliteDataSource,
}

fn main() -> ExitCode {
    peers_worker::serve::<Durare>()
}

impl Engine for Durare {
    async fn open(job: &Job) -> Result<Self> {
        let provider = SqliteProvider::connect(&format!("sqlite://{}", job.store)).await?;
        let source = provider.system_datasource();
        let engine = DurableEngine::builder(Arc::new(provider)).build().await?;
        Ok(Self { engine, source })
    }

    async fn execute(&self, start: u64) -> Result<Outcome> {
        let options = WorkflowOptions::default();
        let handle = self.engine.start_with(Ten, start, options).await?;
        Ok(Outcome::Gave(handle.await?))
    }

    async fn recorded(&self) -> Result<u64> {
        let steps: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM operation_outputs o JOIN workflow_status w USING (workflow_uuid)
             WHERE w.status = 'SUCCESS' AND o.output IS NOT NULL",
        )
        .fetch_one(self.source.pool())
        .await?;
        Ok(u64::try_from(steps)?)
    }

    /// Asked on the engine's own pool: `synchronous` belongs to a connection, not to the file.
    async fn settings(&self) -> Result<Vec<Setting>> {
        let pool = self.source.pool();
        let version: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(pool)
            .await?;
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(pool)
            .await?;
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(pool)
            .await?;
        let meaning = match synchronous {
            0 => "OFF",
            1 => "NORMAL",
            2 => "FULL",
            _ => "EXTRA",
        };
        Ok(vec![
            Setting::new("sqlite_version()", version),
            Setting::new("PRAGMA journal_mode", journal),
            Setting::new("PRAGMA synchronous", format!("{synchronous} ({meaning})")),
            Setting::new("connections", pool.options().get_max_connections()),
        ])
    }

    async fn close(self) -> Result {
        self.engine.shutdown(PATIENCE).await?;
        Ok(())
    }
}

/// The flow: each step gives one more than what it was given.
#[durare::workflow]
async fn ten(ctx: DurableContext, start: u64) -> durare::Result<u64> {
    let mut value = start;
    for _ in 0..STEPS {
        value = next(&ctx, value).await?;
    }
    Ok(value)
}

#[durare::step]
async fn next(ctx: &DurableContext, value: u64) -> durare::Result<u64> {
    Ok(value + 1)
}
