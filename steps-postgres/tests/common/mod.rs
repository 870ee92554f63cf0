//! What the tests of this folder share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

use sqlx::{Connection as _, PgConnection};
pub use steps_test_support::postgres as server;

pub mod backwards;
pub mod cli;
pub mod cutting;
pub mod deaf;
pub mod load;
pub mod proxy;
pub mod writes;

/// A connection to the server that the tests share, beside that of any store.
pub async fn connect() -> PgConnection {
    let url = server::Server::shared().url();
    PgConnection::connect(&url).await.unwrap()
}
