//! The ten steps on `steps`, with a SQLite file or with Postgres: one measured process.

mod store;

use std::{process::ExitCode, time::Duration};

use peers_worker::{Engine as Measured, Job, Outcome, Result, Setting};
use steps::{Engine, engine::Concurrency, prelude::*};
use store::Store;

/// How long the end may take; nothing runs any more by then.
const GRACE: Duration = Duration::from_secs(10);

/// steps, started on a fresh store.
struct Steps {
    engine: Engine,
    store: Store,
}

fn main() -> ExitCode {
    peers_worker::serve::<Steps>()
}

impl Measured for Steps {
    async fn open(job: &Job) -> Result<Self> {
        let store = Store::at(&job.store);
        let at_once = usize::try_from(job.concurrency)?;
        let engine = Engine::open(&store.url())
            .await?
            .serve(ten::with())
            .concurrency(Concurrency::fixed(at_once))
            .start()
            .await?;
        Ok(Self { engine, store })
    }

    async fn execute(&self, start: u64) -> Result<Outcome> {
        let execution = self.engine.start(ten::input(start)).await?;
        Ok(Outcome::Gave(execution.outcome().await?))
    }

    async fn recorded(&self) -> Result<u64> {
        self.store.recorded().await
    }

    async fn settings(&self) -> Result<Vec<Setting>> {
        self.store.settings().await
    }

    async fn close(self) -> Result {
        Ok(self.engine.shutdown(GRACE).await?)
    }
}

#[flow]
async fn ten(start: u64) -> Result<u64, String> {
    steps! {
        first   = next(start);
        second  = next(first);
        third   = next(second);
        fourth  = next(third);
        fifth   = next(fourth);
        sixth   = next(fifth);
        seventh = next(sixth);
        eighth  = next(seventh);
        ninth   = next(eighth);
        tenth   = next(ninth);
    }
    Ok(tenth)
}

/// Gives one more than what it was given.
#[step]
async fn next(value: u64) -> Result<u64, String> {
    Ok(value + 1)
}
