//! Pools of the store's own.

use std::time::Duration;

use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// After how long a connection is asked whether it is still there before it is used.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// Returns a pool of the store's own.
pub(super) fn pool(connections: u32, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        // To ask before each use whether a connection is still there takes a round trip each time; one that was just
        // used mostly is.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}
