#![doc = include_str!("../README.md")]
//!
//! # How it works inside
//!
//! `store` turns a call into a `task`: a closure, and where its answer goes. `queue` hands it to the
//! thread of `writer`, which commits tasks by `group`, or to those of `readers`. What a task does, in
//! a `txn`, is SQL in `ops`, one file for each thing, on a connection from `connect` to tables from
//! `schema`;
//! `node` and `more` say how a node is a row. `file` notices that the database was taken away,
//! `error` says what SQLite's errors mean.
#![forbid(unsafe_code)]

mod connect;
mod error;
mod file;
mod more;
mod node;
mod ops;
mod options;
mod queue;
mod readers;
mod schema;
mod size;
mod store;
mod task;
mod time;
mod txn;
mod url;
mod writer;

pub use options::{SqliteOptions, Synchronous};
pub use store::SqliteStore;
