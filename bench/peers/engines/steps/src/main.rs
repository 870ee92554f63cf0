//! The ten steps on `steps`, with a SQLite file: one measured process.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use peers_worker::{Engine as Measured, Job, Outcome, Result, Setting};
use rusqlite::{Connection, OpenFlags};
use steps::{Engine, prelude::*, sqlite::Synchronous};

/// How long the end may take; nothing runs any more by then.
const GRACE: Duration = Duration::from_secs(10);

/// steps, started on a fresh file.
struct Steps {
    engine: Engine,
    file: PathBuf,
}

fn main() -> ExitCode {
    peers_worker::serve::<Steps>()
}

impl Measured for Steps {
    async fn open(job: &Job) -> Result<Self> {
        let engine = Engine::open(&format!("sqlite:{}", job.store))
            .await?
            .serve(ten::with())
            .start()
            .await?;
        Ok(Self {
            engine,
            file: PathBuf::from(&job.store),
        })
    }

    async fn execute(&self, start: u64) -> Result<Outcome> {
        let execution = self.engine.start(ten::input(start)).await?;
        Ok(Outcome::Gave(execution.outcome().await?))
    }

    async fn recorded(&self) -> Result<u64> {
        let steps = "SELECT count(*) FROM steps s JOIN executions e ON e.key = s.execution
                     WHERE e.status = 'done' AND s.status = 'done' AND s.output IS NOT NULL";
        let steps: i64 = self.connect()?.query_row(steps, (), |row| row.get(0))?;
        Ok(u64::try_from(steps)?)
    }

    /// `synchronous` belongs to a connection, and the store's own is nobody else's: the store asks
    /// SQLite for it when it opens the file, and fails if SQLite has not taken it.
    async fn settings(&self) -> Result<Vec<Setting>> {
        let database = self.connect()?;
        let said = |what: &str| database.query_row(what, (), |row| row.get::<_, String>(0));
        Ok(vec![
            Setting::new("sqlite_version()", said("SELECT sqlite_version()")?),
            Setting::new("PRAGMA journal_mode", said("PRAGMA journal_mode")?),
            Setting::new("synchronous", format!("{:?}", Synchronous::default())),
        ])
    }

    async fn close(self) -> Result {
        Ok(self.engine.shutdown(GRACE).await?)
    }
}

impl Steps {
    /// Another connection to the file, which only reads.
    fn connect(&self) -> Result<Connection> {
        Ok(Connection::open_with_flags(
            &self.file,
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        )?)
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
