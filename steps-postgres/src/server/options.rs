//! Which database a store is in, and how it is used.

use std::str::FromStr;

use sqlx::{PgPool, postgres::PgConnectOptions};
use steps_core::store::{ErrorKind, StoreError};

use super::{alone::Alone, pool::pool, txn::Database};
use crate::error::{Fail, Result};

/// How a URL names the schema.
const SCHEMA: &str = "schema=";

/// How to open a store.
///
/// ```no_run
/// use steps_postgres::PostgresOptions;
///
/// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
/// let options = PostgresOptions::from_url("postgres://app@db.internal/app")?;
/// let store = options.schema("jobs").connections(20).open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PostgresOptions {
    server: Server,
    schema: String,
    connections: u32,
    unsafe_commits: bool,
}

#[derive(Clone, Debug)]
enum Server {
    Url(Box<PgConnectOptions>),
    Pool(PgPool),
}

impl PostgresOptions {
    /// How many connections a store of its own pool has at most, if nothing else is said: 10.
    pub const CONNECTIONS: u32 = 10;

    /// The database of a URL, such as `postgres://user:password@host/database`. Besides what is described at
    /// [`PgConnectOptions`](https://docs.rs/sqlx/0.9/sqlx/postgres/struct.PgConnectOptions.html), it may name the
    /// [schema](Self::schema), as in `postgres://host/database?schema=jobs`. The store makes its own pool of
    /// connections, on which a statement waits at most 5 seconds for a lock and takes at most 30.
    ///
    /// # Errors
    ///
    /// If the text is no such URL.
    pub fn from_url(url: &str) -> Result<Self, StoreError> {
        let message = "no URL of a PostgreSQL database, such as `postgres://user@host/database`";
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(StoreError::new(ErrorKind::Other, message));
        }
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let (ours, others): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .filter(|setting| !setting.is_empty())
            .partition(|setting| setting.starts_with(SCHEMA));
        let url = format!("{url}?{}", others.join("&"));
        let options = PgConnectOptions::from_str(&url).map_err(|error| {
            StoreError::new(ErrorKind::Other, format!("{message} ({error})")).with_source(error)
        })?;
        let options = Self::of(Server::Url(Box::new(options)));
        Ok(match ours.last() {
            Some(schema) => options.schema(&schema[SCHEMA.len()..]),
            None => options,
        })
    }

    /// The database of a pool, whose settings stay as they are, and which stays open when the store is closed. The
    /// store takes connections for as long as its calls take, and none for longer.
    pub fn from_pool(pool: PgPool) -> Self {
        Self::of(Server::Pool(pool))
    }

    fn of(server: Server) -> Self {
        Self {
            server,
            schema: "steps".to_owned(),
            connections: Self::CONNECTIONS,
            unsafe_commits: false,
        }
    }

    /// The schema that the tables are in, `steps` by default. It is created if it is missing. Stores of several schemas
    /// in one database have nothing to do with each other.
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = name.into();
        self
    }

    /// How many connections a store of its own pool may have, by default 10, and no less than 3: one for writes, and
    /// those of the pool, of which transactions of steps take half at most. Of a pool that was given, this changes
    /// nothing.
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most;
        self
    }

    /// Allows a server or a user for which `synchronous_commit` is `off`: when such a server crashes, the last writes may
    /// be lost although they were acknowledged. A step may then run again that was done, or an execution that was
    /// started may be gone.
    pub fn unsafe_commits(mut self) -> Self {
        self.unsafe_commits = true;
        self
    }

    /// The name of the database in errors: `postgres://host:port/database`, without user and password.
    pub fn name(&self) -> String {
        match &self.server {
            Server::Url(options) => name_of(options),
            Server::Pool(pool) => name_of(&pool.connect_options()),
        }
    }

    /// Returns the database, with its own pool or that which was given, and whether commits may be unsafe.
    pub(crate) fn connect(self) -> Result<(Database, bool)> {
        let Self {
            server,
            schema,
            connections,
            unsafe_commits,
        } = self;
        let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if schema.is_empty() || schema.len() > 63 || !schema.chars().all(of_name) {
            let message = format!(
                "the schema {schema:?} must be a name of at most 63 small letters, digits and `_`"
            );
            return Err(Fail::new(ErrorKind::Other, message));
        }
        let (pool, alone) = match server {
            Server::Pool(pool) => (pool, None),
            Server::Url(options) => {
                let limits = [("lock_timeout", "5s"), ("statement_timeout", "30s")];
                let options = options.options(limits);
                let options = match options.get_application_name() {
                    Some(_) => options,
                    None => options.application_name("steps"),
                };
                let alone = Alone::new(options.clone());
                let others = connections.saturating_sub(1).max(2);
                (pool(others, options), Some(alone))
            }
        };
        let name = name_of(&pool.connect_options());
        let database = Database {
            pool,
            alone,
            name,
            schema,
        };
        Ok((database, unsafe_commits))
    }
}

fn name_of(options: &PgConnectOptions) -> String {
    format!(
        "postgres://{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or(options.get_username()),
    )
}
