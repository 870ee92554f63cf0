//! The rules that all stores share: on one store, and on two stores of one schema, as of two processes, of which one
//! makes the writes, and has its own pool or that of somebody else.

mod common;

use std::time::Duration;

use common::server::{Server, schema};
use sqlx::postgres::PgPoolOptions;
use steps_core::testing::store::Subject;
use steps_postgres::{PostgresOptions, PostgresStore};

/// A schema on the server of this program.
struct Schema(String);

impl Subject for Schema {
    type Store = PostgresStore;

    async fn fresh() -> Self {
        Self(schema())
    }

    async fn open(&self) -> PostgresStore {
        let options = PostgresOptions::from_url(&Server::shared().url()).expect("a URL");
        let options = options.schema(&self.0).connections(8);
        options.open().await.expect("an open database")
    }
}

/// The same rules, on the pool of a service, with few connections, on a runtime with several threads.
struct Pool(String);

impl Subject for Pool {
    type Store = PostgresStore;

    async fn fresh() -> Self {
        Self(schema())
    }

    async fn open(&self) -> PostgresStore {
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.acquire_timeout(Duration::from_secs(30));
        let pool = pool.connect(&Server::shared().url()).await.expect("a pool");
        let options = PostgresOptions::from_pool(pool).schema(&self.0);
        options.open().await.expect("an open database")
    }

    fn run(test: impl Future<Output = ()> + Send + 'static) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime for a test");
        let task = runtime.spawn(test);
        runtime.block_on(task).expect("the test does not panic");
    }
}

mod rules {
    steps_core::testing::store_conformance!(super::Schema);
}

mod pool_of_one {
    steps_core::testing::store_conformance!(super::Pool);
}
