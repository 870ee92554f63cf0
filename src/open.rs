//! Opens an engine by the URL of its database.

use steps_core::{
    Engine,
    engine::{Builder, EngineError},
    store::{ErrorKind, MemoryStore, StoreError},
};

/// Opens an [`Engine`] on the database that a URL names. The trait is in the
/// [prelude](crate::prelude), which makes `Engine::open` available.
///
/// | URL | database | feature |
/// |---|---|---|
/// | `sqlite:steps.db`, `sqlite:/var/lib/shop/steps.db?synchronous=normal` | a SQLite file, which is created if it is missing; see [`sqlite`](crate::sqlite) for the options | `sqlite`, on by default |
/// | `postgres://user@host/database` | a PostgreSQL database, in which the schema `steps` is created if it is missing; see [`postgres`](crate::guide::postgres) | `postgres` |
/// | `memory:` | none: all executions are lost when the process ends | |
///
/// For a store of another kind, use [`Engine::with_store`].
pub trait Open {
    /// Opens the database. The returned builder takes the flows to serve, and `.start()`.
    ///
    /// ```
    /// use steps::{Engine, prelude::*};
    ///
    /// #[step]
    /// async fn hello(name: &str) -> Result<String, String> {
    ///     Ok(format!("Hello, {name}"))
    /// }
    ///
    /// #[flow]
    /// async fn greet(name: String) -> Result<String, String> {
    ///     steps! { text = hello(&name); }
    ///     Ok(text)
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::open("memory:").await?.serve(greet::with()).start().await?;
    /// let run = engine.start(greet::input("you".into())).id("greet-1").await?;
    /// assert_eq!(run.outcome().await?, "Hello, you");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the URL names no known kind of database, or the database can't be opened.
    fn open(url: &str) -> impl Future<Output = Result<Builder, EngineError>> + Send;
}

impl Open for Engine {
    async fn open(url: &str) -> Result<Builder, EngineError> {
        match url.split_once(':').map_or("", |(scheme, _)| scheme) {
            "memory" => Ok(Engine::with_store(MemoryStore::new())),
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Engine::with_store(
                steps_sqlite::SqliteStore::open(url).await?,
            )),
            #[cfg(not(feature = "sqlite"))]
            "sqlite" => Err(unknown(
                url,
                "this program was built without the feature `sqlite` of the crate `steps`",
            )),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Engine::with_store(
                steps_postgres::PostgresStore::open(url).await?,
            )),
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => Err(unknown(
                url,
                "this program was built without the feature `postgres` of the crate `steps`",
            )),
            _ => Err(unknown(
                url,
                "known are `sqlite:FILE`, such as `sqlite:steps.db`, `postgres://HOST/DATABASE`, and `memory:`; for \
                 another store there is `Engine::with_store`",
            )),
        }
    }
}

fn unknown(url: &str, why: &str) -> EngineError {
    StoreError::new(
        ErrorKind::Other,
        format!("`{url}` names no database that can be opened: {why}"),
    )
    .into()
}
