//! What is read back from the stores: how many steps are in them, and their settings.

use std::path::PathBuf;

use peers_worker::{Result, Setting};
use rusqlite::{OpenFlags, params};
use sqlx::{Connection, PgConnection};
use steps::sqlite::Synchronous;

/// Where the engine keeps its executions.
pub(crate) enum Store {
    /// A SQLite file.
    File(PathBuf),
    /// A Postgres database.
    Database(String),
}

impl Store {
    /// By what the job says.
    pub(crate) fn at(place: &str) -> Self {
        if place.starts_with("postgres://") {
            Self::Database(place.to_owned())
        } else {
            Self::File(place.into())
        }
    }

    /// What the engine opens.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(file) => format!("sqlite:{}", file.display()),
            Self::Database(url) => url.clone(),
        }
    }

    pub(crate) async fn recorded(&self) -> Result<u64> {
        let steps: i64 = match self {
            Self::File(file) => reading(file)?.query_row(
                "SELECT count(*) FROM steps s JOIN executions e ON e.key = s.execution
                 WHERE e.status = 'done' AND s.status = 'done' AND s.output IS NOT NULL",
                params![],
                |row| row.get(0),
            )?,
            Self::Database(url) => sqlx::query_scalar(
                "SELECT count(*) FROM steps.nodes n JOIN steps.executions e ON e.key = n.execution
                     WHERE e.status = 'done' AND n.status = 'done' AND n.output IS NOT NULL",
            )
            .fetch_one(&mut PgConnection::connect(url).await?)
            .await?,
        };
        Ok(u64::try_from(steps)?)
    }

    /// SQLite's `synchronous` belongs to a connection, and the store's own is nobody else's: the store asks
    /// SQLite for it when it opens the file, and fails if SQLite has not taken it. Those of Postgres it changes for
    /// none of its connections.
    pub(crate) async fn settings(&self) -> Result<Vec<Setting>> {
        match self {
            Self::File(file) => {
                let database = reading(file)?;
                let said = |what: &str| database.query_row(what, (), |row| row.get::<_, String>(0));
                Ok(vec![
                    Setting::new("sqlite_version()", said("SELECT sqlite_version()")?),
                    Setting::new("PRAGMA journal_mode", said("PRAGMA journal_mode")?),
                    Setting::new("synchronous", format!("{:?}", Synchronous::default())),
                ])
            }
            Self::Database(url) => {
                let mut database = PgConnection::connect(url).await?;
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
                Ok(settings)
            }
        }
    }
}

/// Another connection to the file, which only reads.
fn reading(file: &PathBuf) -> Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    Ok(rusqlite::Connection::open_with_flags(file, flags)?)
}
