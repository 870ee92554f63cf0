//! Opening a database.

use std::sync::{Arc, atomic::AtomicBool};

use sqlx::PgPool;
use steps_core::store::{ErrorKind, StoreError, Tables};
use tokio::sync::{Mutex, Semaphore};

use super::{Inner, PostgresStore};
use crate::{
    error::Fail,
    listener::Listener,
    server::{options::PostgresOptions, schema, time::Time},
    writer::Writer,
};

impl PostgresStore {
    /// Opens the database of a URL, such as `postgres://user:password@host/database`, and makes the tables in its schema
    /// `steps`, or brings them up to date.
    ///
    /// ```no_run
    /// use steps_core::Engine;
    /// use steps_postgres::PostgresStore;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::open("postgres://app@localhost/app").await?;
    /// let engine = Engine::with_store(store).start().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`PostgresOptions::open`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        PostgresOptions::from_url(url)?.open().await
    }

    /// Opens the database of a pool: the service's own, which goes on being its own.
    ///
    /// ```no_run
    /// use sqlx::PgPool;
    /// use steps_postgres::PostgresStore;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = PgPool::connect("postgres://app@localhost/app").await?;
    /// let store = PostgresStore::new(pool.clone()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As of [`PostgresOptions::open`].
    pub async fn new(pool: PgPool) -> Result<Self, StoreError> {
        PostgresOptions::from_pool(pool).open().await
    }
}

impl PostgresOptions {
    /// Opens the database, creates the schema and its tables or brings them up to date, and checks the server's
    /// settings.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`](steps_core::store::ErrorKind::Foreign) where the tables belong to a newer version of this library, [`ErrorKind::ReadOnly`](steps_core::store::ErrorKind::ReadOnly) where
    /// the server may only be read, or this user may not make the tables; [`ErrorKind::Other`](steps_core::store::ErrorKind::Other) for a server that is too
    /// old, or loses what was acknowledged; other kinds for what the server reports.
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        let (database, unsafe_commits) = self.connect().map_err(|fail| fail.of("postgres"))?;
        let database = Arc::new(database);
        // To its end: who opens it may stop waiting.
        let opening = Arc::clone(&database);
        let opened = tokio::spawn(async move {
            schema::settings(&opening, unsafe_commits).await?;
            schema::upgrade(&opening).await?;
            Time::of(&opening).await
        });
        let opened = opened.await.unwrap_or_else(|error| {
            Err(Fail::new(
                ErrorKind::Other,
                format!("opening it did not come to its end: {error}"),
            ))
        });
        let time = opened.map_err(|fail| fail.of(&database.name))?;
        let connections = database.pool.options().get_max_connections();
        let inner = Inner {
            transactions: Semaphore::new((connections as usize / 2).max(1)),
            workers: Mutex::default(),
            writer: Writer::start(Arc::clone(&database)),
            listener: Listener::default(),
            time,
            database,
            calls: Arc::default(),
        };
        Ok(PostgresStore {
            inner: Arc::new(inner),
            is_closed: AtomicBool::new(false),
        })
    }
    /// Returns the version of the tables, and changes nothing.
    ///
    /// ```no_run
    /// # use steps_postgres::PostgresOptions;
    /// # async fn look() -> Result<(), Box<dyn std::error::Error>> {
    /// let options = PostgresOptions::from_url("postgres://app@localhost/app")?;
    /// let tables = options.tables().await?;
    /// if tables.version < tables.newest {
    ///     println!("opening it makes its tables, or brings them up to date");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the server can't be reached, or the tables belong to a newer version of this library: as of
    /// [`open`](Self::open).
    pub async fn tables(&self) -> Result<Tables, StoreError> {
        let (database, _) = self.clone().connect().map_err(|fail| fail.of("postgres"))?;
        let found = schema::tables(&database).await;
        database.close().await;
        found.map_err(|fail| fail.of(&database.name))
    }
}
