//! The ten steps on underway, with Postgres: one measured process.

use std::{
    collections::HashMap,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use peers_worker::{Engine, Job as Measurement, Outcome, Result, Setting, Tuning};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{runtime::Handle, sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use underway::{Job, To, job::Context, task::Result as TaskResult, worker::Error as WorkerError};

/// What most of its examples take.
const CONNECTIONS: u32 = 25;
/// How many steps its worker runs at once, when it is tuned: more than that were not faster. Its default is the
/// number of cores.
const TUNED: usize = 16;
/// How long the commits of the last steps are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What goes from step to step.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Value {
    /// What the execution was given: no other that runs at the same time was given that.
    start: u64,
    value: u64,
}

/// Who waits for an execution, by what it was given. underway has no call that waits for a job.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<u64>>>>;

/// underway, started on a fresh database.
struct Underway {
    pool: PgPool,
    ten: Job<Value, Waiting>,
    waiting: Waiting,
    at_once: usize,
    shutdown: CancellationToken,
    worker: JoinHandle<std::result::Result<(), WorkerError>>,
}

fn main() -> ExitCode {
    peers_worker::serve::<Underway>()
}

impl Engine for Underway {
    async fn open(job: &Measurement) -> Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect(&job.store)
            .await?;
        // Its future can't go from thread to thread.
        let (runtime, migrated) = (Handle::current(), pool.clone());
        let migrate = move || runtime.block_on(underway::run_migrations(&migrated));
        tokio::task::spawn_blocking(migrate).await??;
        let waiting = Waiting::default();
        // A job that works counts the step that it is at in itself, and what is enqueued by it begins there. So
        // another one enqueues, as a program without a worker does.
        let working = ten(&pool, &waiting).await?;
        let shutdown = CancellationToken::new();
        let mut worker = working.worker();
        worker.set_shutdown_token(shutdown.clone());
        let at_once = match job.tuning {
            Tuning::Defaults => std::thread::available_parallelism()?.get(),
            Tuning::Tuned => TUNED,
        };
        worker.set_concurrency_limit(at_once);
        Ok(Self {
            ten: ten(&pool, &waiting).await?,
            worker: tokio::spawn(async move { worker.run().await }),
            pool,
            waiting,
            at_once,
            shutdown,
        })
    }

    async fn execute(&self, start: u64) -> Result<Outcome> {
        let (tell, told) = oneshot::channel();
        lock(&self.waiting).insert(start, tell);
        self.ten
            .enqueue(&Value {
                start,
                value: start,
            })
            .await?;
        Ok(Outcome::Gave(told.await?))
    }

    /// A step is a task of its own. Its end is committed after its function has ended, so the last are waited for.
    async fn recorded(&self) -> Result<u64> {
        let begun = Instant::now();
        loop {
            let open: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM underway.task WHERE state IN ('pending', 'in_progress')",
            )
            .fetch_one(&self.pool)
            .await?;
            if open == 0 {
                break;
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{open} tasks have not ended").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let steps: i64 =
            sqlx::query_scalar("SELECT count(*) FROM underway.task WHERE state = 'succeeded'")
                .fetch_one(&self.pool)
                .await?;
        Ok(u64::try_from(steps)?)
    }

    /// underway changes none of the first four for its connections.
    async fn settings(&self) -> Result<Vec<Setting>> {
        let mut settings = Vec::new();
        for name in [
            "server_version",
            "fsync",
            "synchronous_commit",
            "full_page_writes",
        ] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(&self.pool)
                .await?;
            settings.push(Setting::new(name, value));
        }
        let connections = self.pool.options().get_max_connections();
        settings.push(Setting::new("connections", connections));
        settings.push(Setting::new("concurrency limit", self.at_once));
        Ok(settings)
    }

    async fn close(self) -> Result {
        self.shutdown.cancel();
        self.worker.await??;
        self.pool.close().await;
        Ok(())
    }
}

/// The flow: each step gives one more than what it was given. What the last one has is told to whoever waits.
async fn ten(pool: &PgPool, waiting: &Waiting) -> Result<Job<Value, Waiting>> {
    let job = Job::builder()
        .state(Arc::clone(waiting))
        .step(next)
        .step(next)
        .step(next)
        .step(next)
        .step(next)
        .step(next)
        .step(next)
        .step(next)
        .step(next)
        .step(last)
        .name("ten")
        .pool(pool.clone())
        .build()
        .await?;
    Ok(job)
}

async fn next(_: Context<Waiting>, Value { start, value }: Value) -> TaskResult<To<Value>> {
    To::next(Value {
        start,
        value: value + 1,
    })
}

async fn last(context: Context<Waiting>, Value { start, value }: Value) -> TaskResult<To<()>> {
    if let Some(tell) = lock(&context.state).remove(&start) {
        // Whoever waits has gone only if the measurement has failed.
        let _ = tell.send(value + 1);
    }
    To::done()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
