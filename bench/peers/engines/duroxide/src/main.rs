//! The ten steps on duroxide, with a SQLite file: one measured process.

use std::{process::ExitCode, sync::Arc, time::Duration};

use duroxide::{
    ActivityContext, Client, OrchestrationContext, OrchestrationRegistry,
    providers::sqlite::SqliteProvider,
    runtime::{ObservabilityConfig, Runtime, RuntimeOptions, registry::ActivityRegistry},
};
use peers_worker::{Engine, Job, Outcome, Result, STEPS, Setting, Tuning};

/// How long one execution may take, with all others at once.
const PATIENCE: Duration = Duration::from_mins(2);

/// duroxide, started on a fresh file.
struct Duroxide {
    store: Arc<SqliteProvider>,
    runtime: Arc<Runtime>,
    client: Client,
    options: RuntimeOptions,
}

fn main() -> ExitCode {
    peers_worker::serve::<Duroxide>()
}

impl Engine for Duroxide {
    async fn open(job: &Job) -> Result<Self> {
        let url = format!("sqlite:{}?mode=rwc", job.store);
        let store = Arc::new(SqliteProvider::new(&url, None).await?);
        let activities = ActivityRegistry::builder()
            .register_typed("next", next)
            .build();
        let orchestrations = OrchestrationRegistry::builder()
            .register_typed("ten", ten)
            .build();
        let options = options(job.tuning);
        let runtime =
            Runtime::start_with_options(store.clone(), activities, orchestrations, options.clone())
                .await;
        Ok(Self {
            client: Client::new(store.clone()),
            store,
            runtime,
            options,
        })
    }

    /// Under load its own connections lock each other out; when that lasts, it gives an execution up.
    async fn execute(&self, start: u64) -> Result<Outcome> {
        let id = uuid::Uuid::new_v4().to_string();
        self.client
            .start_orchestration_typed(&id, "ten", start)
            .await?;
        let outcome = self
            .client
            .wait_for_orchestration_typed(&id, PATIENCE)
            .await?;
        Ok(match outcome {
            Ok(value) => Outcome::Gave(value),
            Err(_) => Outcome::GivenUp,
        })
    }

    async fn recorded(&self) -> Result<u64> {
        let steps: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM history WHERE event_type = 'ActivityCompleted'",
        )
        .fetch_one(self.store.get_pool())
        .await?;
        Ok(u64::try_from(steps)?)
    }

    /// Asked on the provider's own pool: `synchronous` belongs to a connection, not to the file.
    async fn settings(&self) -> Result<Vec<Setting>> {
        let pool = self.store.get_pool();
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
        let options = &self.options;
        Ok(vec![
            Setting::new("sqlite_version()", version),
            Setting::new("PRAGMA journal_mode", journal),
            Setting::new("PRAGMA synchronous", format!("{synchronous} ({meaning})")),
            Setting::new(
                "dispatcher_min_poll_interval",
                format!("{:?}", options.dispatcher_min_poll_interval),
            ),
            Setting::new(
                "orchestration_concurrency",
                options.orchestration_concurrency,
            ),
            Setting::new("worker_concurrency", options.worker_concurrency),
        ])
    }

    async fn close(self) -> Result {
        self.runtime.shutdown(None).await;
        Ok(())
    }
}

/// Its log of each orchestration and activity is off in both: writing it is not what is measured.
fn options(tuning: Tuning) -> RuntimeOptions {
    let quiet = RuntimeOptions {
        observability: ObservabilityConfig {
            log_level: "error".to_owned(),
            ..ObservabilityConfig::default()
        },
        ..RuntimeOptions::default()
    };
    match tuning {
        Tuning::Defaults => quiet,
        Tuning::Tuned => RuntimeOptions {
            dispatcher_min_poll_interval: Duration::from_millis(1),
            ..quiet
        },
    }
}

/// The flow: each step gives one more than what it was given.
async fn ten(context: OrchestrationContext, start: u64) -> Result<u64, String> {
    let mut value = start;
    for _ in 0..STEPS {
        value = context.schedule_activity_typed("next", &value).await?;
    }
    Ok(value)
}

async fn next(_context: ActivityContext, value: u64) -> Result<u64, String> {
    Ok(value + 1)
}
