#![doc = include_str!("../README.md")]
//!
//! # How it works inside
//!
//! `store` turns each method into a call. `writer` makes the writes that wait as one statement, `listener` hears what other
//! stores of the schema tell, `within` starts executions in transactions of the service's own, and `transaction` makes
//! those that steps are called in. What a call does is SQL in `ops`, one file for each kind of operation, in a transaction of
//! `server`, which also makes the tables; `row` converts between nodes and rows; `error` says what the server's errors
//! mean.
//!
//! A module uses only those before it: `error`, `row`, `server`, `ops`, `writer`, `listener`, `within`, `transaction`, `store`.
#![forbid(unsafe_code)]

mod error;
mod listener;
mod ops;
mod row;
mod server;
mod store;
mod transaction;
mod within;
mod writer;

pub use server::options::PostgresOptions;
pub use store::PostgresStore;
pub use within::StartWithin;
