//! The ten steps on dbos, with Postgres: one measured process.

use std::process::ExitCode;

use dbos::{Config, DBOS, WorkflowRef, step};
use peers_worker::{Engine, Job, Outcome, Result, STEPS, Setting};
use sqlx::{Connection, PgConnection};

/// What its documentation takes as an example. It was as fast as the default of 10 or faster, and as
/// fast as 50.
const CONNECTIONS: u32 = 20;

/// dbos, launched on a fresh database.
struct Dbos {
    launched: DBOS,
    ten: WorkflowRef<u64, u64>,
    url: String,
}

fn main() -> ExitCode {
    peers_worker::serve::<Dbos>()
}

impl Engine for Dbos {
    /// dbos creates the database that its URL names, and its tables.
    async fn open(job: &Job) -> Result<Self> {
        let dbos = DBOS::new(Config {
            app_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            max_connections: CONNECTIONS,
            ..Config::new("peers", &job.store)
        });
        let ten = dbos.register_workflow("ten", ten)?;
        dbos.launch().await?;
        Ok(Self {
            launched: dbos,
            ten,
            url: job.store.clone(),
        })
    }

    async fn execute(&self, start: u64) -> Result<Outcome> {
        Ok(Outcome::Gave(self.ten.run(start).await?))
    }

    async fn recorded(&self) -> Result<u64> {
        let mut database = PgConnection::connect(&self.url).await?;
        let steps: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM dbos.operation_outputs o JOIN dbos.workflow_status w
             USING (workflow_uuid) WHERE w.status = 'SUCCESS' AND o.output IS NOT NULL",
        )
        .fetch_one(&mut database)
        .await?;
        Ok(u64::try_from(steps)?)
    }

    /// dbos changes none of these for its own connections.
    async fn settings(&self) -> Result<Vec<Setting>> {
        let mut database = PgConnection::connect(&self.url).await?;
        let mut settings = Vec::new();
        for name in [
            "server_version",
            "fsync",
            "synchronous_commit",
            "full_page_writes",
        ] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(&mut database)
                .await?;
            settings.push(Setting::new(name, value));
        }
        let pool = self.launched.config().max_connections;
        settings.push(Setting::new("Config::max_connections", pool));
        Ok(settings)
    }

    async fn close(self) -> Result {
        self.launched.shutdown().await;
        Ok(())
    }
}

/// The flow: each step gives one more than what it was given.
async fn ten(start: u64) -> dbos::Result<u64> {
    let mut value = start;
    for _ in 0..STEPS {
        value = step("next", || async move { Ok(value + 1) }).await?;
    }
    Ok(value)
}
